"""Add a group to a molecule, remove one, or swap one for another, and change nothing else."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report, an
from envs.chemistry.families.smiles_answers import formula_check, same_formula, smiles_family
from envs.chemistry.molecules.pool import draw_molecule, stable
from envs.chemistry.molecules.substituents import (
    SUBSTITUENTS,
    add_somewhere,
    changed_formula,
    count,
    remove_somewhere,
    swapped,
    with_one_more,
    without,
)
from envs.chemistry.smiles.read import Molecule, molecule

_KINDS = ("add", "remove", "swap", "swap")
_SIMPLE = 6
"""Of the substituents, those of one heavy atom come first; only they are added at level 0."""


def _propose(rng: random.Random, level: int) -> Question | None:
    start = draw_molecule(rng, level)
    if start is None:
        return None
    kind = rng.choice((("add",), ("add", "remove"), _KINDS, _KINDS, _KINDS)[level])
    present = [name for name in SUBSTITUENTS if count(start, name) and name != "methyl group"]
    added = rng.choice(list(SUBSTITUENTS)[: None if level else _SIMPLE]) if kind != "remove" else None
    if kind != "add" and not present:
        return None
    removed = rng.choice(present) if kind != "add" else None
    if added == removed:
        return None
    answer = _example(rng, start, added, removed)
    if answer is None:
        return None
    if kind == "add":
        task = f"Replace one hydrogen atom on a carbon atom of it by {an(added)}"
    elif kind == "remove":
        task = f"Replace {_which(start, removed)} of it by a hydrogen atom"
    else:
        task = f"Replace {_which(start, removed)} of it by {an(added)}"
    text = f"The starting molecule is {start.smiles}\n{task}, and change nothing else."
    text += " Give the SMILES string of the result."
    formula = changed_formula(start.formula, added, removed)
    params = {"start": start.smiles, "added": added, "removed": removed, "formula": formula}
    return Question(text, params, answer.smiles)


def _example(rng: random.Random, start: Molecule, added: str | None, removed: str | None) -> Molecule | None:
    if removed is None:
        return add_somewhere(rng, start, added)
    if added is None:
        return remove_somewhere(rng, start, removed)
    return stable(rng.choice(sorted(swapped(start, removed, added)) or [""]))


def _which(start: Molecule, name: str) -> str:
    return f"the {name}" if count(start, name) == 1 else f"one {name}"


def _reached(start: Molecule, answer: Molecule, added: str | None, removed: str | None) -> bool:
    """Whether the answer is among the molecules that the edit can give."""
    if added is None:
        return answer.canonical in without(start, removed)
    if removed is None:
        return answer.canonical in with_one_more(start, added)
    return answer.canonical in swapped(start, removed, added)


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    start, added, removed = molecule(params["start"]), params["added"], params["removed"]
    same = answer.canonical == start.canonical
    formula = formula_check(answer.formula, params["formula"])
    reached = formula.passed and _reached(start, answer, added, removed)
    checks = [
        Check("changed", not same, f"changed: {'this is the starting molecule itself' if same else 'right'}"),
        formula,
        Check("edit", reached, f"edit: {'right' if reached else _why(start, answer, formula.passed, added, removed)}"),
    ]
    hints = ["keep the starting string as it is, apart from the place where the group goes or comes"]
    if added is not None:
        hints.append(f"{an(added)} is written as the branch ({SUBSTITUENTS[added].smiles})")
    return Report(tuple(checks), tuple(hints))


def _why(start: Molecule, answer: Molecule, same_formula: bool, added: str | None, removed: str | None) -> str:
    parts = []
    for name, change in ((removed, -1), (added, 1)):
        if name is not None and count(answer, name) - count(start, name) != change:
            parts.append(
                f"{name}: {count(start, name)} before and {count(answer, name)} now, a change of {change:+d} is asked"
            )
    if not parts:
        parts.append("the rest of the molecule is not the same as before")
    if not same_formula:
        parts.append(f"similarity to the start {answer.similarity(start):.2f}")
    return "; ".join(parts)


FAMILY = smiles_family("edit", _propose, _check, same_formula)
