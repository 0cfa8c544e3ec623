"""Real molecules that tasks are made from, and molecules drawn by level."""

from __future__ import annotations

import random
from bisect import bisect_right
from functools import cache
from pathlib import Path

from envs.chemistry.molecules.builder import assemble, tree
from envs.chemistry.smiles.motifs import odd_motif
from envs.chemistry.smiles.read import Molecule, molecule, read_molecule

FILE = Path(__file__).parent / "nci.txt"
"""Lines of heavy atoms and SMILES, smallest first; made by `build_pool`."""


@cache
def _pool() -> tuple[tuple[int, ...], tuple[str, ...]]:
    lines = [line.split() for line in FILE.read_text().splitlines() if not line.startswith("#")]
    return tuple(int(size) for size, _ in lines), tuple(smiles for _, smiles in lines)


def real_smiles(rng: random.Random, largest: int, smallest: int = 1) -> str:
    """A molecule of the pool of `smallest` to `largest` heavy atoms."""
    sizes, smiles = _pool()
    return smiles[rng.randrange(bisect_right(sizes, smallest - 1), bisect_right(sizes, largest))]


def draw_molecule(rng: random.Random, level: int) -> Molecule | None:
    """A molecule: the higher the level, 0 … 4, the larger. None where the draw led to one that is not stable."""
    if level == 0:
        return stable(tree(rng, rng.randint(3, 6), rng.choice((0, 1, 1))))
    if level == 1:
        return stable(tree(rng, rng.randint(5, 9), rng.choice((1, 2)), unsaturated=rng.random() < 0.4))
    if level == 2:
        return stable(assemble(rng, rng.choice((1, 2))))
    if level == 3 and rng.random() < 0.5:
        return stable(assemble(rng, rng.choice((2, 3))))
    return molecule(real_smiles(rng, 24, 8) if level == 3 else real_smiles(rng, 40, 14))


def draw_varied(rng: random.Random, level: int) -> Molecule | None:
    """Like `draw_molecule`, but at level 1 of more sizes, so that no molecule fits many questions."""
    return draw_molecule(rng, rng.choice((1, 2)) if level == 1 else level)


def stable(smiles: str) -> Molecule | None:
    """The molecule of a SMILES string if it is valid and stable."""
    read = read_molecule(smiles)
    if not isinstance(read, Molecule) or odd_motif(read.mol, stable=True):
        return None
    return read
