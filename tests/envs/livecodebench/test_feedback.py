import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.livecodebench.feedback import MAX_CHARS, clip, describe_format, describe_outcomes, render
from envs.livecodebench.judge import Outcome
from envs.livecodebench.rows import Test as Case
from sdpo_gym.sandbox import OPAQUE, ExceptionInfo, Frame, RunResult

SOURCE = "def f(x):\n    return g(x)\n\ndef g(x):\n    return 1 // x\n"


def outcome(result, *, text="5", expected="1", visible=True, passed=False):
    return Outcome(Case(text, expected, visible), result, passed)


def describe(outcomes, functional=True, cut_off=False, source=SOURCE):
    return describe_outcomes(outcomes, source, functional=functional, cut_off=cut_off)


def feedback(*outcomes, **options):
    return render(describe(outcomes, **options))


def error(kind="ZeroDivisionError", message="division by zero", lines=((2, "f"), (5, "g"))):
    return RunResult("exception", exception=ExceptionInfo(kind, message, tuple(Frame(*line) for line in lines)))


PASSED = outcome(RunResult("ok", value=1), passed=True)
WRONG = outcome(RunResult("ok", value=2))


def test_success_says_nothing():
    assert describe([PASSED]) == ()
    assert feedback(PASSED, PASSED) == ""


def test_runtime_error_goes_before_all_else():
    text = feedback(WRONG, outcome(RunResult("timeout")), outcome(error(), text="0"), outcome(error("KeyError", "7")))
    assert text == (
        "Runtime Error\nZeroDivisionError: division by zero\n\n"
        "Line 2, in f\n    return g(x)\nLine 5, in g\n    return 1 // x\n\n"
        "Last executed input:\n0"
    )


def test_only_the_innermost_frames_are_shown():
    text = feedback(outcome(error("RecursionError", "", [(1, "a"), (2, "b"), (3, "c"), (4, "d")])))
    assert (
        "RecursionError\n\n… (outer frames left out)\nLine 2, in b\n    return g(x)\nLine 3, in c\nLine 4, in d" in text
    )


def test_frames_that_a_program_made_up():
    text = feedback(outcome(error(lines=[(-3, "a\nb"), (0, "x"), (10**9, "y")])))
    assert "Line 1000000000, in y\n\nLast" in text


def test_syntax_error_has_no_input():
    result = RunResult(
        "syntax_error", exception=ExceptionInfo("SyntaxError", "invalid syntax", (Frame(2, "<module>"),))
    )
    text = feedback(outcome(result), outcome(RunResult("not_run")), source="x = 1\ny = (\n")
    assert text == "Syntax Error\nSyntaxError: invalid syntax\n\nLine 2, in <module>\n    y = ("
    assert "may have been cut off" in feedback(outcome(result), cut_off=True)


@pytest.mark.parametrize(
    ("result", "title"),
    [
        (RunResult("timeout"), "Time Limit Exceeded"),
        (RunResult("memory"), "Memory Limit Exceeded"),
        (RunResult("output_limit"), "Output Limit Exceeded"),
        (RunResult("crashed", signal=11), "Crash: SIGSEGV"),
        (RunResult("crashed", signal=99), "Crash: signal 99"),
        (RunResult("no_result"), "The Program Ended Without a Result"),
    ],
)
def test_other_failures_show_the_input(result, title):
    assert feedback(WRONG, outcome(result, text="")) == f"{title}\n\nLast executed input:\n(empty)"


def test_all_tests_together_took_too_long():
    text = feedback(PASSED, outcome(RunResult("not_run")))
    assert text == "Time Limit Exceeded by All Tests Together\n\nInput of a test that was not run:\n5"


def test_the_two_shortest_wrong_answers():
    wrong = [outcome(RunResult("ok", stdout="no\n"), text="x" * length, expected="yes\n") for length in (9, 2, 5, 1)]
    text = feedback(PASSED, *wrong, functional=False)
    assert text == (
        "Wrong Answer in Test 5\n\nInput:\nx\n\nOutput:\nno\n\nExpected:\nyes\n\n"
        "Wrong Answer in Test 3\n\nInput:\nxx\n\nOutput:\nno\n\nExpected:\nyes"
    )


