"""Judges a response by running its program on the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from envs.arguments import check_choice
from envs.livecodebench.extraction import EXTRACTIONS, extract
from envs.livecodebench.feedback import LEVELS, Item, describe_format, describe_outcomes
from envs.livecodebench.judge import Outcome, judge
from envs.livecodebench.rows import Test
from envs.livecodebench.wording import render
from sdpo_gym.sandbox import Limits, Program, RunResult, Sandbox, shared_sandbox
from sdpo_gym.sandbox.factory import check_kind
from sdpo_gym.sandbox.protocol import MIN_MEMORY_MB
from sdpo_gym.tasks import Task, Verifier
from sdpo_gym.verdict import Verdict

MAX_TIMEOUTS = 2
MIN_OUTPUT_BYTES = 1 << 20

REWARDS = ("binary", "dense")


def make_answer_key(entry_point: str | None, tests: Sequence[Test]) -> dict[str, Any]:
    """What `LiveCodeBenchVerifier` expects as the answer key of a task."""
    return {"entry_point": entry_point, "tests": [asdict(test) for test in tests]}


class LiveCodeBenchVerifier(Verifier):
    """Judges a program by its task's tests, and says what is wrong with it.

    Visible tests are run first. The rest of the tests is not run, and counts as failed, after a syntax error, after the
    second test that exceeds its time limit, or after `max_failures` tests that fail. All tests together may take as
    long as if each took its time limit and one second more (and five in all); those not run by then count as failed,
    too.

    The metrics are `solved` (1.0 if all tests passed, else 0.0); the fractions of all, visible and hidden tests that
    passed, `tests_passed_fraction`, `visible_passed_fraction` and `hidden_passed_fraction`, of which the latter two are
    left out where the task has no such test; the number of tests, `tests_total`; and flags (0.0 or 1.0) for whether
    there was no code and whether any run ended in a syntax error, in a runtime error, at the time limit or at the
    memory limit.

    Args:
        sandbox: Runs the programs; it is given nothing but the source and the inputs, and is not closed by this object.
            A kind of sandbox (see `make_sandbox`): the one of this kind that the process shares, started when it is
            first needed.
        time_limit: CPU seconds for each test.
        memory_mb: Memory for each test.
        reward: `binary`, 1.0 if all tests pass, else 0.0; or `dense`, the fraction of tests that pass.
        max_failures: After how many tests that fail to run no more, as the verdict stands; None: run all. The fractions
            that passed are lower bounds then.
        extraction: Which fenced block is the program: the `last` or the `longest`.
        feedback: How much to say: `none`, `verdict`, `standard` or `full`.
        echo_response: Whether feedback quotes the wrong output of a program, or only says how it differs.
    """

    def __init__(
        self,
        sandbox: Sandbox | str = "auto",
        *,
        time_limit: float = 6.0,
        memory_mb: int = 1024,
        reward: str = "binary",
        max_failures: int | None = None,
        extraction: str = "last",
        feedback: str = "standard",
        echo_response: bool = False,
    ):
        if isinstance(time_limit, bool) or not isinstance(time_limit, (int, float)) or not 0 < time_limit < 3600:
            raise ValueError(f"time_limit must be a number of seconds above 0 and below 3600, not {time_limit!r}")
        if isinstance(memory_mb, bool) or not isinstance(memory_mb, int) or memory_mb < MIN_MEMORY_MB:
            raise ValueError(f"memory_mb must be a whole number of at least {MIN_MEMORY_MB}, not {memory_mb!r}")
        check_choice("reward", reward, REWARDS)
        check_choice("extraction", extraction, EXTRACTIONS)
        check_choice("feedback", feedback, tuple(LEVELS))
        check_choice("echo_response", echo_response, (False, True))
        if max_failures is not None:
            if isinstance(max_failures, bool) or not isinstance(max_failures, int) or max_failures < 1:
                raise ValueError(f"max_failures must be None or a whole number of at least 1, not {max_failures!r}")
            if reward == "dense":
                raise ValueError("reward='dense' needs the outcomes of all tests; leave max_failures out")
        if not hasattr(sandbox, "run"):
            check_kind(sandbox)
        self._sandbox = sandbox
        self.time_limit = time_limit
        self.memory_mb = memory_mb
        self.reward = reward
        self.max_failures = max_failures
        self.extraction = extraction
        self.feedback = feedback
        self.echo_response = echo_response

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox in use."""
        return shared_sandbox(self._sandbox) if isinstance(self._sandbox, str) else self._sandbox

    def verify(self, task: Task, response: str) -> Verdict:
        """Judge one response.

        Raises:
            SandboxError: the sandbox failed. This says nothing about the response.
            ValueError: the task has no tests.
        """
        tests = _tests(task)
        entry_point = task.answer_key["entry_point"]
        extraction = extract(response, self.extraction)
        if extraction.code is None:
            outcomes = [Outcome(test, RunResult("not_run"), passed=False) for test in tests]
        else:
            outcomes = self._run(extraction.code, entry_point, tests)
        items: tuple[Item, ...] = ()
        feedback = ""
        level = LEVELS[self.feedback]
        if level is not None:
            if extraction.code is None:
                items = describe_format(extraction.problem)
            else:
                items = describe_outcomes(
                    outcomes,
                    extraction.code,
                    functional=entry_point is not None,
                    level=level,
                    echo_response=self.echo_response,
                    problem=extraction.problem,
                )
            feedback = render(items, level)
        metrics = _metrics(outcomes, no_code=extraction.code is None)
        success = all(outcome.passed for outcome in outcomes)
        reward = metrics["tests_passed_fraction"] if self.reward == "dense" else float(success)
        return Verdict(reward, success, feedback, items, metrics)

    def verify_many(self, tasks: Sequence[Task], responses: Sequence[str]) -> list[Verdict]:
        """Judge responses to tasks, pairwise, as many at a time as the sandbox has workers.

        Raises:
            SandboxError: the sandbox failed. This says nothing about the responses.
            ValueError: there are more tasks than responses or the reverse, or a task has no tests.
        """
        if len(tasks) != len(responses):
            raise ValueError(f"{len(tasks)} tasks cannot be paired with {len(responses)} responses")
        with ThreadPoolExecutor(self.sandbox.workers) as pool:
            return list(pool.map(self.verify, tasks, responses))

    def prepare(self) -> None:
        """Start the sandbox.

        Raises:
            SandboxError: it cannot be started, or reached.
        """
        _ = self.sandbox.isolation  # to know it takes a worker

    def _run(self, source: str, entry_point: str | None, tests: Sequence[Test]) -> list[Outcome]:
        functional = entry_point is not None
        program = Program(source, "function" if functional else "stdin", entry_point)
        limits = Limits(
            cpu_seconds=self.time_limit,
            total_wall_seconds=(self.time_limit + 1) * len(tests) + 5,  # LiveCodeBench's own
            memory_mb=self.memory_mb,
            output_bytes=max(MIN_OUTPUT_BYTES, *(4 * len(test.output) for test in tests)),
        )
        judged: dict[int, Outcome] = {}
        failures = timeouts = 0

        def outcome(index: int, result: RunResult) -> Outcome:
            known = judged.get(index)
            if known is None or known.result is not result:
                known = judged[index] = judge(tests[index], result, functional=functional)
            return known

        def accept(index: int, result: RunResult) -> bool:
            return outcome(index, result).passed

        def stop(index: int, result: RunResult) -> bool:
            nonlocal failures, timeouts
            if index == 0:  # again, where the program does not bear that its tests share processes
                failures = timeouts = 0
            failures += not accept(index, result)
            timeouts += result.status == "timeout"
            return result.status == "syntax_error" or timeouts == MAX_TIMEOUTS or failures == self.max_failures

        results = self.sandbox.run(program, [test.input for test in tests], limits, stop=stop, accept=accept)
        results = results + [RunResult("not_run")] * (len(tests) - len(results))
        return [outcome(index, result) for index, result in enumerate(results)]


