"""A molecule with a given formula and given functional groups."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Question, Report, an, counted, listing
from envs.chemistry.families.smiles_answers import formula_check, same_formula, smiles_family, unsaturation_hint
from envs.chemistry.molecules.builder import tree
from envs.chemistry.molecules.groups import GROUPS, HOW_TO_WRITE, count_groups
from envs.chemistry.molecules.pool import draw_varied, stable
from envs.chemistry.smiles.read import Molecule

_NUMBER = (1, 1, 2, 3, 4)


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = stable(tree(rng, rng.randint(3, 8), 2)) if level == 0 else draw_varied(rng, level)
    if drawn is None:
        return None
    counts = count_groups(drawn)
    if len(counts) < min(_NUMBER[level], 2):
        return None
    names = sorted(rng.sample(list(counts), min(_NUMBER[level], len(counts))), key=list(GROUPS).index)
    groups = {name: counts[name] for name in names}
    parts = [f"{n} {name}{'s' if n > 1 else ''}" for name, n in groups.items()]
    text = f"Give the SMILES string of a molecule with the formula {drawn.formula} that has exactly {listing(parts)}."
    return Question(text, {"formula": dict(drawn.formula), "groups": groups}, drawn.smiles)


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    counts = count_groups(answer)
    checks = [formula_check(answer.formula, params["formula"])]
    checks += [counted(name, counts.get(name, 0), n) for name, n in params["groups"].items()]
    hints = [f"{an(name)} is {HOW_TO_WRITE[name]}" for name in params["groups"] if name not in counts]
    hints += unsaturation_hint(answer.formula, params["formula"])
    if counts:
        hints.append("groups recognised in your molecule: " + ", ".join(f"{name} {n}" for name, n in counts.items()))
    return Report(tuple(checks), tuple(hints))


FAMILY = smiles_family("groups", _propose, _check, same_formula)
