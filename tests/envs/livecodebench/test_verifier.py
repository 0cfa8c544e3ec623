import json

import pytest

from envs.livecodebench.rows import parse_row
from envs.livecodebench.tasks import Posing, make_task
from envs.livecodebench.verifier import LiveCodeBenchVerifier
from sdpo_gym import Task, TaskList, TextEnv
from sdpo_gym.sandbox import RunResult, SandboxError


@pytest.fixture
def verify(make_row, fenced):
    """Judges a function `add`, or a program that adds."""

    def verify(code, *, stdin=False, visible_fraction=0.5, split="test", **options):
        posing = Posing(visible_fraction=visible_fraction, split=split)
        task = make_task(parse_row(make_row(None if stdin else "add")), posing)
        return LiveCodeBenchVerifier(**options).verify(task, fenced(code))

    return verify


@pytest.mark.parametrize(
    "code",
    [
        "print(sum(map(int, input().split())))",
        "print(sum(map(int, input().split())))\nimport sys\nsys.exit(1)",
        "print(sum(map(int, input().split())))\nquit()",
        "if '__main__' == __name__:\n    print(sum(map(int, input().split())))\nx = 1",
        "import sys\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))",
        "import sys\nread = sys.stdin.buffer.readline\nprint(sum(map(int, read().split())), read().decode())",
        "print(sum(map(int, open(0).read().split())))",
        "import os\nos.write(1, str(sum(map(int, os.read(0, 99).split()))).encode())",
        "try:\n    while True:\n        print(sum(map(int, input().split())))\nexcept EOFError:\n    pass",
        "from __future__ import annotations\nglobal n\nn = [int(x) for x in input().split()]\nprint(sum(n))",
        "def depth(n):\n    return n and 1 + depth(n - 1)\ndepth(20000)\nprint(reduce(add, map(int, input().split())))",
    ],
)
def test_programs_that_are_right(verify, code):
    verdict = verify(code, stdin=True)
    assert (verdict.reward, verdict.feedback) == (1.0, "")


@pytest.mark.parametrize(
    "code",
    [
        "def add(a, b):\n    return a + b",
        "class Solution:\n    def add(self, a, b):\n        return a + b",
        "class Solution:\n    def add(self, a: List[int], b: Optional[int]) -> int:\n        return float(a + b)",
        "cache = []\ndef add(a, b):\n    cache.append(a + b)\n    return cache[0]",
    ],
)
def test_functions_that_are_right(verify, code):
    verdict = verify(code)
    assert (verdict.reward, verdict.success) == (1.0, True)
    assert verdict.metrics["solved"] == verdict.metrics["tests_passed_fraction"] == 1.0
    assert verdict.metrics["hidden_passed_fraction"] == 1.0


@pytest.mark.parametrize(
    "code",
    [
        "class Any:\n    __eq__ = lambda self, other: True\ndef add(a, b):\n    return Any()",
        "class Int(int):\n    pass\ndef add(a, b):\n    return Int(a + b)",
        "class Int(int):\n    __eq__ = lambda self, other: True\ndef add(a, b):\n    return Int()",
        "def add(a, b):\n    yield a + b",
        "def add(a, b):\n    print(a + b)",
        "import os\ndef add(a, b):\n    os._exit(0)",
        "import sys\nsys.exit(0)",
    ],
)
def test_functions_that_do_not_return_the_sum(verify, code):
    verdict = verify(code)
    assert (verdict.reward, verdict.metrics["tests_passed_fraction"]) == (0.0, 0.0)
    assert verdict.feedback


HARD_CODED = "def add(a, b):\n    return a + b if (a, b) == (1, 2) else 0"


def test_metrics_tell_visible_from_hidden(verify):
    verdict = verify(HARD_CODED, visible_fraction=0.0)
    assert verdict.metrics == {
        "solved": 0.0,
        "tests_passed_fraction": 0.2,
        "visible_passed_fraction": 1.0,
        "hidden_passed_fraction": 0.0,
        "tests_total": 5.0,
        "no_code": 0.0,
        "syntax_error": 0.0,
        "runtime_error": 0.0,
        "timeout": 0.0,
        "memory": 0.0,
    }
    assert verdict.feedback == "All visible tests pass. Hidden tests that fail: 4 of 4."


def test_only_visible_tests_count_in_split_train(verify):
    verdict = verify(HARD_CODED, visible_fraction=0.0, split="train")
    assert (verdict.reward, verdict.success, verdict.feedback) == (1.0, True, "")
    assert (
        verdict.metrics["solved"] == verdict.metrics["visible_passed_fraction"] == verdict.metrics["tests_total"] == 1
    )
    assert "hidden_passed_fraction" not in verdict.metrics


