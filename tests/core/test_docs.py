"""The documentation's links, and the API reference."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from envs.livecodebench.rows import parse_row

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)")


def links(page):
    """Files that a page links to, and anchors in them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in LINK.findall(text):
        if "://" not in target:
            yield (page.parent / target).resolve() if target else page, anchor


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target, anchor in links(page):
        assert target.exists(), f"{page} links to {target}"
        assert not anchor or anchor in anchors(target), f"{page} links to #{anchor} in {target}"


def example(page, title):
    """The first Python example under a heading, run: its names."""
    text = page.read_text().partition(f"# {title}\n")[2]
    names = {}
    exec(re.search(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1], names)
    names["env"].close()
    return names


def test_the_readmes_example_answers_the_task_that_it_poses():
    names = example(ROOT / "README.md", "Environments")
    assert "def is_palindrome(" in names["prompt"] and "The function returned None." in names["info"]["feedback"]


def test_the_example_of_tool_use_is_what_happens():
    names = example(DOCS / "tool-use.md", "`sdpo/ToolUse-v0`")
    assert names["prompt"].endswith("How many pieces of the product A4362 are in stock?") and names["reward"] == 1.0
    assert 'Observation: {"stock": 223}' in [message["content"] for message in names["info"]["messages"]]


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
def test_the_row_of_livecodebench_is_a_problem_and_needs_each_field_of_the_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = DOCS / "livecodebench.md"
    names = example(page, "Rows")
    assert names["row"]["question_content"] in names["prompt"] and names["reward"] == 1.0
    table = page.read_text().partition("# Rows\n")[2].partition("A test is")[0]
    for field in names["row"]:
        assert f"`{field}`" in table
        with pytest.raises(ValueError, match=f"field '{field}' must be a text, but it is missing"):
            parse_row({name: text for name, text in names["row"].items() if name != field})


def test_the_index_leads_to_every_page():
    index = DOCS / "README.md"
    assert set(DOCS.rglob("*.md")) - {index} <= {target for target, _ in links(index)}


def test_the_api_reference_builds_without_a_warning(tmp_path):
    for module in ("pdoc", "torch", "transformers"):
        pytest.importorskip(module, reason="needs the extras [agents,docs]")
    done = subprocess.run(
        [sys.executable, DOCS / "build_api.py", tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for page, text in (
        ("sdpo_gym.html", "One question. Immutable"),
        ("sdpo_gym/sandbox.html", "make_sandbox"),
        ("envs/livecodebench/env.html", "LiveCodeBenchEnv"),
        ("agents/grpo/config.html", "Temperature"),
        ("index.html", "agents/trackers.html"),
    ):
        assert text.lower() in (tmp_path / page).read_text().lower()
