"""Balance a chemical equation. Needs no RDKit."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import Any

from envs.chemistry.families.base import Check, Family, Question, Report, listing
from envs.chemistry.smiles.lint import ELEMENTS, SmilesProblem

_METALS = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Ca": 2, "Ba": 2, "Zn": 2, "Al": 3}
_OXIDIZED = _METALS | {"Fe": 3, "Cu": 2, "Cr": 3, "Ti": 4, "Sn": 4, "Mn": 4, "Ni": 2, "Co": 2, "Ag": 1, "Pb": 2, "W": 6}
_NONMETALS = {"O2": ("O", 2), "S": ("S", 2), "F2": ("F", 1), "Cl2": ("Cl", 1), "Br2": ("Br", 1), "N2": ("N", 3)}
_ACIDS = {
    "HCl": ("Cl", 1), "HBr": ("Br", 1), "HNO3": ("NO3", 1), "H2SO4": ("SO4", 2), "H3PO4": ("PO4", 3),
    "HClO4": ("ClO4", 1), "CH3COOH": ("CH3COO", 1),
}  # fmt: skip
_OXIDIZING = ("HNO3", "HClO4")
_BASES = {"Fe": 3, "Cu": 2, "NH4": 1, "Sr": 2, "Cr": 3} | _METALS
_NITRIDES = ("Li", "Mg", "Ca", "Ba", "Al", "Zn")
_PRECIPITATES = {
    ("CO3", 2): ("Ba", "Ca", "Mg", "Zn"),
    ("PO4", 3): ("Ba", "Ca", "Mg", "Zn", "Al", "Fe", "Cr", "Cu", "Pb", "Ag"),
    ("SO4", 2): ("Ba", "Pb"),
    ("OH", 1): ("Mg", "Zn", "Al", "Fe", "Cr", "Cu", "Ni", "Co"),
    ("S", 2): ("Zn", "Cu", "Pb", "Ag", "Ni", "Co"),
    ("CrO4", 2): ("Ba", "Pb", "Ag"),
}
"""Anions and the cations with which they form salts that do not dissolve."""

_SOLUBLE = {"Na": 1, "K": 1, "NH4": 1, "Li": 1}
_REDUCTIONS = {
    ("CO", "CO2"): ("Fe", "Sn", "Ni", "Co", "Cu", "Pb"),
    ("H2", "H2O"): ("Fe", "W", "Ni", "Co", "Cu", "Sn"),
    ("Al", "Al2O3"): ("Fe", "Cr", "Mn", "Co", "Ni"),
    ("C", "CO"): ("Fe", "Sn", "Mn", "Zn", "Pb"),
    ("Mg", "MgO"): ("Ti", "Fe", "Cr"),
}
"""Reducing agents, what becomes of them, and the metals whose oxides they reduce."""

_REDOX = (
    "KMnO4 + HCl -> KCl + MnCl2 + Cl2 + H2O",
    "K2Cr2O7 + HCl -> KCl + CrCl3 + Cl2 + H2O",
    "Cu + HNO3 -> Cu(NO3)2 + NO + H2O",
    "Cu + HNO3 -> Cu(NO3)2 + NO2 + H2O",
    "Ag + HNO3 -> AgNO3 + NO + H2O",
    "Zn + HNO3 -> Zn(NO3)2 + NH4NO3 + H2O",
    "Zn + HNO3 -> Zn(NO3)2 + N2O + H2O",
    "P4 + HNO3 + H2O -> H3PO4 + NO",
    "P4 + NaOH + H2O -> NaH2PO2 + PH3",
    "Cl2 + NaOH -> NaCl + NaClO3 + H2O",
    "Cl2 + KOH -> KCl + KClO + H2O",
    "FeS2 + O2 -> Fe2O3 + SO2",
    "FeSO4 + KMnO4 + H2SO4 -> Fe2(SO4)3 + K2SO4 + MnSO4 + H2O",
    "FeSO4 + K2Cr2O7 + H2SO4 -> Fe2(SO4)3 + K2SO4 + Cr2(SO4)3 + H2O",
    "KI + KMnO4 + H2SO4 -> I2 + K2SO4 + MnSO4 + H2O",
    "H2C2O4 + KMnO4 + H2SO4 -> CO2 + K2SO4 + MnSO4 + H2O",
    "Na2SO3 + KMnO4 + H2SO4 -> Na2SO4 + K2SO4 + MnSO4 + H2O",
    "NH3 + O2 -> NO + H2O",
    "NH3 + NO -> N2 + H2O",
    "(NH4)2Cr2O7 -> N2 + Cr2O3 + H2O",
    "I2 + HNO3 -> HIO3 + NO2 + H2O",
    "S + HNO3 -> H2SO4 + NO2 + H2O",
    "Al + NaOH + H2O -> NaAl(OH)4 + H2",
    "CrCl3 + H2O2 + NaOH -> Na2CrO4 + NaCl + H2O",
    "MnO2 + KOH + O2 -> K2MnO4 + H2O",
    "Ca3(PO4)2 + SiO2 + C -> CaSiO3 + CO + P4",
    "KClO3 + P4 -> KCl + P4O10",
    "N2H4 + N2O4 -> N2 + H2O",
    "Fe2O3 + NaNO3 + NaOH -> Na2FeO4 + NaNO2 + H2O",
    "As2O3 + HNO3 + H2O -> H3AsO4 + NO",
)
_ARROW = re.compile(r"-+>|=+>?|[→⟶⇌]")
_TERM = re.compile(r"([1-9][0-9]{0,3})?\s*\*?\s*([A-Za-z()][A-Za-z0-9()]*)")
_MOST_SPECIES = 12

Sides = tuple[list[str], list[str]]


def _propose(rng: random.Random, level: int) -> Question | None:
    left, right = (_synthesis, _combustion_or_metal, _neutralization, _exchange, _hard)[level](rng)
    numbers = balance(left, right)
    if numbers is None or (level > 0 and max(numbers) == 1):
        return None
    answer = _write(left, right, numbers)
    rng.shuffle(left)
    rng.shuffle(right)
    text = f"Balance the equation with the smallest whole numbers: {' + '.join(left)} -> {' + '.join(right)}"
    identity = f"{' + '.join(sorted(left))} -> {' + '.join(sorted(right))}"
    return Question(text, {"left": left, "right": right}, answer, identity)


def _synthesis(rng: random.Random) -> Sides:
    element, (anion, charge) = rng.choice(list(_NONMETALS.items()))
    if rng.random() < 0.2:
        element, anion, charge = rng.choice((("O2", "O", 2), ("F2", "F", 1), ("Cl2", "Cl", 1), ("Br2", "Br", 1)))
        return ["H2", element], [_salt("H", 1, anion, charge)]
    metal = rng.choice(_NITRIDES if element == "N2" else list(_OXIDIZED))
    return [metal, element], [_salt(metal, _OXIDIZED[metal], anion, charge)]


def _combustion_or_metal(rng: random.Random) -> Sides:
    if rng.random() < 0.6:
        carbons = rng.randint(2, 18)
        unsaturation = rng.randint(0, carbons // 2 + 1)
        return [_counts({"C": carbons, "H": 2 * carbons + 2 - 2 * unsaturation}), "O2"], ["CO2", "H2O"]
    metal, acid = rng.choice(list(_METALS)), rng.choice([acid for acid in _ACIDS if acid not in _OXIDIZING])
    return [metal, acid], [_salt(metal, _METALS[metal], *_ACIDS[acid]), "H2"]


def _neutralization(rng: random.Random) -> Sides:
    if rng.random() < 0.4:
        carbons = rng.randint(1, 12)
        formula = {"C": carbons, "H": 2 * carbons + 2 - 2 * rng.randint(0, carbons // 2), "O": rng.randint(1, 4)}
        return [_counts(formula), "O2"], ["CO2", "H2O"]
    metal, acid = rng.choice(list(_BASES)), rng.choice(list(_ACIDS))
    return [_salt(metal, _BASES[metal], "OH", 1), acid], [_salt(metal, _BASES[metal], *_ACIDS[acid]), "H2O"]


def _exchange(rng: random.Random) -> Sides:
    """A precipitation, a carbonate with an acid, or the reduction of an oxide."""
    kind = rng.randrange(3)
    if kind == 0:
        anion = rng.choice(list(_PRECIPITATES))
        cation, partner = rng.choice(_PRECIPITATES[anion]), rng.choice(list(_SOLUBLE))
        acid = "NO3" if cation in ("Ag", "Pb") else rng.choice(("Cl", "NO3", "Br"))
        charge = _OXIDIZED[cation]
        left = [_salt(cation, charge, acid, 1), _salt(partner, 1, *anion)]
        return left, [_salt(cation, charge, *anion), _salt(partner, 1, acid, 1)]
    if kind == 1:
        metal, acid = rng.choice([metal for metal in _METALS if metal not in ("Al", "Zn")]), rng.choice(list(_ACIDS))
        anion = rng.choice((("CO3", 2), ("HCO3", 1)))
        salt = _salt(metal, _METALS[metal], *_ACIDS[acid])
        return [_salt(metal, _METALS[metal], *anion), acid], [salt, "H2O", "CO2"]
    agent, result = rng.choice(list(_REDUCTIONS))
    metal = rng.choice(_REDUCTIONS[agent, result])
    return [_salt(metal, _OXIDIZED[metal], "O", 2), agent], [metal, result]


def _hard(rng: random.Random) -> Sides:
    """A redox reaction, or the combustion of a compound with nitrogen or sulfur."""
    if rng.random() < 0.4:
        left, right = rng.choice(_REDOX).split(" -> ")
        return left.split(" + "), right.split(" + ")
    carbons = rng.randint(2, 20)
    nitrogens = rng.randint(0, 4)
    formula = {"C": carbons, "H": 2 * carbons + 2 + nitrogens - 2 * rng.randint(0, carbons // 2)}
    formula |= {"N": nitrogens, "O": rng.randint(0, 5), "S": rng.randint(0, 2)}
    products = ["CO2", "H2O", *(["N2"] if nitrogens else []), *(["SO2"] if formula["S"] else [])]
    return [_counts(formula), "O2"], products


def _counts(formula: Mapping[str, int]) -> str:
    return "".join(element + (str(n) if n > 1 else "") for element, n in formula.items() if n)


def _salt(cation: str, charge: int, anion: str, other: int) -> str:
    common = lcm(charge, other)
    return _times(cation, common // charge) + _times(anion, common // other)


def _times(ion: str, n: int) -> str:
    if n == 1:
        return ion
    single = re.fullmatch(r"[A-Z][a-z]?", ion)
    return f"{ion}{n}" if single else f"({ion}){n}"


def balance(left: Sequence[str], right: Sequence[str]) -> list[int] | None:
    """The smallest whole numbers that balance an equation, or None if there are none or several solutions."""
    columns = [atoms(species) for species in (*left, *right)]
    elements = sorted(set().union(*columns))
    rows = [[Fraction(c[e] * (1 if i < len(left) else -1)) for i, c in enumerate(columns)] for e in elements]
    pivots: list[int] = []
    for column in range(len(columns)):
        row = next((r for r in range(len(pivots), len(rows)) if rows[r][column]), None)
        if row is None:
            continue
        top = len(pivots)
        rows[top], rows[row] = rows[row], rows[top]
        rows[top] = [value / rows[top][column] for value in rows[top]]
        for r in range(len(rows)):
            if r != top and rows[r][column]:
                factor = rows[r][column]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[top], strict=True)]
        pivots.append(column)
    free = [column for column in range(len(columns)) if column not in pivots]
    if len(free) != 1:
        return None
    solution = [Fraction(1)] * len(columns)
    for row, column in enumerate(pivots):
        solution[column] = -rows[row][free[0]]
    scale = lcm(*(value.denominator for value in solution))
    numbers = [int(value * scale) for value in solution]
    return numbers if all(n > 0 for n in numbers) else None


def atoms(species: str) -> Counter[str]:
    """Numbers of atoms in a formula, which may have parentheses.

    Raises:
        ValueError: it is no formula.
    """
    stack: list[Counter[str]] = [Counter()]
    end = 0
    for match in re.finditer(r"([A-Z][a-z]?)([0-9]{0,3})|(\()|\)([0-9]{0,3})", species):
        element, number, opening, outside = match.groups()
        if match.start() != end:
            break
        end = match.end()
        if opening:
            stack.append(Counter())
        elif element:
            if element not in ELEMENTS:
                raise ValueError(f"{element} is no element")
            stack[-1][element] += int(number or 1)
        elif len(stack) == 1:
            raise ValueError("a parenthesis closes that was not opened")
        else:
            inner = stack.pop()
            for name, n in inner.items():
                stack[-1][name] += n * int(outside or 1)
    if end != len(species) or len(stack) != 1 or not stack[0]:
        raise ValueError("not a formula")
    return stack[0]


def _write(left: Sequence[str], right: Sequence[str], numbers: Sequence[int]) -> str:
    terms = [f"{n if n > 1 else ''}{' ' if n > 1 else ''}{s}" for n, s in zip(numbers, (*left, *right), strict=True)]
    return f"{' + '.join(terms[: len(left)])} -> {' + '.join(terms[len(left) :])}"


def _parse(answer: str) -> list[dict[str, int]] | str:
    """The two sides as numbers by species, or what is wrong with the answer's form."""
    sides = _ARROW.split(answer)
    if len(sides) != 2:
        return "the answer must be one equation, with one arrow ->"
    parsed = []
    for side in sides:
        terms: dict[str, int] = {}
        parts = side.split("+")
        if len(parts) > _MOST_SPECIES:
            return "the equation has too many terms"
        for part in parts:
            match = _TERM.fullmatch(part.strip())
            if match is None:
                return "each term must be a whole number, which may be left out if it is 1, and a formula"
            species = match[2]
            terms[species] = terms.get(species, 0) + int(match[1] or 1)
        parsed.append(terms)
    return parsed


