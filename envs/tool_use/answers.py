"""Compares a final answer with the right one."""

from __future__ import annotations

import re
from typing import Any

_MINUS = str.maketrans("−–", "--", ",")
_NUMBER = re.compile(r"[-−–+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
MAX_CHARACTERS = 200


def is_right(given: str, right: str | int) -> bool:
    """Whether an answer is the right value.

    A number may stand among other words, or with a unit, if it is the only one. A text must stand alone, but for case,
    quotes and a full stop.
    """
    if len(given) > MAX_CHARACTERS:
        return False
    if isinstance(right, str):
        return _plain(given) == _plain(right)
    numbers = numbers_in(given)
    return len(numbers) == 1 and numbers[0] == right


def numbers_in(text: str) -> list[float]:
    """The numbers in a text that stand for themselves, maybe with a unit, and not in a word such as an id."""
    return [
        float(match[0].translate(_MINUS))
        for match in _NUMBER.finditer(text)
        if not text[match.start() - 1 : match.start()].isalpha()
    ]


def occurs_in(given: str, result: Any) -> bool:
    """Whether an answer is a value somewhere in a result."""
    if isinstance(result, dict):
        return any(occurs_in(given, value) for value in result.values())
    if isinstance(result, list):
        return any(occurs_in(given, value) for value in result)
    return is_right(given, result)


def _plain(text: str) -> str:
    return " ".join(text.strip(" \t\r\n.\"'`*“”‘’").casefold().split())
