"""What a family of tasks is: it proposes questions, and checks answers to them. Needs no RDKit."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from envs.chemistry.smiles.lint import SmilesProblem

LEVELS = range(5)


@dataclass(frozen=True)
class Question:
    """A question with an answer that is known to be right."""

    text: str
    params: Mapping[str, Any]
    """What the check needs to know; JSON-able, never shown."""

    answer: str
    """A right answer, not always the only one."""

    identity: str = ""
    """Shared by questions that differ in their form only: they are in one split. Empty: the text."""

    @property
    def key(self) -> str:
        """What no question of another split has."""
        return self.identity or self.text


@dataclass(frozen=True)
class Check:
    """One thing that an answer must fulfil."""

    name: str
    passed: bool
    text: str
    """What the answer has, and what it must have; never the answer itself, nor a right one."""

    score: float | None = None
    """How close a failure comes, 0 … 1. None: 1.0 or 0.0."""

    @property
    def credit(self) -> float:
        return float(self.passed) if self.score is None else self.score


@dataclass(frozen=True)
class Report:
    """What can be said about an answer."""

    checks: tuple[Check, ...] = ()
    hints: tuple[str, ...] = ()
    """Advice for a failed attempt."""

    problem: SmilesProblem | None = None
    """Why the answer could not be read; then there are no checks."""

    @property
    def solved(self) -> bool:
        return self.problem is None and all(check.passed for check in self.checks)

    @property
    def score(self) -> float:
        """1 if solved; else the mean of the checks' credits, below 1."""
        if self.solved:
            return 1.0
        if not self.checks:
            return 0.0
        return min(0.99, sum(check.credit for check in self.checks) / len(self.checks))


@dataclass(frozen=True)
class Family:
    """A family of tasks."""

    name: str
    answer: str
    """What an answer is, with its article, such as `the SMILES string`."""

    propose: Callable[[random.Random, int], Question | None]
    """Draws a question of a level, or None where the draw leads to none. Random numbers decide everything."""

    check: Callable[[Mapping[str, Any], str], Report]
    """Checks an answer by the question's params. Never raises on an answer."""

    few_answers: bool = False
    """Whether so few answers are possible that a constant one may often be right."""


def counted(name: str, found: int, required: int) -> Check:
    """A check that a number is exactly as required."""
    text = f"{name}: {found}, required {required}"
    if found != required:
        text += f": {abs(required - found)} {'more' if found < required else 'fewer'}"
    return Check(name, found == required, text, max(0.0, 1 - abs(found - required) / max(required, 1)))


def an(name: str) -> str:
    """A name with its article."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def listing(words: list[str], conjunction: str = "and") -> str:
    """The words as a list in prose."""
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