def _check(params: Mapping[str, Any], answer: str) -> Report:
    parsed = _parse(answer)
    if isinstance(parsed, str):
        return Report(problem=SmilesProblem(parsed))
    checks = []
    for name, terms, wanted in zip(("left", "right"), parsed, (params["left"], params["right"]), strict=True):
        good = set(terms) == set(wanted)
        text = f"{name} side: {'right' if good else f'must contain exactly {listing(wanted)}'}"
        checks.append(Check(f"{name} side", good, text))
    if not all(check.passed for check in checks):
        return Report(tuple(checks), ("write the formulas as they are given, and put numbers only in front of them",))
    totals = [_total(terms) for terms in parsed]
    off = [element for element in sorted(set(totals[0]) | set(totals[1])) if totals[0][element] != totals[1][element]]
    text = "balance: " + (
        "; ".join(f"{e} {totals[0][e]} on the left, {totals[1][e]} on the right" for e in off) if off else "right"
    )
    elements = len(set(totals[0]) | set(totals[1]))
    checks.append(Check("balance", not off, text, 1 - len(off) / elements))
    common = reduce(gcd, [n for terms in parsed for n in terms.values()])
    text = "smallest numbers: " + ("right" if common == 1 else f"all numbers can be divided by {common}")
    checks.append(Check("smallest numbers", common == 1, text))
    hints = ("begin with the element that occurs in the fewest formulas, and leave O and H for last",) if off else ()
    return Report(tuple(checks), hints)


def _total(terms: Mapping[str, int]) -> Counter[str]:
    total: Counter[str] = Counter()
    for species, n in terms.items():
        for element, count in atoms(species).items():
            total[element] += n * count
    return total


FAMILY = Family("balance", "the balanced equation", _propose, _check)
