import re

import pytest

from envs.livecodebench.prompt import PROMPTS, Rules
from envs.livecodebench.rows import parse_row

STYLES = sorted(PROMPTS)


def text(row, style, **rules):
    return "\n\n".join(message["content"] for message in PROMPTS[style](parse_row(row), Rules(**rules)))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_poses_both_kinds_of_problem(make_row, style):
    functional, stdin = text(make_row(), style), text(make_row(None), style)
    assert "def add(self, a, b)" in functional or "def add(a, b)" in functional
    assert "standard input" not in functional
    assert "standard input" in stdin
    assert "Example input:\n1 2\n\nExample output:\n3" in stdin
    for prompt in (functional, stdin):
        assert "Add two numbers." in prompt and "```python" in prompt
        assert not any(hidden in prompt for hidden in ("110", "1500", "10000", "700", "9000"))
    assert PROMPTS[style](parse_row(make_row()), Rules())[-1]["role"] == "user"


def test_the_plain_prompt_word_for_word(make_row):
    assert text(make_row(), "plain") == (
        "Write the Python function `def add(a, b):`\n\nAdd two numbers.\n\n"
        "Reply with the code only, in a ```python block."
    )
    assert text(make_row(None), "plain") == (
        "Write a Python program that reads standard input and writes standard output.\n\nAdd two numbers.\n\n"
        "Example input:\n1 2\n\nExample output:\n3\n\nReply with the code only, in a ```python block."
    )


@pytest.mark.parametrize("style", ["livecodebench", "sdpo"])
@pytest.mark.parametrize("func_name", [None, "add"])
def test_stated_rules_are_those_given(make_row, style, func_name):
    prompt = text(make_row(func_name), style, time_limit=2.5, memory_mb=777, extraction="longest")
    assert "2.5 seconds of CPU time and 777 MB of memory for each test" in prompt
    assert "the longest one is taken" in prompt
    assert "the last one is taken" in text(make_row(func_name), style)
    assert "1 second of" in text(make_row(func_name), style, time_limit=1.0)


@pytest.mark.parametrize(
    ("starter", "shown"),
    [
        ("class Solution:\n    def add(self, a: int, b: int) -> int:\n        ", "def add(a: int, b: int) -> int:"),
        ("class Solution(object):\n    def add( self ):\n", "def add( ):"),
        ("# class Node: …\nclass Solution:\n    def add(self, a):", "# class Node: …\ndef add(a):"),
        ("def add(a, b):\n", "def add(a, b):"),
    ],
)
def test_the_papers_style_shows_a_bare_function(make_row, starter, shown):
    assert re.search(r"```python\n(.*?)\n```\Z", text(make_row(starter_code=starter), "sdpo"), re.DOTALL)[1] == shown
    assert starter.strip() in text(make_row(starter_code=starter), "livecodebench")


@pytest.mark.parametrize(
    "starter",
    [
        "# class Node: …\nclass Solution:\n    def add(self, a, b):\n        ",
        "from math import gcd\n\ndef add(a, b):",
        "add = None",
    ],
)
def test_the_plain_prompt_shows_starter_code_that_is_more_than_a_signature(make_row, starter):
    prompt = text(make_row(starter_code=starter), "plain")
    assert prompt.startswith("Write a Python function.\n\nAdd two numbers.")
    assert f"```python\n{starter.rstrip()}\n```" in prompt


@pytest.mark.parametrize(
    ("style", "named"),
    [
        ("plain", "Write the Python function `add`"),
        ("livecodebench", "a function `add` that returns the answer"),
        ("sdpo", "a function `add` that returns the answer"),
    ],
)
def test_a_function_without_starter_code_is_named(make_row, style, named):
    assert named in text(make_row(starter_code=""), style)


@pytest.mark.parametrize("style", STYLES)
def test_examples_of_the_statement_are_not_repeated(make_row, style):
    row = make_row(None, question_content="Add.\n\nInput:\n\n1   2 \r\n\r\nOutput:\n\n  3\n")
    assert "Example input" not in text(row, style)


@pytest.mark.parametrize(
    "statement",
    [
        "Add two numbers. There are 1 2-digit and 3 other ones.",
        "Add two numbers: for 1 2 the answer is 3.",
        "Input:\n1 2\nOutput:\n33",
        "Output:\n3\nInput:\n1 2",
    ],
)
@pytest.mark.parametrize("style", STYLES)
def test_a_statement_shows_an_example_only_with_its_output_and_as_whole_lines(make_row, statement, style):
    assert "Example input:\n1 2\n\nExample output:\n3" in text(make_row(None, question_content=statement), style)
