"""Reads the chosen letter out of a response."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from envs.thoughts import after_thought

Options = Sequence[tuple[str, str]]

MOST_WRAPPERS = 10
"""So many commands such as `\\boxed{}` are taken from around a letter."""

_OPEN, _CLOSE = "<answer>", "</answer>"
_WELL_FORMED = re.compile(r"\s*<reasoning>.*</reasoning>\s*<answer>\s*[A-Z]\s*</answer>\s*", re.DOTALL)
_LEAD = re.compile(
    r"(?:.*[.,;:])?([^.,;:]*)\b(?:(?:answer|choice|option)[*_`]*\s*(?:is\b\s*:?|:)|(?:choose|pick|select)\b)",
    re.IGNORECASE,
)  # group 1: what comes before it in its clause
_DENIAL = re.compile(r"\b(?:not|cannot|never|rul\w+ out|exclude[sd]?|eliminate[sd]?)\b|n['’]t\b", re.IGNORECASE)
_LETTER = re.compile(
    r"[(*_`$]*(?:(?:answer|choice|option)\s+[(*_`$]*)?([A-Z])[)*_`$]*(?:[.:)](.*))?", re.IGNORECASE | re.DOTALL
)
_MARKS = "*_`$ \t\r\n"
_WRAPPERS = (("\\boxed{", "}"), ("\\text{", "}"), ("\\mathrm{", "}"), ("\\(", "\\)"), ("\\[", "\\]"))


@dataclass(frozen=True)
class Choice:
    """What a response chose."""

    letter: str | None
    """None if no option's letter could be read."""

    problem: str = ""
    """Why: `empty`, `unfinished_thought`, `no_answer`, `not_one_letter` or `unknown_letter`."""


def read_paper(response: str, options: Options) -> Choice:
    """What the SDPO paper's grader reads: the text after the last `<answer>`, up to `</answer>`.

    Without tags it is the whole response. It must be the letter alone, but for white space around it.
    """
    answer = response.rpartition(_OPEN)[2].partition(_CLOSE)[0].strip()
    letter = answer if re.fullmatch("[A-Z]", answer) else None
    return _checked(letter, response, _OPEN in response, options)


def read_lenient(response: str, options: Options) -> Choice:
    """The letter in the last `<answer>`, or, without that tag, in the last line. Thoughts in `<think>` are not read.

    Beside the bare letter it may be written as `(B)`, `B.`, `**B**`, `\\boxed{B}`, `Option B`, `B: the option's text`,
    or after words such as "The answer is" and "I choose". Several letters, or the letter among other words, are no
    answer, nor is an option that the line denies.
    """
    said = after_thought(response)
    if said is None:
        return Choice(None, "unfinished_thought")
    _, tag, answer = said.rpartition(_OPEN)
    if tag:
        answer = answer.partition(_CLOSE)[0]
    else:
        answer = (said.strip().splitlines() or [""])[-1]
        lead = _LEAD.match(answer)
        if lead is not None:
            answer = "" if _DENIAL.search(lead[1]) else answer[lead.end() :]
    return _checked(_letter(answer, options), response, bool(tag), options)


GRADERS: dict[str, Callable[[str, Options], Choice]] = {"lenient": read_lenient, "paper": read_paper}


def is_well_formed(response: str) -> bool:
    """Whether a response has the form that the paper's prompt asks for, and nothing else."""
    return _WELL_FORMED.fullmatch(response) is not None


def _letter(answer: str, options: Options) -> str | None:
    match = _LETTER.fullmatch(_plain(answer))
    if match is None:
        return None
    letter, text = match[1].upper(), _plain(match[2] or "")
    return letter if text in ("", _plain(dict(options).get(letter, ""))) else None


def _plain(text: str) -> str:
    """The text without the marks, the full stop and the commands around it, and with single spaces."""
    text = " ".join(text.split())
    for _ in range(MOST_WRAPPERS):
        text = text.lstrip(_MARKS).rstrip(_MARKS + ".")
        for opening, closing in _WRAPPERS:
            if text.startswith(opening) and text.endswith(closing):
                text = text[len(opening) : -len(closing)]
                break
        else:
            break
    return text


def _checked(letter: str | None, response: str, tagged: bool, options: Options) -> Choice:
    if letter is None:
        problem = "empty" if not response.strip() else "not_one_letter" if tagged else "no_answer"
        return Choice(None, problem)
    if letter not in dict(options):
        return Choice(None, "unknown_letter")
    return Choice(letter)
