"""SMILES strings with wrong characters, and RDKit's word on them. Used by tests and benchmarks of the linter."""

from __future__ import annotations

import random

from rdkit import Chem, RDLogger

ALPHABET = "CNOSPFIBHclnosbr()[]=#-+123456789%@/\\.:*~$><"

_PARAMETERS = Chem.SmilesParserParams()
_PARAMETERS.sanitize = False
_PARAMETERS.removeHs = False
_PARAMETERS.allowCXSMILES = False
_PARAMETERS.parseName = False
_PARAMETERS.strictCXSMILES = True

RDLogger.DisableLog("rdApp.*")


def mutated(rng: random.Random, text: str) -> str:
    """The text after none to three random edits."""
    signs = list(text)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        at = rng.randrange(len(signs))
        match rng.randrange(5):
            case 0 if len(signs) > 1:
                del signs[at]
            case 1:
                signs.insert(at, rng.choice(ALPHABET))
            case 2:
                signs[at] = rng.choice(ALPHABET)
            case 3:
                other = rng.randrange(len(signs))
                signs[at], signs[other] = signs[other], signs[at]
            case 4:
                signs = signs[:at] or signs
    return "".join(signs)


def parses(text: str) -> bool:
    """Whether RDKit reads a text as SMILES, without asking whether the molecule makes sense."""
    return Chem.MolFromSmiles(text, _PARAMETERS) is not None
