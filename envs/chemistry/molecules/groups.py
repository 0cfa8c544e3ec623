"""Functional groups, by name."""

from __future__ import annotations

from rdkit import Chem

from envs.chemistry.smiles.read import Molecule

_AMINE = "!$(N-C=[O,N,S]);!$(N-S=O);!$(N-[N,O]);!$(N-C#N)"
_CARBON_OF_ETHER = "[#6;!$(C=[O,N,S])]"

GROUPS = {
    "carboxylic acid": "[CX3;$(C[#6]),$([CH1])](=O)[OX2H]",
    "ester": f"[CX3;$(C[#6]),$([CH1])](=O)[OX2]{_CARBON_OF_ETHER}",
    "amide": "[CX3;$(C[#6]),$([CH1])](=O)[NX3]",
    "aldehyde": "[CX3H1](=O)[#6]",
    "ketone": "[CX3](=O)([#6])[#6]",
    "alcohol": "[CX4][OX2H]",
    "phenol": "c[OX2H]",
    "ether": f"[OX2]({_CARBON_OF_ETHER}){_CARBON_OF_ETHER}",
    "primary amine": f"[NX3;H2;+0;{_AMINE}][#6]",
    "secondary amine": f"[NX3;H1;+0;{_AMINE}]([#6])[#6]",
    "tertiary amine": f"[NX3;H0;+0;{_AMINE}]([#6])([#6])[#6]",
    "nitrile": "[#6][CX2]#[NX1]",
    "nitro group": "[#6][N+](=O)[O-]",
    "thiol": "[#6][SX2H]",
    "thioether": "[#6][SX2][#6]",
    "sulfonamide": "[#6][SX4](=O)(=O)[NX3]",
    "sulfone": "[#6][SX4](=O)(=O)[#6]",
    "fluorine atom": "[F]",
    "chlorine atom": "[Cl]",
    "bromine atom": "[Br]",
    "iodine atom": "[I]",
    "C=C double bond": "[CX3]=[CX3]",
    "C#C triple bond": "[CX2]#[CX2]",
    "benzene ring": "c1ccccc1",
    "pyridine ring": "n1ccccc1",
    "furan ring": "o1cccc1",
    "thiophene ring": "s1cccc1",
}

HOW_TO_WRITE = {
    "carboxylic acid": "a carbon with =O and an OH on it",
    "ester": "a carbon with =O on it, then an O that is bonded to the next carbon",
    "amide": "a carbon with =O and a nitrogen on it",
    "aldehyde": "a carbon at the end of a chain with =O on it",
    "ketone": "a carbon inside a chain with =O on it, that is, in a branch",
    "alcohol": "an O at the end of a chain or branch, on a saturated carbon",
    "phenol": "an O on a lower-case (aromatic) carbon",
    "ether": "an O between two carbons",
    "primary amine": "an N at the end of a chain or branch",
    "secondary amine": "an N between two carbons",
    "tertiary amine": "an N bonded to three carbons",
    "nitrile": "a carbon with a triple bond (#) to an N",
    "nitro group": "[N+] with =O and [O-] on it, bonded to a carbon",
    "thiol": "an S at the end of a chain or branch",
    "thioether": "an S between two carbons",
    "sulfonamide": "an S with two =O and a nitrogen on it",
    "sulfone": "an S with two =O, between two carbons",
    "fluorine atom": "written with its symbol, at the end of a chain or branch",
    "chlorine atom": "written with its symbol of two letters, the second one small",
    "bromine atom": "written with its symbol of two letters, the second one small",
    "iodine atom": "written with its symbol, at the end of a chain or branch",
    "C=C double bond": "an = between two carbons",
    "C#C triple bond": "a # between two carbons",
    "benzene ring": "six lower-case c, of which the first and the last carry the same ring label",
    "pyridine ring": "six lower-case ring atoms, of which one is n",
    "furan ring": "five lower-case ring atoms, of which one is o",
    "thiophene ring": "five lower-case ring atoms, of which one is s",
}
"""Hints. None of them is a molecule itself."""

_PATTERNS = {name: Chem.MolFromSmarts(smarts) for name, smarts in GROUPS.items()}


def count_groups(molecule: Molecule) -> dict[str, int]:
    """How often each group occurs; groups that do not occur are left out."""
    counts = molecule.cache.get("groups")
    if counts is None:
        found = {name: len(molecule.mol.GetSubstructMatches(pattern)) for name, pattern in _PATTERNS.items()}
        counts = molecule.cache["groups"] = {name: n for name, n in found.items() if n}
    return counts
