"""Put groups onto molecules, take them off, move them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from rdkit import Chem, rdBase

from envs.chemistry.molecules.formula import Formula
from envs.chemistry.molecules.pool import stable
from envs.chemistry.smiles.read import Molecule


@dataclass(frozen=True)
class Substituent:
    """A group that takes the place of a hydrogen atom on carbon."""

    name: str
    smiles: str
    """Bonds by its first atom."""

    pattern: str
    """SMARTS of the carbon that carries it, then of all of its atoms."""

    formula: dict[str, int]


_NOT_ACYL = "[#6;!$(C=[O,N,S])]"

SUBSTITUENTS = {
    s.name: s
    for s in (
        Substituent("fluorine atom", "F", "[#6]-[F]", {"F": 1}),
        Substituent("chlorine atom", "Cl", "[#6]-[Cl]", {"Cl": 1}),
        Substituent("bromine atom", "Br", "[#6]-[Br]", {"Br": 1}),
        Substituent("hydroxyl group", "O", f"{_NOT_ACYL}-[OX2H]", {"O": 1, "H": 1}),
        Substituent("amino group", "N", f"{_NOT_ACYL}-[NX3H2]", {"N": 1, "H": 2}),
        Substituent("methyl group", "C", "[#6]-[CX4H3]", {"C": 1, "H": 3}),
        Substituent("methoxy group", "OC", f"{_NOT_ACYL}-[OX2]-[CX4H3]", {"C": 1, "H": 3, "O": 1}),
        Substituent("cyano group", "C#N", "[#6]-[CX2]#[NX1]", {"C": 1, "N": 1}),
        Substituent("nitro group", "[N+](=O)[O-]", "[#6]-[N+](=O)[O-]", {"N": 1, "O": 2}),
        Substituent("carboxyl group", "C(=O)O", "[#6]-[CX3](=O)[OX2H]", {"C": 1, "H": 1, "O": 2}),
        Substituent("trifluoromethyl group", "C(F)(F)F", "[#6]-[CX4](F)(F)F", {"C": 1, "F": 3}),
    )
}
_PATTERNS = {name: Chem.MolFromSmarts(s.pattern) for name, s in SUBSTITUENTS.items()}
_FREE_CARBON = Chem.MolFromSmarts("[#6;!H0]")
_FRAGMENTS = {name: Chem.MolFromSmiles(s.smiles) for name, s in SUBSTITUENTS.items()}


def count(molecule: Molecule, name: str) -> int:
    """How often a molecule has a substituent."""
    return len(_places(molecule.mol, name))


def with_one_more(molecule: Molecule, name: str) -> Iterator[str]:
    """The molecules with one more such substituent, canonical, one for each carbon that carries hydrogen."""
    for carbon in _free_carbons(molecule.mol):
        edited = _add(molecule.mol, carbon, name)
        if edited is not None:
            yield Chem.MolToSmiles(edited, isomericSmiles=False)


def without(molecule: Molecule, name: str) -> Iterator[str]:
    """The molecules with one such substituent replaced by hydrogen, canonical, one for each place."""
    for match in _places(molecule.mol, name):
        edited = _remove(molecule.mol, match)
        if edited is not None:
            yield Chem.MolToSmiles(edited, isomericSmiles=False)


def swapped(molecule: Molecule, old: str, new: str) -> Iterator[str]:
    """The molecules with one substituent replaced by another, canonical, one for each place."""
    for match in _places(molecule.mol, old):
        editable = Chem.RWMol(molecule.mol)
        _bond(editable, match[0], new)
        edited = _drop(editable, match[1:])
        if edited is not None:
            yield Chem.MolToSmiles(edited, isomericSmiles=False)


def add_somewhere(rng: random.Random, molecule: Molecule, name: str) -> Molecule | None:
    """A stable molecule with one more substituent, at a carbon drawn among those that carry hydrogen."""
    return _finished(_add_at_random(rng, molecule.mol, name))


def remove_somewhere(rng: random.Random, molecule: Molecule, name: str) -> Molecule | None:
    """A stable molecule with one substituent fewer, at a place drawn among those that have it."""
    return _finished(_remove(molecule.mol, rng.choice(_places(molecule.mol, name))))


def move_somewhere(rng: random.Random, molecule: Molecule) -> Molecule | None:
    """A stable isomer in which one substituent sits elsewhere; None if the draw led to none."""
    name = _present(rng, molecule.mol)
    if name is None:
        return None
    rest = _remove(molecule.mol, rng.choice(_places(molecule.mol, name)))
    isomer = _finished(_add_at_random(rng, rest, name))
    return None if isomer is None or isomer.canonical == molecule.canonical else isomer


def change_somewhere(rng: random.Random, molecule: Molecule, times: int) -> Molecule | None:
    """A stable molecule after some substituents were added or removed at random; None if the draw led to none."""
    mol: Chem.Mol | None = molecule.mol
    for step in range(times):  # only the first may remove, so that none undoes another
        name = _present(rng, mol) if step == 0 and rng.random() < 0.5 else None
        if name is not None:
            mol = _remove(mol, rng.choice(_places(mol, name)))
        else:
            mol = _add_at_random(rng, mol, rng.choice(list(SUBSTITUENTS)))
        if mol is None:
            return None
    return _finished(mol)


def changed_formula(formula: Formula, added: str | None = None, removed: str | None = None) -> Formula:
    """The formula after a substituent took the place of a hydrogen, or a hydrogen that of a substituent, or both."""
    counts = dict(formula)
    for name, sign in ((added, 1), (removed, -1)):
        if name is not None:
            counts["H"] = counts.get("H", 0) - sign
            for element, n in SUBSTITUENTS[name].formula.items():
                counts[element] = counts.get(element, 0) + sign * n
    return Formula(counts)


def _places(mol: Chem.Mol, name: str) -> list[tuple[int, ...]]:
    """Matches, the carrying carbon first; both ends of ethane's bond count."""
    found = mol.GetSubstructMatches(_PATTERNS[name], uniquify=False)
    if name == "trifluoromethyl group":  # its fluorines can be matched in any order
        return [match for match in found if list(match[2:]) == sorted(match[2:])]
    return list(found)


