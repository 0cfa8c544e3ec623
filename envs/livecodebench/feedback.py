"""Says in words what is wrong with a response.

Records are chosen first and then rendered. Nothing that a run on a hidden test gave is quoted, its error message least
of all: a program can put the input into it. Every text is cut to a limit, and every cut is marked.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterable, Sequence
from typing import Any

from envs.livecodebench.extraction import FENCE, has_unclosed_fence
from envs.livecodebench.judge import Outcome
from sdpo_gym.sandbox import OPAQUE, ExceptionInfo

MAX_CHARS = 2000
MAX_WRONG_ANSWERS = 2
MAX_FRAMES = 3
MAX_INPUT_LINES = 8
MAX_LINE_CHARS = 250
MAX_INPUT_CHARS = 1000
"""Leaves room for the output and the expected output after a long input."""

MAX_OUTPUT_CHARS = 250
MAX_MESSAGE_CHARS = 300
MAX_SOURCE_CHARS = 120
MAX_NAME_CHARS = 60

ANSWER_FORMAT = f"Put the complete solution into one fenced code block:\n{FENCE}python\n# your code\n{FENCE}"

Item = dict[str, Any]

# The kinds of failed runs, the most telling first, and how they are announced.
_FAILURES = {
    "syntax_error": ("syntax_error", "Syntax Error"),
    "exception": ("runtime_error", "Runtime Error"),
    "timeout": ("time_limit", "Time Limit Exceeded"),
    "not_run": ("total_time_limit", "Time Limit Exceeded by All Tests Together"),
    "memory": ("memory_limit", "Memory Limit Exceeded"),
    "output_limit": ("output_limit", "Output Limit Exceeded"),
    "crashed": ("crash", "Crash"),
    "no_result": ("no_result", "The Program Ended Without a Result"),
}
_TITLES = dict(_FAILURES.values())

_FORMAT_PROBLEMS = {
    "empty": "The response is empty.",
    "no_code_block": "The response has no fenced code block.",
    "empty_code_block": "The code block is empty.",
    "cut_off": "The response ends where the code should begin. Give a shorter answer.",
}


def describe_format(response: str) -> tuple[Item, ...]:
    """The record of what keeps a response from having any code."""
    if not response.strip():
        problem = "empty"
    elif has_unclosed_fence(response):
        problem = "cut_off"
    elif FENCE in response:
        problem = "empty_code_block"
    else:
        problem = "no_code_block"
    return ({"kind": "format", "visibility": "visible", "problem": problem},)


def describe_outcomes(outcomes: Sequence[Outcome], source: str, *, functional: bool, cut_off: bool) -> tuple[Item, ...]:
    """The records worth showing about the outcomes of a program's tests; none when all passed.

    That is the first failed run of the most telling kind; else the shortest wrong answers; else, when every visible
    test passed, how many hidden ones failed.

    Args:
        outcomes: The outcomes, in the order in which tests are numbered.
        source: The program.
        functional: Whether values are compared, not standard output.
        cut_off: Whether the response ended before its code block was closed.
    """
    failed = [(number, outcome) for number, outcome in enumerate(outcomes, 1) if not outcome.passed]
    visible = [(number, outcome) for number, outcome in failed if outcome.test.visible]
    for status in _FAILURES:
        for number, outcome in visible:
            if outcome.result.status == status:
                return (_failure(number, outcome, source, cut_off),)
    if visible:
        wrong = [_wrong_answer(number, outcome, functional) for number, outcome in visible]
        order = sorted(range(len(wrong)), key=lambda i: _size(visible[i][1], wrong[i]))
        return tuple(wrong[i] for i in order[:MAX_WRONG_ANSWERS])
    if failed:
        hidden = sum(not outcome.test.visible for outcome in outcomes)
        counts = {"failed": len(failed), "hidden_tests": hidden, "visible_tests": len(outcomes) - hidden}
        return ({"kind": "hidden_failures", "visibility": "hidden", **counts},)
    return ()


def render(items: Iterable[Item]) -> str:
    """The records as one text of at most `MAX_CHARS` characters. Later records that do not fit are left out."""
    text = ""
    for item in items:
        block = _RENDERERS.get(item["kind"], _render_failure)(item)
        if not text:
            text = block
        elif len(text) + 2 + len(block) <= MAX_CHARS:
            text += "\n\n" + block
    if len(text) <= MAX_CHARS:
        return text
    return clip(text, MAX_CHARS - len("… (999999 more characters)"))


def clip(text: str, limit: int) -> str:
    """A text that can be encoded, of at most `limit` characters and a mark that says how many are left out."""
    left_out = len(text) - limit
    text = text[:limit].encode("utf-8", "replace").decode("utf-8")
    return text if left_out <= 0 else f"{text}… ({left_out} more characters)"


def _clip_lines(text: str) -> str:
    lines = text.rstrip().split("\n")
    shown = clip("\n".join(clip(line, MAX_LINE_CHARS) for line in lines[:MAX_INPUT_LINES]), MAX_INPUT_CHARS)
    left_out = len(lines) - MAX_INPUT_LINES
    return shown if left_out <= 0 else f"{shown}\n… ({left_out} more lines)"


def _failure(number: int, outcome: Outcome, source: str, cut_off: bool) -> Item:
    result = outcome.result
    kind, _ = _FAILURES[result.status]
    item: Item = {"kind": kind, "visibility": "visible"}
    if result.status == "crashed":
        item["signal"] = _signal_name(result.signal)
    if result.exception is not None:
        item |= _error(result.exception, source)
    if result.status == "syntax_error":
        return item | {"cut_off": cut_off}
    return item | {"test": number, "input": _clip_lines(outcome.test.input)}


def _error(error: ExceptionInfo, source: str) -> Item:
    lines = re.split(r"\r\n|\r|\n", source)
    frames = []
    for frame in error.frames[-MAX_FRAMES:]:
        text = lines[frame.line - 1].strip() if 1 <= frame.line <= len(lines) else ""
        function = clip(frame.function, MAX_NAME_CHARS)
        frames.append({"line": frame.line, "function": function, "source": clip(text, MAX_SOURCE_CHARS)})
    return {
        "error": clip(error.type, MAX_NAME_CHARS),
        "message": clip(error.message.strip(), MAX_MESSAGE_CHARS),
        "frames": frames,
        "outer_frames_left_out": len(error.frames) > len(frames),
    }


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _wrong_answer(number: int, outcome: Outcome, functional: bool) -> Item:
    test, result = outcome.test, outcome.result
    if functional:
        output, expected = _show_value(result.value), _show_value(json.loads(test.output))
    else:
        output, expected = result.stdout, test.output
    return {
        "kind": "wrong_answer",
        "visibility": "visible",
        "test": number,
        "input": _clip_lines(test.input),
        "output": clip(output.rstrip(), MAX_OUTPUT_CHARS),
        "expected": clip(expected.rstrip(), MAX_OUTPUT_CHARS),
    }


def _size(outcome: Outcome, item: Item) -> int:
    return len(outcome.test.input) + len(item["output"]) + len(item["expected"])


def _show_value(value: Any) -> str:
    if value is OPAQUE:
        return "(a value that is not plain data, such as an iterator or an object of a class)"
    try:
        return _repr(value)
    except (ValueError, RecursionError):  # Python refuses to write out enormous integers
        return "(a value too large to be shown)"


def _repr(value: Any) -> str:
    """`repr`, but sets are sorted: their order would differ from process to process."""
    match value:
        case list():
            return f"[{', '.join(map(_repr, value))}]"
        case tuple():
            return f"({', '.join(map(_repr, value))}{',' if len(value) == 1 else ''})"
        case dict():
            return f"{{{', '.join(f'{_repr(key)}: {_repr(item)}' for key, item in value.items())}}}"
        case set() if value:
            return f"{{{', '.join(sorted(map(_repr, value)))}}}"
        case _:
            return repr(value)


def _render_format(item: Item) -> str:
    return f"{_FORMAT_PROBLEMS[item['problem']]} {ANSWER_FORMAT}"


def _render_hidden_failures(item: Item) -> str:
    passed = "All visible tests pass. " if item["visible_tests"] else ""
    return f"{passed}Hidden tests that fail: {item['failed']} of {item['hidden_tests']}."


def _render_wrong_answer(item: Item) -> str:
    parts = [f"Wrong Answer in Test {item['test']}"]
    for label in ("input", "output", "expected"):
        parts.append(f"{label.capitalize()}:\n{item[label] or '(empty)'}")
    return "\n\n".join(parts)


def _render_failure(item: Item) -> str:
    title = _TITLES[item["kind"]]
    if "signal" in item:
        title += f": {item['signal']}"
    if "error" in item:
        title += f"\n{item['error']}: {item['message']}" if item["message"] else f"\n{item['error']}"
    parts = [title]
    if item.get("frames"):
        parts.append("\n".join(_render_frames(item)))
    if item.get("cut_off"):
        parts.append("The code block is not closed, so the response may have been cut off. Give a shorter answer.")
    if "input" in item:
        label = "Input of a test that was not run" if item["kind"] == "total_time_limit" else "Last executed input"
        parts.append(f"{label}:\n{item['input'] or '(empty)'}")
    return "\n\n".join(parts)


def _render_frames(item: Item) -> Iterable[str]:
    if item["outer_frames_left_out"]:
        yield "… (outer frames left out)"
    for frame in item["frames"]:
        yield f"Line {frame['line']}, in {frame['function']}"
        if frame["source"]:
            yield f"    {frame['source']}"


_RENDERERS = {
    "format": _render_format,
    "hidden_failures": _render_hidden_failures,
    "wrong_answer": _render_wrong_answer,
}
