"""Checks that a problem is sound: its tests tell right programs from wrong and slow ones, and nothing leaks.

Programs are judged by `LiveCodeBenchVerifier`, with a CPU limit of its own. A problem is in order if

* `solution.py` passes every test;
* an empty program fails every test;
* there are at least two programs `wrong_*.py` and `slow_*.py`;
* each `wrong_*.py` fails at least one private test;
* each `slow_*.py` fails a private test by exceeding its time, and passes all tests before it;
* every private test matters: at least one of these programs fails it;
* answers vary: the commonest one is expected by at most half of the tests, or by at most 60 % if there are only two
  different ones, so that a program that ignores its input gains little;
* no prompt contains a hidden test, that is, its input and after it its expected output, each as whole lines, or a call
  of the function with its arguments.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from envs.livecodebench.env import make_task
from envs.livecodebench.prompt import shows
from envs.livecodebench.rows import parse_row
from envs.livecodebench.sources import Source
from envs.livecodebench.verifier import LiveCodeBenchVerifier
from sdpo_gym.markdown import fenced
from sdpo_gym.tasks import Task

MAX_COMMONEST = 0.5
MAX_COMMONEST_OF_TWO = 0.6


def check(source: Source, row: Mapping[str, str], time_limit: float) -> list[str]:
    """Complaints about a problem; none if it is in order.

    Args:
        row: What `make_row` makes of the source.
        time_limit: CPU seconds for each test. The solution must keep to it, and the slow programs must not.

    Raises:
        SandboxError: the sandbox failed.
    """
    return [f"{source.slug}: {complaint}" for complaint in _complaints(source, row, time_limit)]


def _complaints(source: Source, row: Mapping[str, str], time_limit: float) -> Iterator[str]:
    tests = json.loads(row["public_test_cases"]) + json.loads(row["private_test_cases"])
    first_private = len(source.public)
    tasks = [_single_test_task(row, test) for test in tests]
    verifier = LiveCodeBenchVerifier(time_limit=time_limit)
    yield from _answers_vary(tests)
    yield from _leaks(source, row)

    all_tests = make_task(parse_row(row))
    verdict = verifier.verify(all_tests, fenced(source.solution))
    if not verdict.success:
        yield f"solution.py fails with {time_limit} s of CPU time for each test: {verdict.feedback}"
        return
    if verifier.verify(all_tests, fenced("pass")).metrics["tests_passed_fraction"] > 0:
        yield "an empty program passes a test; leave out the tests that expect no output"

    if len(source.wrong) + len(source.slow) < 2:
        yield "there must be at least two wrong_*.py and slow_*.py, which show what the tests can tell apart"
    mattering: set[int] = set()
    for name, program in {**source.wrong, **source.slow}.items():
        failed, mistakes = _run(verifier, tasks, program)
        if not any(index >= first_private for index in failed):
            yield f"{name} fails no private test"
        if name in source.slow and mistakes:
            yield f"{name} must only be slow, but is wrong on {tests[mistakes[0]]['input']!r:.100}"
        mattering.update(failed)
    for index in range(first_private, len(tests)):
        if index not in mattering:
            yield (
                f"no wrong_*.py or slow_*.py fails the private test {tests[index]['input']!r:.100}; drop it, or add "
                "the program with the mistake that it finds"
            )


def _run(verifier: LiveCodeBenchVerifier, tasks: list[Task], program: str) -> tuple[list[int], list[int]]:
    """Which tests a program fails, and which of them by a mistake rather than by time."""
    failed, mistakes = [], []
    for index, task in enumerate(tasks):
        verdict = verifier.verify(task, fenced(program))
        if not verdict.success:
            failed.append(index)
            if not verdict.metrics["timeout"]:
                mistakes.append(index)
            else:
                break  # more of them would only take time
    return failed, mistakes


def _single_test_task(row: Mapping[str, str], test: Mapping[str, str]) -> Task:
    return make_task(parse_row({**row, "public_test_cases": json.dumps([test]), "private_test_cases": "[]"}))


def _answers_vary(tests: list[Mapping[str, str]]) -> Iterator[str]:
    counts = Counter(test["output"].strip() for test in tests)
    (answer, count), *_ = counts.most_common(1)
    if count > len(tests) * (MAX_COMMONEST_OF_TWO if len(counts) == 2 else MAX_COMMONEST):
        yield f"{count} of {len(tests)} tests expect {answer!r:.100}; add tests with other answers"


def _leaks(source: Source, row: Mapping[str, str]) -> Iterator[str]:
    prompt = "\n".join(message["content"] for message in make_task(parse_row(row)).messages)
    for test in json.loads(row["private_test_cases"]):
        if source.func_name is None:
            leaks = shows(prompt, test["input"], test["output"])
        else:
            arguments = ", ".join(repr(json.loads(line)) for line in test["input"].splitlines())
            leaks = f"{source.func_name}({arguments})" in prompt.replace('"', "'")
        if leaks:
            yield f"the prompt contains the private test {test['input']!r:.100}"
