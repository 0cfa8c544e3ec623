"""How large a report is, and how long a browser takes with it.

python tests/benchmarks/report_page.py [steps]; by default 155 steps of 32 attempts, about 5,000 of 250 tokens, with the
credit of 4 responses a step.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import expect, sync_playwright
from report_runs import make_run

from agents.report.page import make_page
from agents.runs.load import load_run

OPEN = "() => performance.getEntriesByType('navigation')[0].domComplete"
KEY = """
(text) => new Promise((done) => {
  const search = document.getElementById("search"), status = document.getElementById("page-status");
  const start = performance.now();
  new MutationObserver(() => done(performance.now() - start)).observe(status, { childList: true });
  search.value = text;
  search.dispatchEvent(new Event("input"));
})
"""
SORT = """
(key) => {
  const start = performance.now();
  document.querySelector(`[data-key="${key}"]`).click();
  const painted = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
  return new Promise((done) => painted(() => done(performance.now() - start)));
}
"""


def main(steps: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = make_run(Path(name) / "run", steps=steps, attempts=32, credits=4, words=190)
        raw = {path.name: path.stat().st_size / 1e6 for path in folder.glob("*.jsonl")}
        print("files:", ", ".join(f"{file} {size:.1f} MB" for file, size in raw.items()))
        started = time.perf_counter()
        page_file = Path(name) / "report.html"
        page_file.write_text(make_page([load_run(folder)], 5000, 500))
        print(f"page: {page_file.stat().st_size / 1e6:.1f} MB, made in {time.perf_counter() - started:.1f} s")
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            started = time.perf_counter()
            page.goto(page_file.as_uri())
            page.wait_for_selector("body[data-ready]")
            print(f"opened in {time.perf_counter() - started:.2f} s ({page.evaluate(OPEN) / 1000:.2f} s parsing)")
            searches = [page.evaluate(KEY, text) for text in ("needle-1", "needle-12", "needle-9")]
            print("first search {:.0f} ms, then {:.0f} and {:.0f} ms (150 ms of them waiting)".format(*searches))
            expect(page.locator("#page-status")).to_contain_text("of")
            by_tokens, by_task = (page.evaluate(SORT, key) for key in ("tokens", "task"))
            print(f"sorting by tokens {by_tokens:.0f} ms, by task {by_task:.0f} ms")
            print(f"memory of its scripts: {page.evaluate('performance.memory.usedJSHeapSize') / 1e6:.0f} MB")
            browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 155)
