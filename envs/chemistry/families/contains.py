"""A molecule with some functional groups, without others, and of a certain size."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report, an, counted, listing
from envs.chemistry.families.smiles_answers import smiles_family
from envs.chemistry.molecules.groups import GROUPS, HOW_TO_WRITE, count_groups
from envs.chemistry.molecules.pool import draw_varied
from envs.chemistry.smiles.read import Molecule

_REQUIRED = (1, 2, 2, 2, 3)
_ABSENT = (0, 0, 1, 2, 2)
_OFTEN = tuple(name for name in GROUPS if name not in ("thiophene ring", "furan ring", "sulfone", "iodine atom"))

_SYMBOLS = {
    "alcohol": "O", "ether": "O", "primary amine": "N", "secondary amine": "N", "tertiary amine": "N", "thiol": "S",
    "thioether": "S", "fluorine atom": "F", "chlorine atom": "Cl", "bromine atom": "Br",
}  # fmt: skip
"""The only groups that level 0 asks for. It names their atom, so that small models have something to go by."""


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = draw_varied(rng, level)
    if drawn is None:
        return None
    present = list(count_groups(drawn))
    if len(present) < _REQUIRED[level]:
        return None
    required = sorted(rng.sample(present, _REQUIRED[level]), key=list(GROUPS).index)
    lacking = [name for name in _OFTEN if name not in present]
    absent = sorted(rng.sample(lacking, _ABSENT[level]), key=list(GROUPS).index)
    size = drawn.heavy_atoms
    if level == 0:
        most = size + rng.randint(4, 8)
        symbol = _SYMBOLS.get(required[0])
        if symbol is None:
            return None
        text = f"Give the SMILES string of a molecule of at most {most} atoms other than hydrogen that has "
        text += f"{an(required[0])} ({symbol})."
    else:
        most = size
        text = f"Give the SMILES string of a molecule that has {listing([an(name) for name in required])}"
        if absent:
            text += f", but has no {listing(absent, 'and no')}"
        text += f". It has exactly {most} atoms other than hydrogen."
    params = {"required": required, "absent": absent, "size": most, "exact": level > 0}
    return Question(text, params, drawn.smiles)


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    counts = count_groups(answer)
    checks = [
        Check(name, name in counts, f"{name}: {'present' if name in counts else 'missing'}")
        for name in params["required"]
    ]
    checks += [
        Check(
            f"no {name}",
            name not in counts,
            f"no {name}: {f'there is {an(name)}' if name in counts else 'right'}",
        )
        for name in params["absent"]
    ]
    size, allowed = answer.heavy_atoms, params["size"]
    if params["exact"]:
        checks.append(counted("atoms other than hydrogen", size, allowed))
    else:
        text = f"atoms other than hydrogen: {size}, at most {allowed} allowed"
        checks.append(Check("size", size <= allowed, text, min(1.0, allowed / size)))
    hints = [f"{an(name)} is {HOW_TO_WRITE[name]}" for name in params["required"] if name not in counts]
    if hints and counts:
        hints.append(f"groups recognised in your molecule: {', '.join(counts)}")
    return Report(tuple(checks), tuple(hints))


FAMILY = smiles_family("contains", _propose, _check)
