"""Says how a wrong answer differs from the right one, without quoting it."""

from __future__ import annotations

from typing import Any

from envs.livecodebench.judge import same_line, stripped_lines
from envs.livecodebench.rows import load_value
from sdpo_gym.sandbox import OPAQUE


def output_difference(output: str, expected: str) -> str:
    """How standard output that is wrong differs."""
    if not output.strip():
        return "The program printed nothing."
    lines, expected_lines = stripped_lines(output), stripped_lines(expected)
    if len(lines) != len(expected_lines):
        printed = _count(len(lines), "line", verb=False)
        return f"The program printed {printed}, but {_count(len(expected_lines), 'line')} expected."
    number = next(i for i, pair in enumerate(zip(lines, expected_lines, strict=True)) if not same_line(*pair))
    place = f"Line {number + 1} of the output is wrong" if len(lines) > 1 else "The output is wrong"
    line, expected_line = lines[number], expected_lines[number]
    if line.split() == expected_line.split():
        return f"{place}: only in the spaces within it."
    if line.lower() == expected_line.lower():
        return f"{place}: only in upper and lower case."
    words, expected_words = len(line.split()), len(expected_line.split())
    if words != expected_words:
        return f"{place}: it has {_count(words, 'word', verb=False)}, but {_count(expected_words, 'word')} expected."
    return f"{place}."


def value_difference(value: Any, expected: str) -> str:
    """How a returned value that is wrong differs from the expected JSON value."""
    right = load_value(expected)
    if value is OPAQUE:
        return "The function returned something that is not plain data, such as an iterator or an object of a class."
    if value is None:
        return "The function returned None."
    if isinstance(value, tuple) and isinstance(right, list):
        value = list(value)
    if type(value) is not type(right) and not (_is_number(value) and _is_number(right)):
        return f"The function returned a value of type {type(value).__name__}, not {_type_name(right)}."
    if isinstance(right, (list, dict, str)) and len(value) != len(right):
        unit = "character" if isinstance(right, str) else "item"
        return f"The function returned {_count(len(value), unit, verb=False)}, but {_count(len(right), unit)} expected."
    if isinstance(right, list):
        place = next((i for i, pair in enumerate(zip(value, right, strict=True)) if not _equal(*pair)), None)
        if place is not None:
            return f"The returned list is wrong at index {place}."
    return "The returned value is wrong."


def _equal(value: Any, right: Any) -> bool:
    try:
        return bool(value == right)
    except RecursionError:  # nested more deeply than anything that a test expects
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _type_name(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def _count(number: int, unit: str, *, verb: bool = True) -> str:
    words = f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return words if not verb else f"{words} {'is' if number == 1 else 'are'}"
