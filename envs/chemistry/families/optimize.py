"""Change a molecule so that a property rises or falls, and stay close to it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report
from envs.chemistry.families.smiles_answers import smiles_family
from envs.chemistry.molecules.pool import draw_molecule
from envs.chemistry.molecules.properties import PROPERTIES
from envs.chemistry.molecules.substituents import change_somewhere
from envs.chemistry.smiles.read import Molecule, molecule

_ASKED = ("logp", "tpsa", "weight")
_NUMBER = (1, 1, 1, 1, 2)
_LEAST = {"logp": (0.3, 0.4, 0.5, 0.6, 0.5), "tpsa": (10, 12, 15, 20, 15), "weight": (10, 14, 14, 20, 14)}
"""Least change that is worth asking for, by level."""

_SHARE = (0.4, 0.6, 0.8, 0.9, 0.95)
"""How much of the change of a known answer is asked for, by level."""


def _propose(rng: random.Random, level: int) -> Question | None:
    start = draw_molecule(rng, level)
    if start is None or start.heavy_atoms < 4:
        return None
    answer = change_somewhere(rng, start, 1 if level < 3 else 2)
    if answer is None or answer.canonical == start.canonical:
        return None
    floor = round(answer.similarity(start) * (0.6 if level == 0 else 0.9) - 0.005, 2)
    if floor < (0.1 if level == 0 else 0.25):
        return None
    changes: dict[str, float] = {}
    for key in rng.sample(_ASKED, len(_ASKED)):
        change = PROPERTIES[key].of(answer) - PROPERTIES[key].of(start)
        if abs(change) >= _LEAST[key][level]:
            changes[key] = change
        if len(changes) == _NUMBER[level]:
            break
    if len(changes) < _NUMBER[level]:
        return None
    targets = {
        key: round(changes[key] * _SHARE[level], PROPERTIES[key].digits) for key in sorted(changes, key=_ASKED.index)
    }
    wishes = [
        f"- the {PROPERTIES[key].name} ({PROPERTIES[key].definition}) {'rises' if change > 0 else 'falls'} by at least "
        f"{PROPERTIES[key].show(abs(change))}, from {PROPERTIES[key].show(PROPERTIES[key].of(start))}"
        for key, change in targets.items()
    ]
    wishes.append(f"- the similarity to it (Tanimoto, Morgan fingerprints of radius 2) is at least {floor:.2f}")
    text = f"The starting molecule is {start.smiles}\nGive the SMILES string of a molecule of which\n" + "\n".join(
        wishes
    )
    return Question(text, {"start": start.smiles, "targets": targets, "floor": floor}, answer.smiles)


def _similarity(params: Mapping[str, Any], answer: Molecule) -> float:
    """The similarity to the start, compared as it is shown, like the properties."""
    return round(answer.similarity(molecule(params["start"])), 2)


def _close(params: Mapping[str, Any], answer: Molecule) -> bool:
    return _similarity(params, answer) >= params["floor"]


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    start = molecule(params["start"])
    checks, hints = [], []
    for key, target in params["targets"].items():
        asked = PROPERTIES[key]
        before, now = asked.of(start), asked.of(answer)
        change = round(now - before, asked.digits)
        good = change >= target if target > 0 else change <= target
        text = (
            f"{asked.name}: from {asked.show(before)} to {asked.show(now)}, a change of {change:+.{asked.digits}f}, "
            f"required {target:+.{asked.digits}f} or {'more' if target > 0 else 'less'}"
        )
        checks.append(Check(key, good, text, 1.0 if good else max(0.0, min(0.99, change / target))))
        if not good:
            hints.append(asked.how_to_change(target > 0))
    similarity, floor = _similarity(params, answer), params["floor"]
    close = similarity >= floor
    text = f"similarity to the start: {similarity:.2f}, at least {floor:.2f} required"
    checks.append(Check("similarity", close, text, 1.0 if close else similarity / floor))
    if not close:
        hints.append("to stay similar, keep the starting string and change one place of it")
    if answer.canonical == start.canonical:
        hints.append("this is the starting molecule itself")
    return Report(tuple(checks), tuple(hints))


FAMILY = smiles_family("optimize", _propose, _check, _close)
