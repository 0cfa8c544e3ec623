"""A molecule whose properties lie within given windows."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report
from envs.chemistry.families.smiles_answers import smiles_family
from envs.chemistry.molecules.pool import draw_varied
from envs.chemistry.molecules.properties import PROPERTIES
from envs.chemistry.smiles.read import Molecule

_NUMBER = (1, 2, 3, 3, 4)
_MEASURED = ("weight", "logp", "tpsa")
"""One of these is always asked from level 1 on, as many molecules have equal counts."""

_COUNTED = ((), ("rotatable", "rings"), ("donors", "rings"), *[("donors", "acceptors", "rotatable", "rings")] * 2)
_WIDTHS = {"weight": (70, 6, 8, 8, 8), "logp": (2, 0.3, 0.4, 0.4, 0.4), "tpsa": (30, 6, 8, 8, 8)}
"""Width of a window, by level. From level 1 on, a count has to be met exactly."""


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = draw_varied(rng, level)
    if drawn is None:
        return None
    keys = _keys(rng, level)
    windows = {key: _window(rng, key, PROPERTIES[key].of(drawn), level) for key in keys}
    lines = []
    for key, (low, high) in windows.items():
        asked = PROPERTIES[key]
        span = f"= {asked.show(low)}" if low == high else f"from {asked.show(low)} to {asked.show(high)}"
        lines.append(f"- {asked.name} {span} ({asked.definition})")
    text = "Give the SMILES string of a molecule with\n" + "\n".join(lines)
    return Question(text, {"windows": windows}, drawn.smiles)


def _keys(rng: random.Random, level: int) -> list[str]:
    if level == 0:
        return [rng.choice(("weight", "heavy"))]
    first = rng.choice(_MEASURED)
    others = [key for key in (*_MEASURED, *_COUNTED[level]) if key != first]
    return sorted([first, *rng.sample(others, _NUMBER[level] - 1)], key=list(PROPERTIES).index)


def _window(rng: random.Random, key: str, value: float, level: int) -> list[float]:
    asked = PROPERTIES[key]
    if asked.digits == 0:
        low = max(1, int(value) - rng.randint(0, 4)) if level == 0 else int(value)
        return [low, low + 4 if level == 0 else low]
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
