"""What is said about a failed answer: records, and the text that is rendered from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from envs.chemistry.answers import MAX_LENGTH, Extraction, instruction
from envs.chemistry.families.base import Report

LEVELS = ("none", "verdict", "checks", "full")
MAX_CHARS = 800

Item = dict[str, Any]

_FORMAT_PROBLEMS = {
    "empty": "The response is empty.",
    "unfinished_thought": "The response ends before its thinking does. Think less, so that the answer fits.",
    "no_tags": "The response has no <answer> tag.",
    "empty_answer": "The answer is empty.",
    "several_lines": "The answer has several lines; it must be on one.",
    "too_long": f"The answer is longer than {MAX_LENGTH} characters.",
}


def describe(
    extraction: Extraction, report: Report | None, what: str, answer_format: str, level: str, echo: bool
) -> list[Item]:
    """Records of what is wrong with a failed answer, the most telling first.

    Args:
        extraction: Where the answer was found, or was not.
        report: On the answer; None where there is none.
        what: What an answer is.
        answer_format: How it is to be given.
        level: How much is said: one of `LEVELS`.
        echo: Whether the answer itself is quoted.
    """
    if level == "none":
        return []
    if report is None:
        item = _item("format", text=_FORMAT_PROBLEMS[extraction.problem], problem=extraction.problem)
        if level != "verdict":
            item["text"] += " " + instruction(what, answer_format)
        return [item]
    items = [_item("answer", text=f"Your answer: {extraction.answer}")] if echo else []
    if report.problem is not None:
        items.append(_item("unreadable", text="The answer is not valid."))
        if level != "verdict":
            position = report.problem.position
            items[-1]["text"] = f"The answer is not valid: {report.problem.message}."
            if position is not None:
                items[-1]["position"] = position
                if echo:
                    items[0]["text"] += f"\n{' ' * (len('Your answer: ') + position - 1)}^"
    elif level == "verdict":
        items.append(_item("wrong", text="The answer is valid, but wrong."))
    else:
        items += [
            _item(
                "check",
                text=f"[{'ok' if check.passed else 'wrong'}] {check.text}",
                name=check.name,
                passed=check.passed,
            )
            for check in report.checks
        ]
    if level == "full":
        items += [_item("hint", text=f"Hint: {hint}.") for hint in report.hints]
    return items


def _item(kind: str, **fields: Any) -> Item:
    return {"kind": kind, "visibility": "visible", **fields}


def render(items: Iterable[Item]) -> str:
    """The records as one text of at most `MAX_CHARS` characters. Later ones that do not fit are left out."""
    text = ""
    for item in items:
        longer = f"{text}\n{item['text']}" if text else item["text"]
        if len(longer) <= MAX_CHARS:
            text = longer
    return text