def _tests(task: Task) -> list[Test]:
    """The tests of a task, visible ones first."""
    key: Mapping[str, Any] = task.answer_key
    tests = [Test(**test) for test in key["tests"]]
    if not tests:
        raise ValueError(f"task {task.id!r} has no tests, so no response to it can be judged")
    return sorted(tests, key=lambda test: not test.visible)


def _metrics(outcomes: Sequence[Outcome], *, no_code: bool) -> dict[str, float]:
    passed = [outcome.passed for outcome in outcomes]
    visible = [outcome.passed for outcome in outcomes if outcome.test.visible]
    hidden = [outcome.passed for outcome in outcomes if not outcome.test.visible]
    statuses = {outcome.result.status for outcome in outcomes}
    metrics = {"solved": float(all(passed)), "tests_passed_fraction": sum(passed) / len(passed)}
    if visible:
        metrics["visible_passed_fraction"] = sum(visible) / len(visible)
    if hidden:
        metrics["hidden_passed_fraction"] = sum(hidden) / len(hidden)
    return metrics | {
        "tests_total": float(len(outcomes)),
        "no_code": float(no_code),
        "syntax_error": float("syntax_error" in statuses),
        "runtime_error": float("exception" in statuses),
        "timeout": float("timeout" in statuses),
        "memory": float("memory" in statuses),
    }
