"""Finds the answer in a response."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envs.thoughts import after_thought

FORMATS = ("tags", "bare")
MAX_LENGTH = 400

_OPEN, _CLOSE = "<answer>", "</answer>"
_FENCES = re.compile(r"\A\s*```[^\s`]*[ \t]*\n|\n[ \t]*```\s*\Z")


@dataclass(frozen=True)
class Extraction:
    """The answer of a response, or why there is none."""

    answer: str | None
    problem: str = ""
    """Without an answer: `empty`, `unfinished_thought`, `no_tags`, `empty_answer`, `several_lines` or `too_long`."""


def extract(response: str, answer_format: str) -> Extraction:
    """The answer of a response.

    `tags`: what stands in the last `<answer>…</answer>`; where the last tag is not closed, the first line after it.
    `bare`: the first line that is not empty, after a thought in `<think>…</think>`. Fences and backticks around it are
    dropped.
    """
    if not response.strip():
        return Extraction(None, "empty")
    text = after_thought(response)
    if text is None:
        return Extraction(None, "unfinished_thought")
    if answer_format == "tags":
        start = text.rfind(_OPEN)
        if start < 0:
            return Extraction(None, "no_tags")
        inside, closing, _ = text[start + len(_OPEN) :].partition(_CLOSE)
        answer = _FENCES.sub("", inside)
        if not closing:
            answer = _first_line(answer)
    else:
        answer = _first_line(_FENCES.sub("", text))
    answer = answer.strip().strip("`").strip()
    if not answer:
        return Extraction(None, "empty_answer")
    if len(answer) > MAX_LENGTH:
        return Extraction(None, "too_long")
    if "\n" in answer:
        return Extraction(None, "several_lines")
    return Extraction(answer)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def posed(answer: str, answer_format: str) -> str:
    """An answer in the form in which it is to be given."""
    return f"{_OPEN}{answer}{_CLOSE}" if answer_format == "tags" else answer


def instruction(what: str, answer_format: str) -> str:
    """How to answer. `what` is the answer with its article."""
    if answer_format == "tags":
        return f"Put {what}, and nothing else, between {_OPEN} and {_CLOSE}."
    return f"Reply with {what} only."
