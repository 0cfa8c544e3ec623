"""Read the molecular formula off a SMILES string."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Family, Question, Report
from envs.chemistry.molecules.formula import NAMES, Formula
from envs.chemistry.molecules.pool import draw_molecule
from envs.chemistry.smiles.lint import SmilesProblem


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = draw_molecule(rng, level)
    if drawn is None:
        return None
    return Question(
        f"What is the molecular formula of {drawn.smiles}?",
        {"formula": dict(drawn.formula)},
        str(drawn.formula),
        drawn.identity,
    )


def _check(params: Mapping[str, Any], answer: str) -> Report:
    given = Formula.parse(answer)
    if given is None:
        return Report(
            problem=SmilesProblem("the answer must be a molecular formula without parentheses: elements and numbers")
        )
    truth = Formula(params["formula"])
    checks = []
    for element in sorted(set(given) | set(truth)):
        have, want = given.get(element, 0), truth.get(element, 0)
        verdict = "right" if have == want else f"too {'few' if have < want else 'many'}"
        checks.append(Check(element, have == want, f"{NAMES[element]} atoms: {verdict}"))
    hints = ()
    if given.get("H", 0) != truth.get("H", 0):
        hints = (
            "the usual numbers of bonds are four for carbon, three for nitrogen, two for oxygen and one for halogens",
        )
    return Report(tuple(checks), hints)


FAMILY = Family("formula", "the formula", _propose, _check)