@pytest.mark.parametrize(("reward", "value"), [("binary", 0.0), ("dense", 0.2)])
def test_reward_of_a_program_that_passes_some_tests(verify, reward, value):
    verdict = verify(HARD_CODED, reward=reward)
    assert (verdict.reward, verdict.success) == (value, False)
    assert (verdict.metrics["solved"], verdict.metrics["tests_passed_fraction"]) == (0.0, 0.2)
    assert verify("def add(a, b): return a + b", reward=reward).reward == 1.0


def test_reward_without_code_is_zero(make_row):
    task = make_task(parse_row(make_row()))
    for reward in ("binary", "dense"):
        assert LiveCodeBenchVerifier(reward=reward).verify(task, "no code").reward == 0.0


@pytest.mark.parametrize(("extraction", "reward"), [("last", 0.0), ("longest", 1.0)])
def test_extraction(make_row, fenced, extraction, reward):
    response = fenced("def add(a, b):\n    return a + b") + fenced("add(1, 2)")
    verdict = LiveCodeBenchVerifier(extraction=extraction).verify(make_task(parse_row(make_row())), response)
    assert verdict.reward == reward


WRONG = "def add(a, b):\n    return 77770000 + a"


@pytest.mark.parametrize(
    ("level", "beginning"),
    [("none", ""), ("verdict", "Wrong Answer"), ("standard", "Wrong Answer in Test"), ("full", "Wrong Answer in Test")],
)
def test_levels_of_feedback(verify, level, beginning):
    verdict = verify(WRONG, feedback=level)
    assert verdict.feedback.startswith(beginning)
    assert bool(verdict.feedback) == bool(verdict.feedback_items) == (level != "none")
    assert ("Input:" in verdict.feedback) == (level in ("standard", "full"))
    assert verdict.feedback.count("Wrong Answer") == {"none": 0, "verdict": 1, "standard": 2, "full": 3}[level]
    assert ("Tests that pass: 0 of 3 visible ones, 0 of 2 hidden ones." in verdict.feedback) == (level == "full")


def test_wrong_output_is_quoted_only_on_request(verify):
    for level in ("standard", "full"):
        assert "7777" not in verify(WRONG, feedback=level).feedback
        assert "7777" not in str(verify(WRONG, feedback=level).feedback_items)
        assert "Output:\n7777" in verify(WRONG, feedback=level, echo_response=True).feedback


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        ("```python\ndef add(a, b):\n    return a + b +", "The code block is not closed"),
        ("```python\ndef add(a, b):\n    return 1\n```\nor\n```python\ndef ad", "an earlier block was judged"),
        ("```python\n", "The response ends where the code should begin"),
        ("<think>Let me see", "The response ends before its thinking does"),
    ],
)
def test_cut_off_responses_have_feedback_of_their_own(make_row, response, sentence):
    verdict = LiveCodeBenchVerifier().verify(make_task(parse_row(make_row())), response)
    assert verdict.reward == 0.0
    assert sentence in verdict.feedback


def test_an_unclosed_block_may_still_be_right(make_row):
    task = make_task(parse_row(make_row()))
    verdict = LiveCodeBenchVerifier().verify(task, "```python\ndef add(a, b):\n    return a + b\n")
    assert (verdict.reward, verdict.feedback) == (1.0, "")


@pytest.mark.parametrize(
    ("code", "flag"),
    [
        ("", "no_code"),
        ("def add(a, b)", "syntax_error"),
        ("def add(a, b):\n    return 1 // 0", "runtime_error"),
        ("def add(a, b):\n    return [0] * 10**10", "memory"),
        ("while True: pass", "timeout"),
    ],
)
def test_flags(verify, code, flag):
    verdict = verify(code, time_limit=0.5)
    assert {name for name, value in verdict.metrics.items() if value} == {flag, "tests_total"}
    assert [item["visibility"] for item in verdict.feedback_items] == ["visible"]


def test_hidden_inputs_do_not_come_out_through_an_error_message(verify):
    leak = "    raise ValueError(f'{a} {b}')"
    shown = verify(f"def add(a, b):\n{leak}").feedback
    assert "1 2" in shown
    hidden = verify(f"def add(a, b):\n    if a == 1: return 3\n{leak}", visible_fraction=0.0).feedback
    assert hidden == "All visible tests pass. Hidden tests that fail: 4 of 4."