def test_values_are_shown_as_python_shows_them():
    text = feedback(outcome(RunResult("ok", value=(True, "a")), text='"a b"\nnull', expected='[true, "b", null]'))
    assert 'Input:\n"a b"\nnull\n' in text
    assert "Output:\n(True, 'a')\n" in text
    assert "Expected:\n[True, 'b', None]" in text
    assert "not plain data" in feedback(outcome(RunResult("ok", value=OPAQUE)))
    assert "too large to be shown" in feedback(outcome(RunResult("ok", value=10**50_000)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b", 2, "a", ("c",)}, "{'a', 'b', ('c',), 2}"),
        ([{"x": [{"b", "a"}]}, set(), (), (1, 2.5), None], "[{'x': [{'a', 'b'}]}, set(), (), (1, 2.5), None]"),
    ],
)
def test_sets_are_sorted(value, text):
    assert f"Output:\n{text}\n" in feedback(outcome(RunResult("ok", value=value)))


@given(st.recursive(st.integers() | st.text() | st.floats(), lambda x: st.lists(x) | st.tuples(x) | st.tuples(x, x)))
def test_other_values_are_shown_by_repr(value):
    assert f"Output:\n{clip(repr(value).rstrip(), 250)}\n" in feedback(outcome(RunResult("ok", value=value)))


def test_cuts_are_marked():
    lines = outcome(RunResult("ok", stdout="o" * 300), text="\n".join("x" * 260 for _ in range(20)), expected="e" * 251)
    text = feedback(lines, functional=False)
    assert "x" * 250 + "… (10 more characters)\n" in text
    assert "… (12 more lines)" in text
    assert "o" * 250 + "… (50 more characters)" in text
    assert "e" * 250 + "… (1 more characters)" in text
    assert clip("abc", 3) == "abc"
    assert clip("a\ud800", 9) == "a?"


def test_hidden_failures_are_counted_only():
    hidden = [outcome(result, text="SECRET", visible=False) for result in (error(), RunResult("timeout"))]
    other = outcome(RunResult("ok", value=1), visible=False, passed=True)
    assert feedback(PASSED, *hidden, other) == "All visible tests pass. Hidden tests that fail: 2 of 3."
    assert feedback(*hidden, other) == "Hidden tests that fail: 2 of 3."
    assert describe([PASSED, *hidden])[0]["visibility"] == "hidden"


@pytest.mark.parametrize(
    ("response", "beginning"),
    [
        ("", "The response is empty."),
        (" \n", "The response is empty."),
        ("print(1)", "The response has no fenced code block."),
        ("``` \n\n```", "The code block is empty."),
        ("Well:\n```python\n", "The response ends where the code should begin."),
    ],
)
def test_what_is_wrong_with_the_format(response, beginning):
    text = render(describe_format(response))
    assert text.startswith(beginning)
    assert text.endswith("```python\n# your code\n```")


long_text = st.text(max_size=50) | st.builds(lambda text, n: text * n, st.text(max_size=9), st.integers(0, 2000))
frames = st.lists(st.builds(Frame, st.integers(-3, 9), st.text(max_size=100)), max_size=9).map(tuple)
values = st.none() | st.integers() | long_text | st.tuples(long_text) | st.just(OPAQUE)
statuses = ["ok", "exception", "syntax_error", "timeout", "memory", "output_limit", "crashed", "no_result", "not_run"]
results = st.builds(
    RunResult,
    st.sampled_from(statuses),
    stdout=long_text,
    value=values,
    exception=st.none() | st.builds(ExceptionInfo, st.text(max_size=100), st.text(max_size=1000), frames),
    signal=st.integers(0, 99),
)
failures = st.lists(
    st.builds(outcome, results, text=long_text, expected=long_text.map(json.dumps)), min_size=1, max_size=4
)


@given(failures, st.booleans(), st.booleans(), long_text)
def test_feedback_is_short_and_can_be_encoded(outcomes, functional, cut_off, source):
    items = describe(outcomes, functional, cut_off, source)
    text = render(items)
    assert 0 < len(text) <= MAX_CHARS
    text.encode()
    json.dumps(items).encode()


SECRET = "☃secret☃"


def secretly(result):
    """The same outcome of a hidden test, with a secret in all of its texts."""
    info = result.exception and ExceptionInfo(SECRET, SECRET, (Frame(1, SECRET),))
    secret = RunResult(result.status, stdout=SECRET, value=SECRET, exception=info, signal=result.signal)
    return outcome(secret, text=SECRET, expected=json.dumps(SECRET), visible=False)


@given(st.lists(st.builds(secretly, results), min_size=1, max_size=4), failures | st.just([PASSED]), st.booleans())
def test_feedback_never_quotes_hidden_tests(hidden, visible, functional):
    items = describe([*visible, *hidden], functional)
    assert SECRET not in render(items)
    assert SECRET not in json.dumps(items, ensure_ascii=False)
