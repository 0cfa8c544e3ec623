"""Molecular formulas: read, written in Hill order, compared in words. Needs no RDKit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdkit import Chem

ATOMIC_WEIGHTS = {
    "H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "P": 30.974, "S": 32.06, "Cl": 35.45,
    "Br": 79.904, "I": 126.904,
}  # fmt: skip
"""g/mol. A table of our own, as RDKit's changes with its version."""

NAMES = {
    "H": "hydrogen", "B": "boron", "C": "carbon", "N": "nitrogen", "O": "oxygen", "F": "fluorine", "P": "phosphorus",
    "S": "sulfur", "Cl": "chlorine", "Br": "bromine", "I": "iodine",
}  # fmt: skip

_VALENCES = {"C": 4, "N": 3, "B": 3, "P": 3, "H": 1, "F": 1, "Cl": 1, "Br": 1, "I": 1, "O": 2, "S": 2}
_TERM = re.compile(r"([A-Z][a-z]?)([0-9]{0,3})")


class Formula(dict[str, int]):
    """Numbers of atoms by element, without zeros."""

    def __init__(self, counts: Mapping[str, int]):
        super().__init__({element: n for element, n in counts.items() if n})

    @classmethod
    def of(cls, mol: Chem.Mol) -> Formula:
        counts: dict[str, int] = {"H": 0}
        for atom in mol.GetAtoms():
            counts[atom.GetSymbol()] = counts.get(atom.GetSymbol(), 0) + 1
            counts["H"] += atom.GetTotalNumHs()
        return cls(counts)

    @classmethod
    def parse(cls, text: str) -> Formula | None:
        """Read a formula without parentheses, such as `C2H6O`; None if it is none."""
        counts: dict[str, int] = {}
        end = 0
        for match in _TERM.finditer(text):
            element, number = match.groups()
            if match.start() != end or element not in ATOMIC_WEIGHTS or number.startswith("0"):
                return None
            counts[element] = counts.get(element, 0) + int(number or 1)
            end = match.end()
        return cls(counts) if counts and end == len(text) else None

    def __str__(self) -> str:
        """Hill order: carbon and hydrogen first, then the alphabet."""
        elements = sorted(self)
        if "C" in self:
            elements = ["C", *(["H"] if "H" in self else []), *(e for e in elements if e not in ("C", "H"))]
        return "".join(f"{element}{self[element] if self[element] > 1 else ''}" for element in elements)

    @cached_property
    def weight(self) -> float:
        """g/mol."""
        return sum(ATOMIC_WEIGHTS[element] * n for element, n in self.items())

    @cached_property
    def unsaturation(self) -> float:
        """Rings and double bonds together (a triple bond counts as two), by usual valences."""
        return 1 + sum((_VALENCES[element] - 2) * n for element, n in self.items()) / 2

    def closeness(self, required: Mapping[str, int]) -> float:
        """1 for equal formulas, towards 0 the more atoms differ."""
        elements = set(self) | set(required)
        off = sum(abs(self.get(e, 0) - required.get(e, 0)) for e in elements)
        return max(0.0, 1 - off / max(sum(required.values()), 1))


def difference(found: Mapping[str, int], required: Mapping[str, int]) -> str:
    """What has to change, such as `1 more C and 2 fewer H`; "" for equal formulas."""
    parts = []
    for element in sorted(set(found) | set(required), key=lambda e: (e != "C", e == "H", e)):
        missing = required.get(element, 0) - found.get(element, 0)
        if missing:
            parts.append(f"{abs(missing)} {'more' if missing > 0 else 'fewer'} {element}")
    return " and ".join(parts)
