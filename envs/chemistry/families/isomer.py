"""A molecule of a given formula; from level 2 on another one than the molecule shown."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report, counted
from envs.chemistry.families.smiles_answers import formula_check, same_formula, smiles_family, unsaturation_hint
from envs.chemistry.molecules.builder import tree
from envs.chemistry.molecules.pool import draw_varied, stable
from envs.chemistry.molecules.substituents import move_somewhere
from envs.chemistry.smiles.read import Molecule, molecule


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = _small(rng) if level == 0 else draw_varied(rng, level)
    if drawn is None:
        return None
    text = f"Give the SMILES string of a molecule with the formula {drawn.formula}"
    params: dict[str, Any] = {"formula": dict(drawn.formula), "other_than": None, "rings": None}
    answer = drawn
    if level >= 2:
        answer = move_somewhere(rng, drawn)
        if answer is None:
            return None
        params["other_than"] = drawn.smiles
        text += f" that is a constitutional isomer of {drawn.smiles}, not this molecule itself"
    if level >= 3:
        params["rings"] = drawn.rings
        text += f", and has {drawn.rings} ring{'' if drawn.rings == 1 else 's'}"
    return Question(text + ".", params, answer.smiles)


def _small(rng: random.Random) -> Molecule | None:
    return stable(tree(rng, rng.randint(2, 7), rng.choice((0, 1, 2))))


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    checks = [formula_check(answer.formula, params["formula"])]
    if params["rings"] is not None:
        checks.append(counted("rings", answer.rings, params["rings"]))
    if params["other_than"] is not None:
        same = answer.canonical == molecule(params["other_than"]).canonical
        text = f"another molecule: {'it is the one that was shown, perhaps written differently' if same else 'right'}"
        checks.append(Check("another", not same, text))
    return Report(tuple(checks), unsaturation_hint(answer.formula, params["formula"]))


FAMILY = smiles_family("isomer", _propose, _check, same_formula)
