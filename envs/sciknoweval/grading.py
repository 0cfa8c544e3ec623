"""Reads the chosen letter out of a response."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Options = Sequence[tuple[str, str]]

_OPEN, _CLOSE = "<answer>", "</answer>"
_WELL_FORMED = re.compile(r"\s*<reasoning>.*</reasoning>\s*<answer>\s*[A-Z]\s*</answer>\s*", re.DOTALL)
_LEAD = re.compile(r"^.*\b(?:answer|option|choice)(?:\s+is)?\s*:?\s*", re.IGNORECASE)
_MARKS = "*_`$ \t\r\n"
_COMMANDS = ("\\boxed{", "\\text{", "\\mathrm{")


@dataclass(frozen=True)
class Choice:
    """What a response chose."""

    letter: str | None
    """None if no option's letter could be read."""

    problem: str = ""
    """Why: `empty`, `no_answer`, `not_one_letter` or `unknown_letter`."""


def read_paper(response: str, options: Options) -> Choice:
    """What the SDPO paper's grader reads: the text after the last `<answer>`, up to `</answer>`.

    Without tags it is the whole response. It must be the letter alone, but for white space around it.
    """
    answer = response.rpartition(_OPEN)[2].partition(_CLOSE)[0].strip()
    return _checked(answer if re.fullmatch("[A-Z]", answer) else None, response, options)


def read_lenient(response: str, options: Options) -> Choice:
    """The letter in the last `<answer>`, or, without that tag, in the last line.

    Beside the bare letter it may be written as `(B)`, `B.`, `**B**`, `\\boxed{B}`, `B: the option's text`, or after
    words such as "The answer is". Several letters, or the letter among other words, are no answer.
    """
    _, tag, answer = response.rpartition(_OPEN)
    if tag:
        answer = answer.partition(_CLOSE)[0].strip()
    else:
        answer = (response.strip().splitlines() or [""])[-1].strip()
        answer = _LEAD.sub("", answer, count=1)
    return _checked(_letter(answer, options), response, options)


GRADERS: dict[str, Callable[[str, Options], Choice]] = {"lenient": read_lenient, "paper": read_paper}


def is_well_formed(response: str) -> bool:
    """Whether a response has the form that the paper's prompt asks for, and nothing else."""
    return _WELL_FORMED.fullmatch(response) is not None


def _letter(answer: str, options: Options) -> str | None:
    answer = answer.strip(_MARKS)
    while answer.endswith("}") and answer.startswith(_COMMANDS):
        answer = answer[answer.index("{") + 1 : -1].strip(_MARKS)
    match = re.match(r"\(?([A-Za-z])\)?(?:[.:)]\s*(.*))?$", answer, re.DOTALL)
    if match is None:
        return None
    letter, rest = match[1].upper(), " ".join((match[2] or "").split())
    text = " ".join(dict(options).get(letter, "").split())
    return letter if rest in ("", text) else None


def _checked(letter: str | None, response: str, options: Options) -> Choice:
    if letter is None:
        problem = "empty" if not response.strip() else "not_one_letter" if _OPEN in response else "no_answer"
        return Choice(None, problem)
    if letter not in dict(options):
        return Choice(None, "unknown_letter")
    return Choice(letter)
