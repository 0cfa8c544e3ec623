"""Puts the records of `feedback` into words."""

from __future__ import annotations

from collections.abc import Iterable

from envs.livecodebench.excerpts import clip
from envs.livecodebench.feedback import Item, Level
from sdpo_gym.markdown import fenced

ANSWER_FORMAT = f"Put the complete solution into one fenced code block:\n{fenced('# your code')}"

_TITLES = {
    "syntax_error": "Syntax Error",
    "runtime_error": "Runtime Error",
    "time_limit": "Time Limit Exceeded",
    "total_time_limit": "Time Limit Exceeded by All Tests Together",
    "memory_limit": "Memory Limit Exceeded",
    "output_limit": "Output Limit Exceeded",
    "crash": "Crash",
    "no_result": "The Program Ended Without a Result",
    "wrong_answer": "Wrong Answer",
    "hidden_failures": "Hidden tests fail.",
}

_FORMAT_PROBLEMS = {
    "empty": "The response is empty.",
    "no_code_block": "The response has no fenced code block.",
    "empty_code_block": "The code block is empty.",
    "cut_off": "The response ends where the code should begin. Give a shorter answer.",
    "unfinished_thought": "The response ends before its thinking does. Think less, so that the answer fits.",
}

_FORM_PROBLEMS = {
    "unclosed": "The code block is not closed, so the response may have been cut off. Give a shorter answer.",
    "later_unclosed": (
        "The last code block is not closed, so the response may have been cut off, and an earlier block was judged. "
        "Give a shorter answer."
    ),
}


def render(items: Iterable[Item], level: Level = Level()) -> str:
    """The records as one text of at most `level.max_chars` characters. Later records that do not fit are left out."""
    text = ""
    for item in items:
        block = _block(item, level)
        if not text:
            text = block
        elif len(text) + 2 + len(block) <= level.max_chars:
            text += "\n\n" + block
    if len(text) <= level.max_chars:
        return text
    return clip(text, level.max_chars - len("… (999999 more characters)"))


def _block(item: Item, level: Level) -> str:
    match item["kind"]:
        case "format":
            problem = _FORMAT_PROBLEMS[item["problem"]]
            return f"{problem} {ANSWER_FORMAT}" if level.details else problem
        case "form":
            return _FORM_PROBLEMS[item["problem"]]
        case kind if not level.details:
            return _TITLES[kind]
        case "wrong_answer":
            return _wrong_answer(item)
        case "hidden_failures":
            passed = "All visible tests pass. " if item["visible_tests"] else ""
            failed, left = item["hidden_failed"] - item["not_run"], item["not_run"]
            rest = f"; {left} not run" if left else ""
            return f"{passed}Hidden tests that fail: {failed} of {item['hidden_tests']}{rest}."
        case "counts":
            return _counts(item)
        case _:
            return _failure(item)


def _wrong_answer(item: Item) -> str:
    parts = [f"Wrong Answer in Test {item['test']}", _section("Input", item["input"])]
    if "output" in item:
        parts.append(_section("Output", item["output"]))
    parts.append(_section("Expected", item["expected"]))
    if "difference" in item:
        parts.append(item["difference"])
    return "\n\n".join(parts)


def _counts(item: Item) -> str:
    passed = [
        f"{item[f'{kind}_tests'] - item[f'{kind}_failed']} of {item[f'{kind}_tests']} {kind} ones"
        for kind in ("visible", "hidden")
        if item[f"{kind}_tests"]
    ]
    return f"Tests that pass: {', '.join(passed)}."


def _failure(item: Item) -> str:
    title = _TITLES[item["kind"]]
    if "signal" in item:
        title += f": {item['signal']}"
    if "error" in item:
        title += f"\n{item['error']}: {item['message']}" if item["message"] else f"\n{item['error']}"
    parts = [title]
    if item.get("frames"):
        parts.append("\n".join(_frames(item)))
    if "input" in item:
        label = "Input of a test that was not run" if item["kind"] == "total_time_limit" else "Last executed input"
        parts.append(_section(label, item["input"]))
    return "\n\n".join(parts)


def _frames(item: Item) -> Iterable[str]:
    if item["outer_frames_left_out"]:
        yield "… (outer frames left out)"
    for frame in item["frames"]:
        yield f"Line {frame['line']}, in {frame['function']}"
        if frame["source"]:
            yield f"    {frame['source']}"


def _section(label: str, text: str) -> str:
    return f"{label}:\n{text or '(empty)'}"
