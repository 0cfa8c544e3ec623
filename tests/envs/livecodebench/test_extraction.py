import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.livecodebench.extraction import extract_code, has_unclosed_fence


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("text\n\n``` python \nx = 1\ny = 2\n```\nmore text", "x = 1\ny = 2"),
        ("```python\r\nx = 1\r\ny = 2\r\n```\r\n", "x = 1\ny = 2"),
        ("```\nshort\n```\n```py\nthe longest\n```\n```\nlonger\n```", "the longest"),
        ("```python\nx = 1```", "x = 1"),
        ("```python\nx = 1", "x = 1"),
        ("```python\nx = 1\nNo, better:\n```python\nprint('the better program')\n```", "print('the better program')"),
        ("1. so:\n   ```python\n   if x:\n       y\n   ```", "if x:\n    y"),
        ("````python\nx = 1\n````", "x = 1"),
        ("Use ```x``` here.\n```python\ny\n```", "y"),
        ("```inline```\n```python\ny\n```", "y"),
        ("```python\ns = '```'\nt = 1\n```", "s = '```'\nt = 1"),
        ("```python\nfirst\n``` and then text", "first"),
    ],
)
def test_finds_the_code(response, code):
    assert extract_code(response) == code


@pytest.mark.parametrize(
    "response",
    [
        "",
        "x = 1",
        "`x = 1`",
        "```",
        "```python",
        "```python\n",
        "```python\n \n```",
        "``x``",
        "```x = 1```",
        "~~~\nx\n~~~",
    ],
)
def test_finds_no_code(response):
    assert extract_code(response) is None


@pytest.mark.parametrize(
    ("response", "unclosed"), [("", False), ("```\nx\n```", False), ("```\nx", True), ("```\nx\n```\n```python", True)]
)
def test_unclosed_fences(response, unclosed):
    assert has_unclosed_fence(response) == unclosed


@given(st.text(alphabet="`~ \n\tpy#x\r'"))
def test_never_fails(response):
    code = extract_code(response)
    assert code is None or code.strip()


def test_long_hostile_responses_are_read():
    for part in ("```", "```\n", "``` \n", "`", " ", "\n", "```x\n"):
        extract_code(part * (1_000_000 // len(part)))
