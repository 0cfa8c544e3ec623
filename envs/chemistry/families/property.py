"""A molecule whose properties lie within given windows."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report
from envs.chemistry.families.smiles_answers import smiles_family
from envs.chemistry.molecules.pool import draw_molecule
from envs.chemistry.molecules.properties import PROPERTIES
from envs.chemistry.smiles.read import Molecule

_NUMBER = (1, 2, 2, 3, 4)
_ASKED = {
    0: ("weight", "heavy"),
    1: ("weight", "logp", "tpsa", "rotatable"),
    2: ("weight", "logp", "tpsa", "donors", "rings"),
    3: ("weight", "logp", "tpsa", "donors", "acceptors", "rotatable", "rings"),
    4: ("weight", "logp", "tpsa", "donors", "acceptors", "rotatable", "rings"),
}
_WIDTHS = {"weight": (60, 16, 12, 10, 8), "logp": (2, 0.8, 0.6, 0.5, 0.4), "tpsa": (30, 16, 12, 10, 8)}
"""Width of a window, by level. From level 1 on, a count has to be met exactly."""


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = draw_molecule(rng, level)
    if drawn is None:
        return None
    keys = sorted(rng.sample(_ASKED[level], _NUMBER[level]), key=list(PROPERTIES).index)
    windows = {key: _window(rng, key, PROPERTIES[key].of(drawn), level) for key in keys}
    lines = []
    for key, (low, high) in windows.items():
        asked = PROPERTIES[key]
        span = f"= {asked.show(low)}" if low == high else f"from {asked.show(low)} to {asked.show(high)}"
        lines.append(f"- {asked.name} {span} ({asked.definition})")
    text = "Give the SMILES string of a molecule with\n" + "\n".join(lines)
    return Question(text, {"windows": windows}, drawn.smiles)


def _window(rng: random.Random, key: str, value: float, level: int) -> list[float]:
    asked = PROPERTIES[key]
    if asked.digits == 0:
        low = max(1, int(value) - rng.randint(0, 3)) if level == 0 else int(value)
        return [low, low + 3 if level == 0 else low]
    width = _WIDTHS[key][level]
    low = round(value - width * rng.uniform(0.1, 0.9), asked.digits)
    if key != "logp":
        low = max(0.0, low)  # the other properties are never negative
    return [low, round(low + width, asked.digits)]


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    checks, hints = [], []
    for key, (low, high) in params["windows"].items():
        asked = PROPERTIES[key]
        value = asked.of(answer)
        text = f"{asked.name}: {asked.show(value)}, required "
        text += asked.show(low) if low == high else f"{asked.show(low)} to {asked.show(high)}"
        off = max(low - value, value - high, 0)
        if off:
            text += f": {asked.show(off)} too {'low' if value < low else 'high'}"
            hints.append(asked.how_to_change(value < low))
        checks.append(Check(key, not off, text, max(0.0, 1 - off / max(abs(low), abs(high), 1))))
    return Report(tuple(checks), tuple(hints))


FAMILY = smiles_family("property", _propose, _check)
