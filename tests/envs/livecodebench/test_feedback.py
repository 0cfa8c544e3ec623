import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.livecodebench.excerpts import clip
from envs.livecodebench.feedback import LEVELS, describe_format, describe_outcomes
from envs.livecodebench.judge import Outcome, judge
from envs.livecodebench.rows import Test as Case
from envs.livecodebench.wording import render
from sdpo_gym.sandbox import OPAQUE, ExceptionInfo, Frame, RunResult

SOURCE = "def f(x):\n    return g(x)\n\ndef g(x):\n    return 1 // x\n"


def outcome(result, *, text="5", expected="1", visible=True, passed=False):
    return Outcome(Case(text, expected, visible), result, passed)


def describe(outcomes, functional=True, source=SOURCE, level="standard", **options):
    return describe_outcomes(outcomes, source, functional=functional, level=LEVELS[level], **options)


def feedback(*outcomes, level="standard", **options):
    return render(describe(outcomes, level=level, **options), LEVELS[level])


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
    cut_off = feedback(outcome(result), source="x = 1\ny = (\n", problem="unclosed")
    assert cut_off.startswith("The code block is not closed, so the response may have been cut off.")
    assert cut_off.endswith("\n\n" + text)


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
        "Wrong Answer in Test 5\n\nInput:\nx\n\nExpected:\nyes\n\nThe output is wrong.\n\n"
        "Wrong Answer in Test 3\n\nInput:\nxx\n\nExpected:\nyes\n\nThe output is wrong."
    )
    text = feedback(PASSED, *wrong, functional=False, echo_response=True)
    assert text == (
        "Wrong Answer in Test 5\n\nInput:\nx\n\nOutput:\nno\n\nExpected:\nyes\n\n"
        "Wrong Answer in Test 3\n\nInput:\nxx\n\nOutput:\nno\n\nExpected:\nyes"
    )


def test_the_size_of_a_wrong_answer_is_that_of_input_output_and_expected_output_as_they_are_shown():
    sizes = [(300, 1, 1), (1, 200, 1), (1, 1, 100), (1, 5000, 1), (1500, 1, 1), (1, 1, 4000)]
    wrong = [
        outcome(RunResult("ok", stdout="o" * output), text="i" * text, expected="e" * expected)
        for text, output, expected in sizes
    ]
    items = describe(wrong, functional=False, level="full")
    assert [item["test"] for item in items if item["kind"] == "wrong_answer"] == [3, 2, 1, 4, 6]


ECHO = {"echo_response": True}


def test_values_are_shown_as_python_shows_them():
    text = feedback(
        outcome(RunResult("ok", value=(True, "a")), text='"a b"\nnull', expected='[true, "b", null]'), **ECHO
    )
    assert 'Input:\n"a b"\nnull\n' in text
    assert "Output:\n(True, 'a')\n" in text
    assert "Expected:\n[True, 'b', None]" in text
    assert "not plain data" in feedback(outcome(RunResult("ok", value=OPAQUE)), **ECHO)
    assert "too large to be shown" in feedback(outcome(RunResult("ok", value=10**50_000)), **ECHO)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b", 2, "a", ("c",)}, "{'a', 'b', ('c',), 2}"),
        ([{"x": [{"b", "a"}]}, set(), (), (1, 2.5), None], "[{'x': [{'a', 'b'}]}, set(), (), (1, 2.5), None]"),
    ],
)
def test_sets_are_sorted(value, text):
    assert f"Output:\n{text}\n" in feedback(outcome(RunResult("ok", value=value)), **ECHO)


@given(st.recursive(st.integers() | st.text() | st.floats(), lambda x: st.lists(x) | st.tuples(x) | st.tuples(x, x)))
def test_other_values_are_shown_by_repr(value):
    assert f"Output:\n{clip(repr(value).rstrip(), 250)}\n" in feedback(outcome(RunResult("ok", value=value)), **ECHO)


def test_cuts_are_marked():
    lines = outcome(RunResult("ok", stdout="o" * 300), text="\n".join("x" * 260 for _ in range(20)), expected="e" * 251)
    text = feedback(lines, functional=False, **ECHO)
    assert "x" * 250 + "… (10 more characters)\n" in text
    assert "… (12 more lines)" in text
    assert "more lines" not in feedback(outcome(RunResult("ok"), text="1\n" * 8), functional=False)
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


@pytest.mark.parametrize("level", ["verdict", "standard", "full"])
def test_a_syntax_error_is_named_where_no_test_is_visible(level):
    forged = ExceptionInfo("SyntaxError", "SECRET", (Frame(2, "SECRET"),))
    hidden = [outcome(RunResult("syntax_error", exception=forged), visible=False)]
    hidden.append(outcome(RunResult("not_run"), visible=False))
    assert feedback(*hidden, level=level) == "Syntax Error"
    unclosed = feedback(*hidden, level=level, problem="unclosed")
    assert unclosed.endswith("Syntax Error") and ("not closed" in unclosed) == (level != "verdict")


