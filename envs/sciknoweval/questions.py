"""Questions from rows: those of the SDPO authors' files and those of SciKnowEval itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envs.sciknoweval.subtasks import Subtask, subtask_of
from sdpo_gym.tasks import Message

LETTERS = "ABCD"
TYPES = ("mcq-4-choices", "mcq-2-choices")
REQUEST = "Please reason step by step."


@dataclass(frozen=True)
class Question:
    """One multiple-choice question."""

    index: int
    """Its place among all of its domain's, before they were split into train and test."""

    text: str
    options: tuple[tuple[str, str], ...]
    """Letters, from A on, and what they stand for, with the line breaks that some rows have around it."""

    answer: str
    """The right option's letter."""

    system: str | None = None
    """The system message that the row brings along."""

    @property
    def subtask(self) -> Subtask:
        return subtask_of(self.text)

    @property
    def listing(self) -> str:
        """The question and its options as one text."""
        return self.text + "\n\n" + "\n".join(f"{letter}: {option}" for letter, option in self.options)

    @property
    def letters(self) -> str:
        """The letters in words: `A, B, C or D`."""
        *first, last = (letter for letter, _ in self.options)
        return f"{', '.join(first)} or {last}"


def is_raw(row: Mapping[str, Any]) -> bool:
    """Whether a row is SciKnowEval's own, not one of the SDPO authors' files."""
    return "choices" in row


def is_paper_task(row: Mapping[str, Any], domain: str) -> bool:
    """Whether a row of SciKnowEval's is a multiple-choice question of level 3 of a domain, as the paper uses them."""
    details = row.get("details")
    return (
        str(row.get("domain", "")).lower().removesuffix("s") == domain.removesuffix("s")  # `Material`, `Physics`
        and isinstance(details, dict)
        and details.get("level") == "L3"
        and row.get("type") in TYPES
    )


def parse_raw(row: Mapping[str, Any], index: int) -> Question:
    """A question from a row of SciKnowEval's.

    Raises:
        ValueError: the row is malformed.
    """
    choices = row["choices"]
    if not isinstance(choices, dict) or not {"text", "label"} <= choices.keys():
        raise ValueError(f"field 'choices' must hold 'text' and 'label', not {choices!r:.100}")
    options = tuple(zip(_texts(choices["label"]), _texts(choices["text"]), strict=True))
    return _question(index, _text(row, "question"), options, _text(row, "answerKey"))


def parse_authors(row: Mapping[str, Any]) -> Question:
    """A question from a row of the SDPO authors' files, whose prompt holds question and options in one text.

    Raises:
        ValueError: the row is malformed.
    """
    index = row.get("idx")
    if isinstance(index, bool) or not isinstance(index, int):
        raise ValueError(f"field 'idx' must be a whole number, not {index!r:.100}")
    prompt = _text(row, "prompt").removesuffix(f"\n{REQUEST}")
    text, _, rest = prompt.rpartition("\n\nA: ")
    if not text:
        raise ValueError("field 'prompt' has no line that begins with 'A: ' after an empty line")
    parts = re.split(r"\n([B-Z]): ", rest)
    options = (("A", parts[0]), *zip(parts[1::2], parts[2::2], strict=True))
    system = row.get("system")
    return _question(index, text, options, _text(row, "answer"), system if isinstance(system, str) else None)


def paper_messages(question: Question) -> tuple[Message, ...]:
    """The paper's chat: a system message on the form of the answer, then question and options.

    The system message is the row's own. A row without one gets one of ours, which asks for the same form.
    """
    system = question.system or (
        "Answer the question by choosing one of its options. Use this form:\n"
        "<reasoning>\nyour reasoning\n</reasoning>\n<answer>\nthe letter of the option\n</answer>\n\n"
        f"Between <answer> and </answer> write one letter ({question.letters}) and nothing else."
    )
    user = f"{question.listing}\n{REQUEST}"
    return ({"role": "system", "content": system}, {"role": "user", "content": user})


def plain_messages(question: Question) -> tuple[Message, ...]:
    """One short message that asks for the letter alone, for small models."""
    request = f"The answer is one letter: {question.letters}. Answer with that letter, and nothing else."
    return ({"role": "user", "content": f"{question.listing}\n\n{request}"},)


PROMPTS = {"paper": paper_messages, "plain": plain_messages}


def _question(
    index: int, text: str, options: tuple[tuple[str, str], ...], answer: str, system: str | None = None
) -> Question:
    letters = "".join(letter for letter, _ in options)
    if letters not in (LETTERS, LETTERS[:2]):
        raise ValueError(f"the options must have the letters A to D, or A and B, in this order, not {letters!r:.100}")
    if answer not in dict(options):
        raise ValueError(f"the right answer must be the letter of an option, not {answer!r:.100}")
    return Question(index, text, options, answer, system)


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"field {field!r} must be a text, not {value!r:.100}")
    return value


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"field 'choices' must hold lists of texts, not {values!r:.100}")
    return values
