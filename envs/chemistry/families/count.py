"""Count the atoms or rings of a molecule."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Family, Question, Report
from envs.chemistry.molecules.builder import tree
from envs.chemistry.molecules.formula import NAMES
from envs.chemistry.molecules.pool import draw_molecule, stable
from envs.chemistry.smiles.lint import SmilesProblem
from envs.chemistry.smiles.read import Molecule, molecule

_THINGS = {
    0: ("C",),
    1: ("C", "hetero", "heavy"),
    2: ("C", "H", "heavy", "rings"),
    3: ("H", "heavy", "rings"),
    4: ("C", "H", "heavy"),
}
_DESCRIPTIONS = {
    "hetero": "atoms other than carbon and hydrogen",
    "heavy": "atoms other than hydrogen",
    "rings": "rings",
}


def _small(rng: random.Random) -> Molecule | None:
    return stable(tree(rng, rng.randint(1, 5), rng.choice((0, 1)), unsaturated=rng.random() < 0.3))


def _number(found: Molecule, thing: str) -> int:
    if thing == "rings":
        return found.rings
    if thing == "heavy":
        return found.heavy_atoms
    if thing == "hetero":
        return found.heavy_atoms - found.formula.get("C", 0)
    return found.formula.get(thing, 0)


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = _small(rng) if level == 0 else draw_molecule(rng, level)
    if drawn is None:
        return None
    thing = rng.choice(_THINGS[level])
    description = _DESCRIPTIONS.get(thing) or f"{NAMES[thing]} atoms"
    truth = _number(drawn, thing)
    return Question(
        f"How many {description} does the molecule {drawn.smiles} have?",
        {"smiles": drawn.smiles, "thing": thing, "truth": truth},
        str(truth),
        f"{thing} {drawn.identity}",
    )


def _check(params: Mapping[str, Any], answer: str) -> Report:
    if not re.fullmatch(r"[-+]?[0-9]{1,6}", answer):
        return Report(problem=SmilesProblem("the answer must be a whole number, in digits, and nothing else"))
    truth, given = params["truth"], int(answer)
    text = "the number is right" if given == truth else f"the number is too {'low' if given < truth else 'high'}"
    score = max(0.0, 1 - abs(given - truth) / max(truth, 1))
    return Report((Check("number", given == truth, text, score),), _hints(params))


def _hints(params: Mapping[str, Any]) -> tuple[str, ...]:
    mol = molecule(params["smiles"]).mol
    if params["thing"] == "rings":
        return ("each pair of equal ring labels closes one ring",)
    atoms = f"the atoms, read from left to right: {' '.join(atom.GetSymbol() for atom in mol.GetAtoms())}"
    if params["thing"] == "H":
        return (
            atoms,
            "hydrogens are implicit: each atom is filled up to its usual number of bonds, which is four for carbon, "
            "three for nitrogen, two for oxygen and sulfur, and one for halogens",
        )
    return (atoms,)


FAMILY = Family("count", "the number", _propose, _check, few_answers=True)