class FakeSandbox:
    """Answers as told, and remembers what it was asked."""

    workers = 2

    def __init__(self, answer):
        self.answer = answer
        self.inputs = []

    def run(self, program, inputs, limits, *, stop=None, accept=None):
        self.limits = limits
        results = []
        for index, text in enumerate(inputs):
            self.inputs.append(text)
            results.append(self.answer(text))
            if stop(index, results[-1]):
                break
        return results


def _lose(text):
    raise SandboxError("the worker is gone")


def test_a_lost_sandbox_is_no_wrong_answer(make_row, fenced):
    task = make_task(parse_row(make_row()))
    verifier = LiveCodeBenchVerifier(FakeSandbox(_lose))
    response = fenced("def add(a, b): return a + b")
    with pytest.raises(SandboxError, match="the worker is gone"):
        verifier.verify(task, response)
    with pytest.raises(SandboxError, match="the worker is gone"):
        verifier.verify_many([task] * 5, [response] * 5)
    env = TextEnv(TaskList([task]), verifier)
    env.reset()
    with pytest.raises(SandboxError, match="the worker is gone"):
        env.step(response)


def test_visible_tests_run_first_and_time_is_saved(make_row, fenced):
    task = make_task(parse_row(make_row()), Posing(visible_fraction=0.5))
    visible = [test["input"] for test in task.answer_key["tests"] if test["visible"]]
    hidden = [test["input"] for test in task.answer_key["tests"] if not test["visible"]]
    assert (len(visible), len(hidden)) == (3, 2)

    def ran(answer, **options):
        sandbox = FakeSandbox(answer)
        verdict = LiveCodeBenchVerifier(sandbox, **options).verify(task, fenced("x"))
        assert verdict.reward == 0.0
        return sandbox.inputs

    assert ran(lambda text: RunResult("ok", value=0)) == visible + hidden
    assert ran(lambda text: RunResult("syntax_error")) == visible[:1]
    assert ran(lambda text: RunResult("timeout")) == visible[:2]
    assert ran(lambda text: RunResult("timeout" if text in visible[:1] else "exception")) == visible + hidden
    for most in (1, 2, 3, 4):
        assert ran(lambda text: RunResult("ok", value=0), max_failures=most) == (visible + hidden)[:most]
    assert ran(lambda text: RunResult("ok", value=0), max_failures=9) == visible + hidden


def test_all_tests_together_may_take_what_each_may_and_a_little_more(make_row, fenced):
    sandbox = FakeSandbox(lambda text: RunResult("ok", value=0))
    verdict = LiveCodeBenchVerifier(sandbox, time_limit=2).verify(make_task(parse_row(make_row())), fenced("x"))
    assert verdict.metrics["tests_total"] == 5
    assert (sandbox.limits.cpu_seconds, sandbox.limits.total_wall_seconds) == (2, 5 * (2 + 1) + 5)


@pytest.mark.parametrize("status", ["ok", "timeout"])
def test_failures_are_counted_anew_where_runs_begin_anew(make_row, fenced, status):
    class Anew(FakeSandbox):
        def run(self, program, inputs, limits, **callbacks):
            super().run(program, inputs[:3], limits, **callbacks)
            return super().run(program, inputs, limits, **callbacks)

    task = make_task(parse_row(make_row()))
    inputs = [test["input"] for test in sorted(task.answer_key["tests"], key=lambda test: not test["visible"])]
    sandbox = Anew(lambda text: RunResult(status if text == inputs[1] else "ok", value=0))
    LiveCodeBenchVerifier(sandbox, max_failures=None if status == "timeout" else 4).verify(task, fenced("x"))
    assert sandbox.inputs == inputs[:3] + (inputs if status == "timeout" else inputs[:4])


@pytest.mark.parametrize("feedback", ["standard", "full"])
def test_what_is_left_out_after_a_failure_changes_no_reward(verify, feedback):
    wrong_once = [f"def add(a, b): return a + b + (a == {a})" for a in (1, 3, 50, 700, 9000)]
    for code in (
        "def add(a, b): return a + b",
        "def add(a, b): return a - b",
        "def add(a, b): return 1 / 0",
        *wrong_once,
    ):
        whole, short = (verify(code, feedback=feedback, max_failures=most) for most in (None, 1))
        assert (whole.reward, whole.success) == (short.reward, short.success)
        kinds, fewer_kinds = ([item["kind"] for item in verdict.feedback_items] for verdict in (whole, short))
        assert kinds[:1] == fewer_kinds[:1]
        assert short.metrics["tests_passed_fraction"] <= whole.metrics["tests_passed_fraction"]
        assert short.metrics["tests_total"] == whole.metrics["tests_total"]


