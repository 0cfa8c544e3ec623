"""The report's page in a real browser: by clicks and keys, and against hostile text."""

import itertools
import json
import re
import shutil

import pytest
from report_runs import HOSTILE, SETTINGS, make_run

from agents.report.__main__ import main
from agents.report.config import ReportConfig
from agents.runs.folder import RunFolder
from agents.runs.load import load_run

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra [test])")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)")

PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens a page file; afterwards it must have asked the network for nothing and complained about nothing."""
    opened = []

    def visit(path, **settings):
        page = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light"} | settings).new_page()
        page.set_default_timeout(60_000)
        heard = []
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("dialog", lambda dialog: heard.append("dialog"))
        page.on("request", lambda request: heard.append(request.url) if request.url != path.as_uri() else None)
        opened.append((page, heard))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]")
        return page

    yield visit
    for page, heard in opened:
        page.wait_for_timeout(100)
        assert heard == []
        page.context.close()


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """Two seeds of SDPO beside GRPO, and their report."""
    base = tmp_path_factory.mktemp("runs")
    runs = [make_run(base / f"sdpo-{seed}", seed=seed) for seed in (0, 1)]
    runs.append(make_run(base / "grpo", "agents.grpo", lr=1e-4))
    main(ReportConfig(tuple(runs), base / "report.html"))
    return base / "report.html"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    base = tmp_path_factory.mktemp("hostile")
    run = make_run(
        base / "<img src=x onerror=window.hacked=1>", hostile=True, steps=1, attempts=8, credits=8, model=HOSTILE[0]
    )
    main(ReportConfig((run,), base / "report.html"))
    return run, base / "report.html"


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    base = tmp_path_factory.mktemp("large")
    run = make_run(base / "run", steps=50, attempts=100, credits=2)
    main(ReportConfig((run,), base / "report.html"))
    return base / "report.html"


def status(page):
    return page.locator("#page-status").inner_text()


def rows(page, column):
    return page.locator(f"#rollouts tbody tr > *:nth-child({column})").all_inner_texts()


def tokens(page):
    return page.get_by_role("listbox", name="Response, token by token").get_by_role("option")


def scroll_through(page):
    for figure in page.locator("figure:visible").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".main-svg").first.wait_for()


def test_summary_and_curves(comparison, visit):
    page = visit(comparison)
    assert page.title() == "SDPO and GRPO · tiny on toy/Even-v0"
    summary = page.get_by_role("table", name="From the first evaluation").inner_text()
    assert re.search(r"SDPO\s+2\s+4\s+0\.210 → 0\.710 \[0\.583, 0\.837\] \+0\.500", summary), summary
    assert re.search(r"GRPO\s+1\s+4\s+0\.200 → 0\.700 \[0\.602, 0\.798\] \+0\.500", summary), summary
    scroll_through(page)
    titles = page.locator("figure:visible h3").all_inner_texts()
    assert {"Success in evaluations", "pass@4 in evaluations", "Entropy", "Response length"} <= set(titles)
    assert titles.count("What came of the attempts") == titles.count("Where the time went") == 2
    assert "Reward while training" not in titles  # it is the success rate
    time = page.locator("figure:visible", has_text="Where the time went").first
    assert "sampling 38 %, grading 13 %, learning 50 %" in time.inner_text()
    label = page.locator("figure:visible .plot").first.get_attribute("aria-label")
    assert label == "SDPO: 0.210 at step 0, 0.710 at step 4; GRPO: 0.200 at step 0, 0.700 at step 4"


def test_the_summary_compares_evaluations_of_all_runs(tmp_path, visit):
    """One of two runs goes on at its 0.6; the other, so far at 0.2, is not in the mean of the last step."""
    paths = []
    for seed, rates in enumerate(({0: 0.6, 4: 0.6}, {0: 0.2})):
        folder = RunFolder(tmp_path / str(seed), SETTINGS | {"seed": seed}, program="agents.sdpo")
        for step, rate in rates.items():
            folder.log_metrics({"step": step, "phase": "evaluation", "success_rate": rate})
        paths.append(folder.path)
    main(ReportConfig(tuple(paths), tmp_path / "report.html"))
    summary = visit(tmp_path / "report.html").get_by_role("table", name="From the first evaluation").inner_text()
    assert "0.400 [0, 1]" in summary and "→" not in summary


def test_numbers_stand_beside_each_figure(comparison, visit):
    page = visit(comparison)
    figure = page.locator("figure", has=page.get_by_role("heading", name="Success in evaluations", exact=True))
    figure.get_by_text("Numbers").click()
    figure.get_by_role("table").wait_for()
    numbers = [row.split("\t") for row in figure.locator("tbody tr").all_inner_texts()]
    assert ["SDPO", "4", "0.710", "0.583", "0.837", "0.700; 0.720"] in numbers


def test_curves_and_bands_can_be_hidden(comparison, visit):
    page = visit(comparison)
    figure = page.locator("figure").first
    figure.locator(".main-svg").first.wait_for()
    assert page.locator("figure").first.locator(".trace").count() == 6  # two bands, two runs, two means
    page.get_by_label("confidence bands").uncheck()
    playwright.expect(figure.locator(".trace")).to_have_count(4)
    page.get_by_label("GRPO", exact=True).uncheck()
    playwright.expect(figure.locator(".trace")).to_have_count(3)
    assert "GRPO" not in figure.locator(".plot").get_attribute("aria-label")


def test_any_metric_can_be_chosen(comparison, visit):
    page = visit(comparison)
    figure = page.locator("figure", has=page.get_by_role("heading", name="Any metric"))
    figure.get_by_label("Metric").select_option("train grade_seconds")
    playwright.expect(figure.locator(".plot")).to_have_attribute("aria-label", re.compile("SDPO: 1 at step 1"))


def test_search_and_filters(comparison, visit):
    page = visit(comparison)
    total = 3 * (4 * 6 + 4)
    assert status(page) == f"1–12 of {total}"
    page.get_by_label("Search in tasks").fill("NEEDLE-3-5")
    playwright.expect(page.locator("#page-status")).to_have_text("1–3 of 3")
    assert set(rows(page, 1)) == {"train-3-5"}
    page.get_by_role("combobox", name="Run").select_option(label="grpo")
    playwright.expect(page.locator("#page-status")).to_have_text("1–1 of 1")
    page.get_by_role("button", name="Clear").click()
    playwright.expect(page.locator("#page-status")).to_have_text(f"1–12 of {total}")
    page.get_by_label("with token credit").check()
    playwright.expect(page.locator("#page-status")).to_have_text("1–12 of 24")
    page.get_by_role("combobox", name="Outcome").select_option("solved")
    assert set(rows(page, 6)) == {"solved"}
    page.get_by_label("Search in tasks").fill("no such text anywhere")
    playwright.expect(page.locator("#page-status")).to_have_text("no attempt matches")


def test_sorting(comparison, visit):
    page = visit(comparison)
    page.get_by_role("button", name="Step", exact=True).focus()
    page.keyboard.press("Enter")
    assert set(rows(page, 3)) == {"4"}
    assert page.locator("#rollouts").get_by_role("columnheader", name="Step").get_attribute("aria-sort") == "descending"
    page.keyboard.press("Enter")  # the focus has stayed on it
    assert rows(page, 3) == ["0"] * 6 + ["1"] * 6
    page.get_by_role("button", name="Credit", exact=True).click()
    values = [float(text.split()[1]) for text in rows(page, 9)]
    assert values == sorted(values, reverse=True)


def test_an_attempt_by_the_keyboard(comparison, visit):
    page = visit(comparison)
    page.get_by_label("Search in tasks").fill("needle-2-1")
    playwright.expect(page.locator("#page-status")).to_have_text("1–3 of 3")
    page.locator("#rollouts tbody button").first.focus()
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#attempt-heading")).to_be_focused()
    run = load_run(comparison.parent / "sdpo-0")
    rollout = next(r for r in run.rollouts if r["id"] == "train-2-1")
    credit = next(r for r in run.credit if r["rollout"] == "train-2-1")
    shown = page.locator(".tokens").evaluate("e => [...e.children].map(c => c.textContent).join('')")
    assert shown.replace("⏎", "") == rollout["turns"][0]["response"] + "<|im_end|>"
    first = tokens(page).first
    first.focus()
    page.keyboard.press("ArrowRight")
    second = tokens(page).nth(1)
    playwright.expect(second).to_be_focused()
    inspector = page.get_by_role("status", name="The token").inner_text()
    ratio = credit["teacher"][1] - credit["student"][1]
    assert f"{abs(ratio):.3f}" in inspector and f"token 2 of {len(credit['tokens'])}" in inspector
    assert "other" in inspector and ("up" if ratio > 0 else "down") in second.get_attribute("class").split()
    page.keyboard.press("End")
    assert "a special token" in page.get_by_role("status", name="The token").inner_text()
    page.keyboard.press("Home")
    playwright.expect(first).to_be_focused()
    page.get_by_text("What the teacher read in place").click()
    assert page.get_by_text("what the teacher reads other").is_visible()
    page.get_by_role("button", name="Back to the table").click()
    playwright.expect(page.locator("#rollouts tbody button").first).to_be_focused()


def test_an_attempt_by_the_mouse(comparison, visit):
    page = visit(comparison)
    page.get_by_label("with token credit").check()
    playwright.expect(page.locator("#page-status")).to_have_text("1–12 of 24")
    page.locator("#rollouts tbody tr").nth(2).locator("td").last.click()
    playwright.expect(page.locator("#rollouts tr.open")).to_have_count(1)
    tokens(page).nth(3).hover()
    assert page.get_by_role("status", name="The token").inner_text().find("token 4 of") >= 0
    heading = page.locator("#attempt-heading").inner_text()
    page.get_by_role("button", name="Next attempt").click()
    playwright.expect(page.locator("#attempt-heading")).not_to_have_text(heading)


def test_grpo_shows_the_advantage(comparison, visit):
    page = visit(comparison)
    page.get_by_role("combobox", name="Run").select_option(label="grpo")
    page.get_by_label("with token credit").check()
    page.locator("#rollouts tbody button").first.click()
    inspector = page.get_by_role("status", name="The token")
    playwright.expect(inspector).to_contain_text(re.compile(r"advantage\s*[+−]0\.500"))
    assert "teacher" not in inspector.inner_text()


def test_an_address_names_an_attempt(comparison, visit):
    page = visit(comparison)
    page.get_by_role("button", name="train-1-1", exact=True).first.click()
    page.wait_for_function("location.hash.length > 1")
    address = page.url
    heading = page.locator("#attempt-heading").inner_text()
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    assert page.locator("#attempt-heading").inner_text() == heading
    assert page.locator("#attempt").inner_text().find("train, step 1") > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme(scheme, comparison, visit):
    page = visit(comparison, color_scheme=scheme)
    button = page.get_by_role("button", name="Dark theme")

    def lightness():
        return int(re.search(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[0])

    assert (lightness() > 128) == (scheme == "light")
    assert button.get_attribute("aria-pressed") == str(scheme == "dark").lower()
    page.get_by_role("button", name="Dark theme").focus()
    page.keyboard.press("Space")
    assert (lightness() > 128) == (scheme == "dark")
    assert button.get_attribute("aria-pressed") == str(scheme == "light").lower()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert (lightness() > 128) == (scheme == "dark")  # it is remembered


CONTRAST = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const failures = [];
  for (const text of document.querySelectorAll("main *, header *, nav *")) {
    if (![...text.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    if (!text.checkVisibility() || text.closest("svg, :disabled, option, caption")) continue;
    const behind = [];
    for (let e = text; e; e = e.parentElement) behind.unshift(getComputedStyle(e).backgroundColor);
    const background = over(behind);
    const ink = over([...behind, getComputedStyle(text).color]);
    const [dark, light] = [luminance(background), luminance(ink)].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) failures.push(`${text.outerHTML.slice(0, 99)}: ${contrast}`);
  }
  return failures;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_contrast(scheme, comparison, visit):
    page = visit(comparison, color_scheme=scheme)
    for token in tokens(page).all()[:4]:
        token.evaluate("e => e.style.setProperty('--strength', '100%')")
    assert page.evaluate(CONTRAST) == []


NAMELESS = """
() => [...document.querySelectorAll("button, input, select, [role=img], [role=listbox], [role=region]")].filter((e) => {
  const name = e.getAttribute("aria-label") || e.labels?.[0]?.textContent || (e.tagName === "BUTTON" && e.textContent);
  return e.checkVisibility() && !name?.trim();
}).map((e) => e.outerHTML)
"""


def test_everything_that_can_be_used_has_a_name(comparison, visit):
    page = visit(comparison)
    scroll_through(page)
    assert page.evaluate(NAMELESS) == []
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((e) => Number(e.tagName[1]))")
    assert levels[0] == 1 and all(b - a <= 1 for a, b in itertools.pairwise(levels))
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"theme", "search", "filter-outcome", "rollouts"} & reached >= {"theme", "search", "filter-outcome"}


def test_a_phone(comparison, visit):
    page = visit(comparison, viewport=PHONE, has_touch=True)
    scroll_through(page)
    page.get_by_text("All settings of all runs").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tokens(page).nth(2).tap()
    assert "token 3 of" in page.get_by_role("status", name="The token").inner_text()


def test_hostile_text_is_only_text(hostile, visit):
    run, report = hostile
    page = visit(report)
    scroll_through(page)
    page.locator("#rollouts tbody button").first.click()
    article = page.locator("#attempt")
    for rollout in load_run(run).rollouts:
        playwright.expect(article).to_contain_text(f"needle-{rollout['step']}-{rollout['seed']}")
        article.evaluate("e => e.querySelectorAll('details').forEach((fold) => (fold.open = true))")
        shown = _same(article.evaluate("e => e.textContent"))
        turn = rollout["turns"][0]
        for text in (rollout["task"], rollout["messages"][0]["content"], turn["response"], turn["feedback"]):
            assert _same(text) in shown
        for token in tokens(page).all()[-3:]:
            token.hover()
        following = page.get_by_role("button", name="Next attempt")
        if following.is_enabled():
            following.click()
    page.get_by_label("Search in tasks").fill("onerror")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, iframe, object, main svg:not(.main-svg):not(.main-svg *)").count() == 0
    assert page.locator("main a:not(nav a), main style, main script").count() == 0


def _same(text):
    """A page shows NUL and half a surrogate pair as a replacement, and new lines with a mark."""
    return re.sub("[\x00\ud800\ufffd⏎\n]", "", text)


def test_five_thousand_attempts(large, visit):
    page = visit(large)
    assert status(page) == "1–12 of 5,000"
    assert "5,000 attempts of 5,004 (the others were left out of this page)" in page.locator("#attempts").inner_text()
    assert page.locator("#rollouts tbody tr").count() == 12
    page.get_by_role("button", name="Last page").click()
    assert status(page) == "4,993–5,000 of 5,000" and page.get_by_role("button", name="Next ›").is_disabled()
    page.get_by_label("Search in tasks").fill("needle-37-")
    playwright.expect(page.locator("#page-status")).to_contain_text("of 100")
    assert set(rows(page, 2)) == {"37"}
    assert page.evaluate("document.querySelectorAll('*').length") < 4000
    assert large.stat().st_size < 4e6


def test_a_run_without_credit_says_how_to_record_it(tmp_path, visit):
    run = make_run(tmp_path / "run", credits=0)
    main(ReportConfig((run,), tmp_path / "report.html"))
    page = visit(tmp_path / "report.html")
    assert "--credit-samples" in page.locator("#attempts-hint").inner_text()
    page.locator("#rollouts tbody button").first.click()
    assert "needle" in page.locator("#attempt pre.response").inner_text()


def test_a_run_before_its_first_step(tmp_path, visit):
    folder = RunFolder(tmp_path / "run", SETTINGS, program="agents.sdpo")
    folder.log_metrics({"step": 0, "phase": "evaluation", "success_rate": 0.25, "standard_error": 0.1, "tasks": 4})
    main(ReportConfig((folder.path,), tmp_path / "report.html"))
    page = visit(tmp_path / "report.html")
    scroll_through(page)
    assert "Success in evaluations" in page.locator("figure:visible h3").all_inner_texts()
    assert page.locator("#failure").is_hidden()


def test_long_runs(tmp_path, visit):
    folder = RunFolder(tmp_path / "run", SETTINGS, program="agents.sdpo")
    lines = [json.dumps({"step": step, "phase": "train", "reward": step % 7}) for step in range(1, 200_000)]
    (folder.path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    main(ReportConfig((folder.path,), tmp_path / "report.html"))
    page = visit(tmp_path / "report.html")
    scroll_through(page)
    assert "Reward while training" in page.locator("figure:visible h3").all_inner_texts()