def test_full_feedback_tells_every_kind_and_the_counts():
    wrong = [outcome(RunResult("ok", value=2), text="5" * n) for n in range(1, 8)]
    hidden = [outcome(RunResult("ok", value=2), text="SECRET", visible=False), PASSED]
    late = [outcome(RunResult("timeout")), outcome(RunResult("not_run"))]
    text = feedback(*late, outcome(error()), outcome(error("KeyError")), *wrong, *hidden, level="full")
    assert text.startswith("Runtime Error\nZeroDivisionError")
    assert "KeyError" not in text and "All Tests Together" not in text and "SECRET" not in text
    assert text.count("Time Limit Exceeded") == 1
    assert text.count("Wrong Answer") == 5 and "Input:\n55555\n" in text and "Input:\n555555\n" not in text
    assert text.endswith("Tests that pass: 1 of 12 visible ones, 0 of 1 hidden ones.")


@pytest.mark.parametrize(
    ("result", "text"),
    [(error(), "Runtime Error"), (RunResult("timeout"), "Time Limit Exceeded"), (RunResult("ok"), "Wrong Answer")],
)
def test_a_verdict_names_the_kind_only(result, text):
    assert feedback(outcome(result), WRONG, level="verdict", problem="unclosed") == text
    items = describe([outcome(result), WRONG], level="verdict")
    assert [set(item) for item in items] == [{"kind", "visibility"}]
    assert feedback(PASSED, level="verdict") == ""


def test_a_verdict_on_hidden_tests():
    assert feedback(PASSED, outcome(error(), visible=False), level="verdict") == "Hidden tests fail."


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ("empty", "The response is empty."),
        ("no_code_block", "The response has no fenced code block."),
        ("empty_code_block", "The code block is empty."),
        ("cut_off", "The response ends where the code should begin. Give a shorter answer."),
        ("unfinished_thought", "The response ends before its thinking does. Think less, so that the answer fits."),
    ],
)
def test_what_is_wrong_with_the_format(problem, sentence):
    text = render(describe_format(problem))
    assert text.startswith(sentence)
    assert text.endswith("```python\n# your code\n```")
    assert render(describe_format(problem), LEVELS["verdict"]) == sentence


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


levels = st.sampled_from(["verdict", "standard", "full"])
form_problems = st.sampled_from(["", "unclosed", "later_unclosed"])


@given(failures, st.booleans(), long_text, levels, st.booleans(), form_problems)
def test_feedback_is_short_and_can_be_encoded(outcomes, functional, source, level, echo, problem):
    items = describe(outcomes, functional, source, level, echo_response=echo, problem=problem)
    text = render(items, LEVELS[level])
    assert 0 < len(text) <= LEVELS[level].max_chars
    text.encode()
    json.dumps(items).encode()


SECRET = "☃secret☃"


def secretly(result):
    """The same outcome of a hidden test, with a secret in all of its texts."""
    info = result.exception and ExceptionInfo(SECRET, SECRET, (Frame(1, SECRET),))
    secret = RunResult(result.status, stdout=SECRET, value=SECRET, exception=info, signal=result.signal)
    return outcome(secret, text=SECRET, expected=json.dumps(SECRET), visible=False)


@given(
    st.lists(st.builds(secretly, results), min_size=1, max_size=4),
    failures | st.just([PASSED]),
    st.booleans(),
    levels,
    st.booleans(),
)
def test_feedback_never_quotes_hidden_tests(hidden, visible, functional, level, echo):
    items = describe([*visible, *hidden], functional, level=level, echo_response=echo)
    assert SECRET not in render(items, LEVELS[level])
    assert SECRET not in json.dumps(items, ensure_ascii=False)


def windows(text, length=8):
    return {text[i : i + length] for i in range(len(text) - length + 1)}


answers = st.text("01 ab\n", min_size=8, max_size=40)


@st.composite
def judged_tests(draw):
    """Outcomes of a program that prints right or wrong answers, or fails, on visible and hidden tests."""
    outcomes = []
    for visible in draw(st.lists(st.booleans(), min_size=1, max_size=6)):
        test = Case(draw(answers), draw(answers), visible)
        result = draw(
            st.just(RunResult("ok", stdout=test.output)) | st.builds(RunResult, st.just("ok"), answers) | results
        )
        outcomes.append(judge(test, result, functional=False))
    return outcomes


@given(judged_tests(), levels, st.booleans())
def test_no_part_of_a_hidden_answer_is_in_the_feedback(outcomes, level, echo):
    text = feedback(*outcomes, functional=False, level=level, echo_response=echo)
    known = [SOURCE]
    for item in outcomes:
        if item.test.visible:
            known += [item.test.input, item.test.output]
        said = item.result.exception
        known += [item.result.stdout, said.message if said else "", said.type if said else ""]
    allowed = set().union(*map(windows, known))
    for item in outcomes:
        if not item.test.visible:
            leaked = (windows(item.test.output) | windows(item.test.input)) & windows(text) - allowed
            assert not leaked
