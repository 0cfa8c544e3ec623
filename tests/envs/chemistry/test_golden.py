"""The same tasks and the same feedback on every version of RDKit and Python.

A change of a family changes its hash: copy the new one from the failure, and say so in the changelog.
"""

import hashlib
import json
import random

import pytest

pytest.importorskip("rdkit")

from mutated_smiles import mutated

from envs.chemistry.families import FAMILIES, load_family
from envs.chemistry.families.base import LEVELS
from envs.chemistry.molecules.pool import real_smiles
from envs.chemistry.smiles.read import Molecule, read_molecule
from envs.chemistry.tasks import make_question

GOLDEN = {
    "choice": "62881b0947a1d0ae",
    "count": "cefb7afd69c8f2fb",
    "formula": "3ae15e116cb5bbba",
    "contains": "619e7bb90e49b1d7",
    "chain": "3d6eaa7bedbea7d8",
    "atoms": "a447036a3e1bec08",
    "isomer": "fe63d51b13d1654c",
    "groups": "91b6572f3b4dc560",
    "property": "3781bace998e7ede",
    "complete": "999ff1d1599df2f9",
    "edit": "5fa1496a6bff6f9a",
    "optimize": "ab61d194cbc83c9f",
    "repair": "29c64509661cebf4",
    "reaction": "9ceba95f6cd59664",
    "name": "533fb1c454240495",
    "balance": "501ba8c6f913c8a3",
}

READ = "ebb21484ff9882ae"
"""What is said about 2,000 mutated molecules."""

ANSWERS = (
    "CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1", "CC(C)(C)(C)C", "c1cccc1", "CC1CC", "O=[N+]([O-])c1ccc(F)cc1", "3", "B",
    "C6H6O", "2 H2 + O2 -> 2 H2O",
)  # fmt: skip


def fingerprint(family: str) -> str:
    """A hash of 100 tasks of a family and of what is said to answers."""
    check = load_family(family).check
    digest = hashlib.sha256()
    for level in LEVELS:
        tasks = [make_question(family, level, "all", number) for number in range(20)]
        for i, task in enumerate(tasks):
            said = []
            for answer in (*ANSWERS, tasks[i - 1].answer):
                report = check(task.params, answer)
                problem = report.problem and [report.problem.message, report.problem.position]
                said.append([[c.text for c in report.checks], report.hints, problem, round(report.score, 6)])
            digest.update(json.dumps([task.text, task.params, task.answer, said]).encode())
    return digest.hexdigest()[:16]


def fingerprint_of_reading() -> str:
    """A hash of what is read from mutated molecules, or said about them."""
    rng = random.Random(1)
    digest = hashlib.sha256()
    for _ in range(2000):
        text = mutated(rng, real_smiles(rng, 40))
        read = read_molecule(text)
        said = str(read.formula) if isinstance(read, Molecule) else [read.message, read.position]
        digest.update(json.dumps([text, said]).encode())
    return digest.hexdigest()[:16]


def test_what_is_read_does_not_change():
    assert fingerprint_of_reading() == READ


@pytest.mark.parametrize("family", FAMILIES)
def test_tasks_and_feedback_do_not_change(family):
    assert fingerprint(family) == GOLDEN[family]
