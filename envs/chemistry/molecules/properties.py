"""Numbers that describe a molecule. Definitions that differ between versions of RDKit are our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors

from envs.chemistry.smiles.read import Molecule

_DONOR = Chem.MolFromSmarts("[#7,#8;!H0]")
_ACCEPTOR = Chem.MolFromSmarts(
    "[$([O,o;+0]),$([O-]),$([NX3;+0;!$(N-[#6,#16]=[O,N,S]);!$(N-a)]),$([NX2;+0]),$([NX1;+0]),$([nX2;+0])]"
)
_ROTATABLE = Chem.MolFromSmarts("[!D1;!$(*#*)]-;!@[!D1;!$(*#*)]")
_AMIDE_BOND = Chem.MolFromSmarts("[CX3](=[O,S])-;!@[NX3]")


@dataclass(frozen=True)
class Property:
    name: str
    definition: str
    unit: str
    digits: int
    value: Callable[[Molecule], float]
    to_raise: str
    to_lower: str

    def of(self, molecule: Molecule) -> float:
        """The value, rounded to `digits` so that it is the same on every machine, and never a negative zero."""
        known = molecule.cache.get(self.name)
        if known is None:
            known = molecule.cache[self.name] = round(self.value(molecule), self.digits) + 0.0
        return known

    def how_to_change(self, up: bool) -> str:
        """A hint."""
        return f"to {'raise' if up else 'lower'} the {self.name}: {self.to_raise if up else self.to_lower}"

    def show(self, value: float) -> str:
        return f"{value:.{self.digits}f}{self.unit}"


def _rotatable(molecule: Molecule) -> int:
    bonds = {frozenset(match) for match in molecule.mol.GetSubstructMatches(_ROTATABLE)}
    amides = {frozenset((c, n)) for c, _, n in molecule.mol.GetSubstructMatches(_AMIDE_BOND)}
    return len(bonds - amides)


PROPERTIES = {
    "weight": Property(
        "molar mass",
        "the sum of the atomic weights",
        " g/mol",
        1,
        lambda m: m.formula.weight,
        "add atoms, or heavier ones",
        "remove atoms, or use lighter ones",
    ),
    "logp": Property(
        "logP",
        "Crippen's estimate of the octanol-water partition coefficient",
        "",
        2,
        lambda m: Crippen.MolLogP(m.mol),
        "add carbons, rings or halogens, or remove polar groups",
        "add polar groups with O or N, or remove carbons and halogens",
    ),
    "tpsa": Property(
        "TPSA",
        "the topological polar surface area, from N and O",
        " A^2",
        1,
        lambda m: rdMolDescriptors.CalcTPSA(m.mol),
        "add groups with O or N, above all with O-H or N-H",
        "remove groups with O or N, or their hydrogens",
    ),
    "donors": Property(
        "number of H-bond donors",
        "N and O atoms that carry hydrogen",
        "",
        0,
        lambda m: len(m.mol.GetSubstructMatches(_DONOR)),
        "add O-H or N-H groups",
        "remove O-H or N-H groups",
    ),
    "acceptors": Property(
        "number of H-bond acceptors",
        "O atoms, and N atoms with a free lone pair: not in amides, anilines, nitro groups or [nH]",
        "",
        0,
        lambda m: len(m.mol.GetSubstructMatches(_ACCEPTOR)),
        "add O atoms or amine, nitrile or pyridine-like N atoms",
        "remove O and N atoms",
    ),
    "rotatable": Property(
        "number of rotatable bonds",
        "single bonds outside rings between atoms that are not at an end, without amide C-N bonds",
        "",
        0,
        _rotatable,
        "lengthen the chains",
        "shorten the chains, or close them to rings",
    ),
    "rings": Property(
        "number of rings",
        "independent cycles",
        "",
        0,
        lambda m: m.rings,
        "close a ring with a pair of equal ring labels",
        "open a ring",
    ),
    "heavy": Property(
        "number of heavy atoms",
        "atoms other than hydrogen",
        "",
        0,
        lambda m: m.heavy_atoms,
        "add atoms",
        "remove atoms",
    ),
}
