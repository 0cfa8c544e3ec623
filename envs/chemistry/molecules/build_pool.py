"""Makes `nci.txt`, the pool of real molecules: python -m envs.chemistry.molecules.build_pool FILE > nci.txt

FILE has a SMILES string at the beginning of each line; RDKit's wheel has one at Data/NCI/first_5K.smi.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rdkit import Chem

from envs.chemistry.molecules.pool import stable

LARGEST = 40
HEADER = """\
# Molecules of the National Cancer Institute's open database: those of RDKit's Data/NCI/first_5K.smi, which may be used
# by anyone for whatever purpose, that a chemist would accept, without stereochemistry. Heavy atoms, SMILES."""


def main() -> None:
    found: dict[str, int] = {}
    for line in Path(sys.argv[1]).read_text().splitlines():
        mol = Chem.MolFromSmiles(line.split()[0]) if line.split() else None
        if mol is None or mol.GetNumAtoms() > LARGEST:
            continue
        smiles = Chem.MolToSmiles(mol, isomericSmiles=False)
        if stable(smiles):
            found[smiles] = mol.GetNumAtoms()
    print(HEADER)
    for smiles, size in sorted(found.items(), key=lambda item: (item[1], item[0])):
        print(size, smiles)


if __name__ == "__main__":
    main()
