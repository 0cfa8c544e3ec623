import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.livecodebench.extraction import EXTRACTIONS, Extraction, extract


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("text\n\n``` python \nx = 1\ny = 2\n```\nmore text", "x = 1\ny = 2"),
        ("```python\r\nx = 1\r\ny = 2\r\n```\r\n", "x = 1\ny = 2"),
        ("```\nshort\n```\n```py\nthe longest\n```\n```\nlast\n```", "last"),
        ("```python\nx = 1\n```\n```\n\n```", "x = 1"),
        ("```python\nx = 1```", "x = 1"),
        ("```python\nx = 1\nNo, better:\n```python\nprint('the better program')\n```", "print('the better program')"),
        ("1. so:\n   ```python\n   if x:\n       y\n   ```", "if x:\n    y"),
        ("```python\n\tx = 1\n\ty = 2\n```", "x = 1\ny = 2"),
        ("````python\nx = 1\n````", "x = 1"),
        ("Use ```x``` here.\n```python\ny\n```", "y"),
        ("```inline```\n```python\ny\n```", "y"),
        ("```python\ns = '```'\nt = 1\n```", "s = '```'\nt = 1"),
        ("```python\nfirst\n``` and then text", "first"),
        ("```python\nfirst\n``` and then `text`.\nThe end.", "first"),
        ("Here is the code: ```python\nx = 1\n```\nIt is short.", "x = 1"),
        ("The function `f`:```\nx = 1\n```", "x = 1"),
        ("1. ```python\n   if x:\n       y\n   ```\n2. Done.", "if x:\n    y"),
        ('````python\ns = """\n```\n"""\n````\nDone.', 's = """\n```\n"""'),
        ("Use ```x``` or ```y```.\n```python\nz\n```", "z"),
        ("<think>Try\n```\na loop\n</think>\nSo:\n```\nx = 1\n```", "x = 1"),
        ("<think>\n```\nx = 1\n```\n</think>\nThat was it.", "x = 1"),
    ],
)
def test_the_last_closed_block_is_the_program(response, code):
    assert extract(response) == Extraction(code)


def test_the_longest_closed_block_is_an_option():
    response = "```\nshort\n```\n```py\nthe longest\n```\n```\nlast\n```"
    assert extract(response, "longest").code == "the longest"
    thought = "<think>Hm.</think><think>\n```\nthe longest\n```\n</think>\n"
    assert extract(f"{thought}```\nshort\n```", "longest").code == "short"


@pytest.mark.parametrize("which", EXTRACTIONS)
@pytest.mark.parametrize(
    ("response", "extraction"),
    [
        ("```python\nx = 1", Extraction("x = 1", "unclosed")),
        ("Well:\n```\n x\n  y", Extraction("x\n y", "unclosed")),
        ("```\nx\n```\n```python", Extraction("x", "later_unclosed")),
        ("```\nx\n```\n```python\nthe longest of all", Extraction("x", "later_unclosed")),
    ],
)
def test_unclosed_blocks(which, response, extraction):
    assert extract(response, which) == extraction


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("x = 1", "no_code_block"),
        ("`x = 1`", "no_code_block"),
        ("``x``", "no_code_block"),
        ("```x = 1```", "no_code_block"),
        ("A ``` opens code.", "no_code_block"),
        ("~~~\nx\n~~~", "no_code_block"),
        ("```", "cut_off"),
        ("```python", "cut_off"),
        ("```python\n \n", "cut_off"),
        ("```python\n \n```", "empty_code_block"),
        ("<think>\nLet me see", "unfinished_thought"),
        ("<think>so</think> done", "no_code_block"),
    ],
)
def test_why_there_is_no_program(response, problem):
    assert extract(response) == Extraction(None, problem)


@given(st.text(alphabet="`~ \n\tpy#x\r'"), st.sampled_from(EXTRACTIONS))
def test_never_fails(response, which):
    extraction = extract(response, which)
    assert extraction.problem if extraction.code is None else extraction.code.strip()


def test_long_hostile_responses_are_read():
    for part in ("```", "```\n", "``` \n", "`", " ", "\n", "```x\n"):
        extract(part * (1_000_000 // len(part)))
