"""Arrangements of atoms that a chemist would not accept.

Answers may hold none of `UNREASONABLE`. Generated molecules hold none of `UNSTABLE` either: these exist only in special
cases, or turn into something else, so that they are no good examples.
"""

from __future__ import annotations

from functools import cache

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

UNREASONABLE = {
    "an O-O bond (peroxide)": "[#8]-[#8]",
    "a halogen on oxygen or nitrogen": "[#7,#8]-[F,Cl,Br,I]",
    "a halogen on a divalent sulfur or on another halogen": "[$([SX2]),F,Cl,Br,I]-[F,Cl,Br,I]",
    "a chain of three or more singly bonded heteroatoms": "[N,O,S;X2,X3;+0;!R]-[N,O,S;X2,X3;+0]-[N,O,S;X2,X3;+0;!R]",
    "a carbon with two OH groups": "[CX4]([OX2H])[OX2H]",
    "a cumulated chain of three or more double bonds": "*=*=*=*",
    "a linear (sp) atom in a small ring": "[$([#6;r3,r4,r5,r6,r7]#*),$([#6;r3,r4,r5,r6,r7](=*)=*)]",
    "a tetrahedrane cage": "*12*3*1*23",
    "a cyclobutadiene ring": "C1=CC=C1",
}

UNSTABLE = {
    "a hemiacetal or hemiaminal": "[CX4;!$(C(F)(F)F)]([OX2H,NX3H1,NX3H2,SX2H])[OX2,NX3,SX2,F,Cl,Br,I]",
    "two heteroatoms on one saturated carbon": "[CX4;!R;!$(C(F)F)]([O,N,S,Cl,Br,I])[O,N,S,F,Cl,Br,I]",
    "an enol, enamine with N-H, or thioenol": "[CX3;!$(C=[O,N,S])](=[CX3])[OX2H,NX3H1,NX3H2,SX2H]",
    "a carbamic or carbonic acid": "[N,O,S;X2,X3]-[CX3](=[O,S])[OX2H,SX2H]",
    "an acyl halide or anhydride of a carbamic kind": "[N,O,S]-[CX3](=[O,S])[Cl,Br,I]",
    "an N-H imine": "[CX3]=[NX2H]",
    "a nitrosamine or nitrite": "[N,O,S]-[NX2]=O",
    "a triazene": "[NX3]-N=N",
    "a ketene or isocyanide": "[$([#6]=C=O),$([C-])]",
    "an allene": "[#6]=[#6]=[#6]",
    "a nitrate": "O-[N+](=O)[O-]",
    "an N-oxygen single bond to a saturated nitrogen": "[NX3;+0]-[OX2]",
    "a thioacid or thioaldehyde": "[#6]=[SX1]",
    "a free hydrazine": "[NX3]-[NX3]",
    "a small ring with a double bond": "[r3]=[r3]",
}


@cache
def _patterns(stable: bool) -> tuple[tuple[str, Chem.Mol], ...]:
    table = UNREASONABLE | UNSTABLE if stable else UNREASONABLE
    return tuple((name, Chem.MolFromSmarts(smarts)) for name, smarts in table.items())


def odd_motif(mol: Chem.Mol, *, stable: bool = False) -> str | None:
    """Name of the first arrangement in a sanitized molecule that is not acceptable, or None.

    Args:
        mol: The molecule.
        stable: Look also for what is only unstable.
    """
    for name, pattern in _patterns(stable):
        if mol.HasSubstructMatch(pattern):
            return name
    return "a double bond at a bridgehead" if _breaks_bredts_rule(mol) else None


def _breaks_bredts_rule(mol: Chem.Mol) -> bool:
    bridgeheads: list[int] = []
    if not rdMolDescriptors.CalcNumBridgeheadAtoms(mol, bridgeheads):
        return False
    return any(
        bond.GetBondType() == Chem.BondType.DOUBLE and bond.IsInRing()
        for index in bridgeheads
        for bond in mol.GetAtomWithIdx(index).GetBonds()
    )
