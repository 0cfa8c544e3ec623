"""A molecule whose carbon atoms form one unbranched chain, with groups at given places."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report, an, listing
from envs.chemistry.families.smiles_answers import formula_check, same_molecule, smiles_family
from envs.chemistry.smiles.read import Molecule, molecule

_GROUPS = {
    "fluorine atom": "F",
    "chlorine atom": "Cl",
    "bromine atom": "Br",
    "hydroxyl group (OH)": "O",
    "amino group (NH2)": "N",
    "thiol group (SH)": "S",
    "methoxy group (OCH3)": "OC",
    "nitro group (NO2)": "[N+](=O)[O-]",
}


def _propose(rng: random.Random, level: int) -> Question | None:
    length = rng.randint(*((1, 8), (4, 16), (5, 14), (6, 16), (8, 18))[level])
    count = (rng.choice((0, 1, 1)), rng.choice((1, 2)), 2, 2, 3)[level]
    allowed = range(length) if level > 1 else sorted({0, length - 1})  # the ends only, on the lower levels
    places = sorted(rng.sample(allowed, min(count, len(allowed))))
    groups = {place: rng.choice(list(_GROUPS)) for place in places}
    order = rng.choice((2, 3)) if level > 2 else 1
    bond = rng.randrange(length - 1) if order > 1 else None
    if bond is not None and ({bond, bond + 1} & set(groups)):
        return None
    parts = [f"{an(name)} on carbon {place + 1}" for place, name in groups.items()]
    if bond is not None:
        parts.append(f"a {'double' if order == 2 else 'triple'} bond between carbons {bond + 1} and {bond + 2}")
    text = (
        f"Give the SMILES string of the molecule with an unbranched chain of {length} carbon atom{'s' * (length > 1)}"
    )
    text += f", with {listing(parts)}." if parts else ", and nothing else but hydrogen."
    if len(groups) == length == 1:
        text = text.replace(" on carbon 1", "")
    answer = _write(length, groups, bond, order)
    mirrored = {length - 1 - place: name for place, name in groups.items()}
    from_the_other_end = _write(length, mirrored, None if bond is None else length - 2 - bond, order)
    return Question(text, {"smiles": answer}, answer, min(answer, from_the_other_end))


def _write(length: int, groups: Mapping[int, str], bond: int | None, order: int) -> str:
    text = ""
    for place in range(length):
        if bond is not None and place == bond + 1:
            text += "=" if order == 2 else "#"
        group = _GROUPS[groups[place]] if place in groups else ""
        if group and place == 0:
            text += _reversed(group) + "C"
        elif group and place < length - 1:
            text += f"C({group})"
        else:
            text += "C" + group
    return text


def _reversed(group: str) -> str:
    return {"OC": "CO", "[N+](=O)[O-]": "O=[N+]([O-])"}.get(group, group)


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    wanted = molecule(params["smiles"])
    formula = formula_check(answer.formula, wanted.formula)
    same = answer.canonical == wanted.canonical
    branched = any(
        sum(n.GetAtomicNum() == 6 for n in atom.GetNeighbors()) > 2
        for atom in answer.mol.GetAtoms()
        if atom.GetAtomicNum() == 6
    )
    checks = [
        formula,
        Check("unbranched", not (branched or answer.rings), f"unbranched: {_shape(branched, answer.rings)}"),
        Check("structure", same, f"structure: {'right' if same else 'the atoms are not connected as described'}"),
    ]
    hints = [
        "each carbon of the chain is one letter, written in order; what sits on it inside the chain is in parentheses"
    ]
    if formula.passed and not (branched or answer.rings):
        hints.append("a group or a multiple bond is at another place: count carbons from the end that is carbon 1")
    return Report(tuple(checks), tuple(hints))


def _shape(branched: bool, rings: int) -> str:
    if rings:
        return "the molecule has a ring"
    return "the carbon chain has a branch" if branched else "right"


FAMILY = smiles_family("chain", _propose, _check, same_molecule)
