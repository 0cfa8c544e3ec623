"""Chooses what to say about a response that fails, as records; `wording` puts them into words.

Nothing that a run on a hidden test gave is quoted, its error message least of all: a program can put the input into it.
Every text is cut to a limit, and every cut is marked.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from envs.livecodebench.difference import output_difference, value_difference
from envs.livecodebench.excerpts import clip, clip_lines, show_value
from envs.livecodebench.judge import Outcome
from envs.livecodebench.rows import load_value
from sdpo_gym.sandbox import ExceptionInfo

Item = dict[str, Any]

# How a run can fail, the most telling first, and the kind of record that tells it.
_FAILURES = {
    "syntax_error": "syntax_error",
    "exception": "runtime_error",
    "timeout": "time_limit",
    "not_run": "total_time_limit",
    "memory": "memory_limit",
    "output_limit": "output_limit",
    "crashed": "crash",
    "no_result": "no_result",
}


@dataclass(frozen=True)
class Level:
    """How much feedback says."""

    max_chars: int = 2000
    """Of the whole text."""

    details: bool = True
    """Whether more is said than what kind of failure it was."""

    every_kind: bool = False
    """Whether each kind of failure is told, and how many tests passed, or only the most telling kind."""

    wrong_answers: int = 2
    frames: int = 3
    input_lines: int = 8
    line_chars: int = 250
    input_chars: int = 1000
    """Leaves room for the output and the expected output after a long input."""

    output_chars: int = 250
    message_chars: int = 300
    source_chars: int = 120
    name_chars: int = 60


LEVELS: dict[str, Level | None] = {
    "none": None,
    "verdict": Level(details=False),
    "standard": Level(),
    "full": Level(
        max_chars=8000,
        every_kind=True,
        wrong_answers=5,
        frames=10,
        input_lines=40,
        input_chars=2000,
        output_chars=1000,
        message_chars=1000,
    ),
}


def describe_format(problem: str) -> tuple[Item, ...]:
    """The record of what keeps a response from having any code: a `problem` of `Extraction`."""
    return ({"kind": "format", "visibility": "visible", "problem": problem},)


def describe_outcomes(
    outcomes: Sequence[Outcome],
    source: str,
    *,
    functional: bool,
    level: Level = Level(),
    echo_response: bool = False,
    problem: str = "",
) -> tuple[Item, ...]:
    """The records worth showing about the outcomes of a program's tests; none when all passed.

    That is the first failed run of the most telling kind; else the shortest wrong answers; else, when every visible
    test passed, how many hidden ones failed, or, where no test is visible, that there is a syntax error.

    Args:
        outcomes: The outcomes, in the order in which tests are numbered.
        source: The program.
        functional: Whether values are compared, not standard output.
        level: How much to say.
        echo_response: Whether a wrong answer is quoted; if not, it is described.
        problem: What is wrong with the form of the response: the `problem` of `Extraction`.
    """
    failed = [(number, outcome) for number, outcome in enumerate(outcomes, 1) if not outcome.passed]
    if not failed:
        return ()
    visible = [(number, outcome) for number, outcome in failed if outcome.test.visible]
    items = _failures(visible, source, level)
    if level.every_kind or not items:
        wrong = [(number, outcome) for number, outcome in visible if outcome.result.status == "ok"]
        items += _wrong_answers(wrong, functional, level, echo_response)
    counts = _counts(outcomes)
    if not items and outcomes[0].result.status == "syntax_error":
        # Its message is not shown: a program can forge one, with a hidden input in it.
        items = [{"kind": "syntax_error", "visibility": "hidden"}]
    elif not items:
        items = [{"kind": "hidden_failures", "visibility": "hidden", **counts}]
    elif level.every_kind:
        items.append({"kind": "counts", "visibility": "visible", **counts})
    if not level.details:
        return ({"kind": items[0]["kind"], "visibility": items[0]["visibility"]},)
    if problem:
        items.insert(0, {"kind": "form", "visibility": "visible", "problem": problem})
    return tuple(items)


def _failures(failed: Sequence[tuple[int, Outcome]], source: str, level: Level) -> list[Item]:
    """The first run of each kind that failed, or of the most telling kind."""
    items: list[Item] = []
    for status in _FAILURES:
        if status == "not_run" and any(outcome.result.status != "not_run" for _, outcome in failed):
            continue  # those that were run tell more
        first = next(((number, outcome) for number, outcome in failed if outcome.result.status == status), None)
        if first is not None:
            items.append(_failure(*first, source, level))
            if not level.every_kind:
                break
    return items


def _failure(number: int, outcome: Outcome, source: str, level: Level) -> Item:
    result = outcome.result
    item: Item = {"kind": _FAILURES[result.status], "visibility": "visible"}
    if result.status == "crashed":
        item["signal"] = _signal_name(result.signal)
    if result.exception is not None:
        item |= _error(result.exception, source, level)
    if result.status == "syntax_error":
        return item
    return item | {"test": number, "input": _show_input(outcome, level)}


def _error(error: ExceptionInfo, source: str, level: Level) -> Item:
    lines = re.split(r"\r\n|\r|\n", source)
    frames = []
    for frame in error.frames[-level.frames :]:
        text = lines[frame.line - 1].strip() if 1 <= frame.line <= len(lines) else ""
        function = clip(frame.function, level.name_chars)
        frames.append({"line": frame.line, "function": function, "source": clip(text, level.source_chars)})
    return {
        "error": clip(error.type, level.name_chars),
        "message": clip(error.message.strip(), level.message_chars),
        "frames": frames,
        "outer_frames_left_out": len(error.frames) > len(frames),
    }


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _wrong_answers(
    wrong: Sequence[tuple[int, Outcome]], functional: bool, level: Level, echo_response: bool
) -> list[Item]:
    """The shortest wrong answers."""
    sized = []
    for number, outcome in wrong:
        test, result = outcome.test, outcome.result
        if functional:
            output, expected = show_value(result.value), show_value(load_value(test.output))
        else:
            output, expected = result.stdout.rstrip(), test.output.rstrip()
        item = {
            "kind": "wrong_answer",
            "visibility": "visible",
            "test": number,
            "input": _show_input(outcome, level),
            "expected": clip(expected, level.output_chars),
        }
        if echo_response:
            item["output"] = clip(output, level.output_chars)
        else:
            compare = value_difference if functional else output_difference
            item["difference"] = compare(result.value if functional else result.stdout, test.output)
        sized.append((len(test.input) + min(len(output), level.output_chars) + len(item["expected"]), item))
    sized.sort(key=lambda pair: pair[0])
    return [item for _, item in sized[: level.wrong_answers]]


def _show_input(outcome: Outcome, level: Level) -> str:
    return clip_lines(outcome.test.input, level.input_lines, level.line_chars, level.input_chars)


def _counts(outcomes: Sequence[Outcome]) -> Item:
    """How many tests there are and how many failed, visible and hidden, and how many of the latter were not run."""
    counts = {"visible_tests": 0, "visible_failed": 0, "hidden_tests": 0, "hidden_failed": 0, "not_run": 0}
    for outcome in outcomes:
        counts["not_run"] += outcome.result.status == "not_run"
        kind = "visible" if outcome.test.visible else "hidden"
        counts[f"{kind}_tests"] += 1
        counts[f"{kind}_failed"] += not outcome.passed
    return counts
