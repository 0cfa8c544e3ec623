"""Decides whether what a program answered is what a test expects, by LiveCodeBench's rules.

Pure functions of plain data, safe to call on whatever a hostile program answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from envs.livecodebench.rows import Test, load_value
from sdpo_gym.sandbox import RunResult


@dataclass(frozen=True)
class Outcome:
    """What became of one test."""

    test: Test
    result: RunResult
    passed: bool


def judge(test: Test, result: RunResult, *, functional: bool) -> Outcome:
    """Compare what a run answered with what the test expects."""
    passed = result.status == "ok" and (
        same_value(result.value, test.output) if functional else same_output(result.stdout, test.output)
    )
    return Outcome(test, result, passed)


def same_output(output: str, expected: str) -> bool:
    """Whether standard output is right.

    Both texts are stripped and split into lines, and each line is stripped. There must be as many lines as expected,
    and each must be equal as text, or be a list of numbers with exactly the same decimal values (`1.0` is `1e0`, but
    0.333 is not 0.3333).
    """
    lines, expected_lines = stripped_lines(output), stripped_lines(expected)
    return len(lines) == len(expected_lines) and all(map(same_line, lines, expected_lines))


def same_value(value: Any, expected: str) -> bool:
    """Whether a returned value is right: equal, as Python sees it, to the expected JSON value.

    A tuple may stand for a list, but only at the top.
    """
    if isinstance(value, tuple):
        value = list(value)
    try:
        return bool(value == load_value(expected))
    except RecursionError:  # nested more deeply than anything that a test expects
        return False


def stripped_lines(text: str) -> list[str]:
    """The lines that are compared: those of the stripped text, each stripped."""
    return [line.strip() for line in text.strip().split("\n")]


def same_line(line: str, expected: str) -> bool:
    """Whether a stripped line is right."""
    if line == expected:
        return True
    tokens, expected_tokens = line.split(), expected.split()
    if len(tokens) != len(expected_tokens):
        return False
    try:
        return all(Decimal(token) == Decimal(other) for token, other in zip(tokens, expected_tokens, strict=True))
    except InvalidOperation:  # not a number, or a signalling NaN
        return False
