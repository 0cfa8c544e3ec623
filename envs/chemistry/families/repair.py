"""Repair a SMILES string into which a few wrong characters came."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Family, Question, Report
from envs.chemistry.families.smiles_answers import formula_check, same_formula, smiles_family
from envs.chemistry.molecules.pool import draw_molecule
from envs.chemistry.smiles.lint import SmilesProblem
from envs.chemistry.smiles.read import Molecule, read_molecule

_ERRORS = (1, 1, 1, 2, 3)
_EASY = "()"
_ALPHABET = "()=#12CNO"


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = draw_molecule(rng, max(level, 1))
    if drawn is None or len(drawn.smiles) < 4:
        return None
    broken = drawn.smiles
    for _ in range(_ERRORS[level]):
        broken = _spoiled(rng, broken, level)
    problem = read_molecule(broken)
    if isinstance(problem, Molecule):
        return None
    text = f"The SMILES string {broken} is broken"
    if level < 2:
        text += f": {problem.message}"
    text += f". The molecule has the formula {drawn.formula}. Give the repaired string; to repair it, "
    count = _ERRORS[level]
    changes = "one character is" if count == 1 else f"at most {count} characters are"
    text += f"{changes} inserted, removed or replaced."
    params = {"broken": broken, "formula": dict(drawn.formula), "errors": count}
    return Question(text, params, drawn.smiles)


def _spoiled(rng: random.Random, text: str, level: int) -> str:
    kind = rng.choice(("remove", "insert") if level == 0 else ("remove", "insert", "replace"))
    if kind == "insert":
        at = rng.randrange(1, len(text) + 1)
        return text[:at] + rng.choice(_EASY if level == 0 else _ALPHABET) + text[at:]
    signs = [i for i, character in enumerate(text) if character in "()[]=#123456789"]
    at = rng.choice(signs or range(len(text)))
    return text[:at] + (rng.choice(_ALPHABET) if kind == "replace" else "") + text[at + 1 :]


def within(one: str, other: str, limit: int) -> int | None:
    """Levenshtein distance of two texts if it is at most `limit`, else None. Time grows with length times limit."""
    if abs(len(one) - len(other)) > limit:
        return None
    far = limit + 1
    previous = {j: j for j in range(min(limit, len(other)) + 1)}
    for i, character in enumerate(one, 1):
        current = {}
        for j in range(max(0, i - limit), min(len(other), i + limit) + 1):
            best = min(previous.get(j, far), current.get(j - 1, far)) + 1
            if j:
                best = min(best, previous.get(j - 1, far) + (character != other[j - 1]))
            current[j] = best
        previous = current
    distance = previous.get(len(other), far)
    return distance if distance <= limit else None


def _check_molecule(params: Mapping[str, Any], answer: Molecule) -> Report:
    distance = within(params["broken"], answer.smiles, params["errors"])
    text = "characters changed: " + (
        f"more than {params['errors']}, at most {params['errors']} allowed" if distance is None else "right"
    )
    return Report((formula_check(answer.formula, params["formula"]), Check("changes", distance is not None, text)))


_MOLECULES = smiles_family("repair", _propose, _check_molecule, same_formula)


def _check(params: Mapping[str, Any], answer: str) -> Report:
    report = _MOLECULES.check(params, answer)
    problem = read_molecule(params["broken"])
    hints = (f"of the broken string: {problem.message}",) if isinstance(problem, SmilesProblem) else ()
    return Report(report.checks, hints, report.problem)


FAMILY = Family("repair", _MOLECULES.answer, _MOLECULES.propose, _check)
