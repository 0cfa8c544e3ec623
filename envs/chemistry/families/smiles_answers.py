"""What families with a SMILES string as the answer share."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from envs.chemistry.families.base import Check, Family, Question, Report
from envs.chemistry.molecules.formula import Formula, difference
from envs.chemistry.smiles.lint import SmilesProblem
from envs.chemistry.smiles.read import Molecule, molecule, read_molecule

STOCK = (
    "C", "O", "N", "CC", "CCO", "CO", "CCC", "CCCC", "CCCCCC", "C1CCCCC1", "C=C", "c1ccccc1", "Cc1ccccc1", "Oc1ccccc1",
    "Nc1ccccc1", "c1ccncc1", "CC(=O)O", "CC(C)=O", "CC(C)O", "CCN", "CC#N", "CCOCC", "NCC(=O)O", "NC(N)=O", "ClC(Cl)Cl",
    "O=Cc1ccccc1", "OC(=O)c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Nc1ccc(O)cc1", "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "OCC1OC(O)C(O)C(O)C1O",
)  # fmt: skip
"""Molecules that come to mind first. From level 1 on, a task that one of them solves is not posed."""


def smiles_family(
    name: str,
    propose: Callable[[random.Random, int], Question | None],
    check: Callable[[Mapping[str, Any], Molecule], Report],
    could_solve: Callable[[Mapping[str, Any], Molecule], bool] = lambda params, answer: True,
) -> Family:
    """A family whose answers are SMILES strings.

    Args:
        name: Its name.
        propose: See `Family`. From level 1 on, questions that a stock molecule answers are dropped.
        check: Gets the molecule of a valid answer.
        could_solve: A quick look that spares the check of most stock molecules; True for every right answer.
    """

    def check_text(params: Mapping[str, Any], answer: str) -> Report:
        read = read_molecule(answer)
        return Report(problem=read) if isinstance(read, SmilesProblem) else check(params, read)

    def propose_no_stock(rng: random.Random, level: int) -> Question | None:
        question = propose(rng, level)
        if question is None or level == 0:
            return question
        params = question.params
        solved = any(could_solve(params, stock) and check(params, stock).solved for stock in _stock())
        return None if solved else question

    return Family(name, "the SMILES string", propose_no_stock, check_text)


@cache
def _stock() -> tuple[Molecule, ...]:
    return tuple(molecule(smiles) for smiles in STOCK)


def same_molecule(params: Mapping[str, Any], answer: Molecule) -> bool:
    """For `could_solve`, where only `params["smiles"]` is right."""
    return answer.canonical == molecule(params["smiles"]).canonical


def same_formula(params: Mapping[str, Any], answer: Molecule) -> bool:
    """For `could_solve`, where answers have the formula `params["formula"]`, unless this is None."""
    return answer.formula == (params["formula"] or answer.formula)


def formula_check(found: Formula, required: Mapping[str, int]) -> Check:
    """A check that the formula is exactly as required, with what has to change."""
    required = Formula(required)
    text = f"formula: {found}, required {required}"
    if found != required:
        text += f": {difference(found, required)}"
    return Check("formula", found == required, text, found.closeness(required))


def unsaturation_hint(found: Formula, required: Mapping[str, int]) -> tuple[str, ...]:
    """A hint on rings and double bonds where their number is wrong."""
    have, want = found.unsaturation, Formula(required).unsaturation
    if have == want:
        return ()
    return (
        f"the required formula has {want:g} rings and double bonds in all (a triple bond counts as two); your molecule "
        f"has {have:g}",
    )