def _remove(mol: Chem.Mol, match: tuple[int, ...]) -> Chem.Mol | None:
    editable = Chem.RWMol(mol)
    carbon = editable.GetAtomWithIdx(match[0])
    if carbon.GetNoImplicit():
        carbon.SetNumExplicitHs(carbon.GetNumExplicitHs() + 1)
    return _drop(editable, match[1:])


def _drop(editable: Chem.RWMol, indices: tuple[int, ...]) -> Chem.Mol | None:
    for index in sorted(indices, reverse=True):
        editable.RemoveAtom(index)
    try:
        with rdBase.BlockLogs():
            Chem.SanitizeMol(editable)
    except (Chem.MolSanitizeException, ValueError, RuntimeError):
        return None
    return editable.GetMol()


def _bond(editable: Chem.RWMol, index: int, name: str) -> None:
    first = editable.GetNumAtoms()
    editable.InsertMol(_FRAGMENTS[name])
    editable.AddBond(index, first, Chem.BondType.SINGLE)


def _free_carbons(mol: Chem.Mol) -> list[int]:
    return [match[0] for match in mol.GetSubstructMatches(_FREE_CARBON)]


def _add(mol: Chem.Mol, index: int, name: str) -> Chem.Mol | None:
    editable = Chem.RWMol(mol)
    carbon = editable.GetAtomWithIdx(index)
    if carbon.GetNumExplicitHs():
        carbon.SetNumExplicitHs(carbon.GetNumExplicitHs() - 1)
    _bond(editable, index, name)
    return _drop(editable, ())


def _add_at_random(rng: random.Random, mol: Chem.Mol | None, name: str) -> Chem.Mol | None:
    carbons = [] if mol is None else _free_carbons(mol)
    return _add(mol, rng.choice(carbons), name) if carbons else None


def _present(rng: random.Random, mol: Chem.Mol) -> str | None:
    names = [name for name, pattern in _PATTERNS.items() if mol.HasSubstructMatch(pattern)]
    return rng.choice(names) if names else None


def _finished(mol: Chem.Mol | None) -> Molecule | None:
    return None if mol is None else stable(Chem.MolToSmiles(mol, isomericSmiles=False))