def test_hidden_tests_that_are_left_out_are_not_said_to_fail(verify):
    wrong_where_hidden = "def add(a, b): return a + b + (a == {})"
    texts = [verify(wrong_where_hidden.format(a), max_failures=1).feedback for a in (1, 3, 50, 700, 9000)]
    hidden = sorted(text for text in texts if "Hidden" in text)
    passed = "All visible tests pass. Hidden tests that fail: 1 of 2"
    assert hidden == [f"{passed}.", f"{passed}; 1 not run."]


def test_many_in_order(make_row, fenced):
    task = make_task(parse_row(make_row()))
    codes = [f"def add(a, b): return a + b + {i % 2}" for i in range(6)]
    verdicts = LiveCodeBenchVerifier().verify_many([task] * 6, [fenced(code) for code in codes])
    assert [verdict.reward for verdict in verdicts] == [1.0, 0.0] * 3


def test_misuse(make_row):
    for time_limit in (0, -1, float("nan"), float("inf"), "6", True):
        with pytest.raises(ValueError, match="time_limit must be"):
            LiveCodeBenchVerifier(time_limit=time_limit)
    for name, value in [("reward", "sparse"), ("extraction", "first"), ("feedback", None), ("echo_response", "no")]:
        with pytest.raises(ValueError, match=rf"{name} must be one of \["):
            LiveCodeBenchVerifier(**{name: value})
    for sandbox in ("banana", None, 5):
        with pytest.raises(ValueError, match=f"unknown kind of sandbox {sandbox!r}"):
            LiveCodeBenchVerifier(sandbox)
    for max_failures in (0, -1, 1.0, True, "1"):
        with pytest.raises(ValueError, match="max_failures must be None or a whole number of at least 1"):
            LiveCodeBenchVerifier(max_failures=max_failures)
    with pytest.raises(ValueError, match="reward='dense' needs the outcomes of all tests; leave max_failures out"):
        LiveCodeBenchVerifier(max_failures=1, reward="dense")
    for memory_mb in (63, 1e3, True, None):
        with pytest.raises(ValueError, match="memory_mb must be a whole number of at least 64"):
            LiveCodeBenchVerifier(memory_mb=memory_mb)
    task = make_task(parse_row(make_row()))
    with pytest.raises(ValueError, match="1 tasks cannot be paired with 2 responses"):
        LiveCodeBenchVerifier().verify_many([task], ["", ""])
    empty = Task("empty", task.messages, answer_key={"entry_point": None, "tests": []})
    with pytest.raises(ValueError, match="'empty' has no tests"):
        LiveCodeBenchVerifier().verify(empty, "")


@pytest.mark.parametrize("echo_response", [False, True])
def test_integers_of_many_digits(make_row, fenced, echo_response):
    lines = [f"1{'0' * 4_400}", f"-1{'0' * 49_998}"]
    tests = [{"input": f"{line}\n[{line}]", "output": f"[{line[:-1]}1, 7]", "testtype": "functional"} for line in lines]
    task = make_task(parse_row(make_row(public_test_cases=json.dumps(tests), private_test_cases="[]")))
    verifier = LiveCodeBenchVerifier(echo_response=echo_response)
    right = "def add(a, b):\n    assert b == [a] and len(str(a)) > 4_300\n    return a + (1 if a > 0 else -1), 7"
    assert verifier.verify(task, fenced(right)).reward == 1.0
    verdict = verifier.verify(task, fenced(right.replace("7", "8")))
    assert verdict.metrics["tests_passed_fraction"] == 0.0
    assert "Expected:\n(a value too large to be shown)" in verdict.feedback
    said = "Output:\n(a value too large" if echo_response else "The returned list is wrong at index 1."
    assert said in verdict.feedback


def test_a_long_expected_output_can_be_printed(make_row, fenced):
    tests = json.dumps([{"input": "", "output": "x" * 1_500_000, "testtype": "stdin"}])
    task = make_task(parse_row(make_row(None, public_test_cases=tests, private_test_cases="[]")))
    for size, reward in ((1_500_000, 1.0), (1_500_001, 0.0)):
        assert LiveCodeBenchVerifier().verify(task, fenced(f"print('x' * {size})")).reward == reward


def test_a_syntax_error_is_named_where_no_test_is_visible(make_row, fenced):
    task = make_task(parse_row(make_row()), Posing(private_only=True, visible_fraction=0))
    assert LiveCodeBenchVerifier().verify(task, fenced("def add(a, b:")).feedback == "Syntax Error"
    wrong = LiveCodeBenchVerifier().verify(task, fenced("def add(a, b): return 0"))
    assert wrong.feedback == "Hidden tests that fail: 4 of 4."
