"""A molecule with given numbers of atoms, and from level 1 on of rings and more."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Question, Report, counted, listing
from envs.chemistry.families.smiles_answers import smiles_family
from envs.chemistry.molecules.formula import NAMES
from envs.chemistry.molecules.pool import draw_varied, stable
from envs.chemistry.molecules.properties import PROPERTIES
from envs.chemistry.smiles.read import Molecule

_MORE = ((), ("rings",), ("rings", "rotatable"), ("rings", "donors"), ("rings", "donors", "rotatable"))


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = _chain(rng) if level == 0 else draw_varied(rng, level)
    if drawn is None:
        return None
    elements = {element: n for element, n in drawn.formula.items() if element != "H"}
    elements = {element: elements[element] for element in sorted(elements, key=lambda e: (e != "C", e))}
    more = {key: int(PROPERTIES[key].of(drawn)) for key in _MORE[level]}
    parts = [f"{n} {NAMES[element]} atom{'s' if n > 1 else ''}" for element, n in elements.items()]
    text = f"Give the SMILES string of a molecule with exactly {listing(parts)}, and no other atoms but hydrogen."
    for key, n in more.items():
        asked = PROPERTIES[key]
        text += f" The {asked.name} ({asked.definition}) is {n}."
    return Question(text, {"elements": elements, "more": more}, drawn.smiles)


def _chain(rng: random.Random) -> Molecule | None:
    carbons, heteroatoms = rng.randint(1, 7), rng.choice((0, 1, 1, 1, 2))
    symbol = rng.choice(("O", "N", "F", "Cl", "Br", "S"))
    ends = [symbol] * heteroatoms + [""] * (2 - heteroatoms)
    return stable(ends[0] + "C" * carbons + ends[1])


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    required = params["elements"]
    found = {element: n for element, n in answer.formula.items() if element != "H"}
    checks = [counted(f"{NAMES[e]} atoms", found.get(e, 0), n) for e, n in required.items()]
    checks += [counted(f"{NAMES[e]} atoms", found[e], 0) for e in sorted(set(found) - set(required))]
    hints = []
    for key, n in params["more"].items():
        asked = PROPERTIES[key]
        value = int(asked.of(answer))
        checks.append(counted(asked.name, value, n))
        if value != n:
            hints.append(asked.how_to_change(value < n))
    return Report(tuple(checks), tuple(hints))


FAMILY = smiles_family("atoms", _propose, _check)
