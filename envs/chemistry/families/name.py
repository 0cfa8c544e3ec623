"""From a systematic name to the structure. The names are made by rules, for chains and simple rings."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Question, Report
from envs.chemistry.families.smiles_answers import formula_check, same_molecule, smiles_family
from envs.chemistry.smiles.read import Molecule, molecule

STEMS = ("", "meth", "eth", "prop", "but", "pent", "hex", "hept", "oct", "non", "dec", "undec", "dodec")
_TIMES = ("", "", "di", "tri", "tetra")
_HALOGENS = {"fluoro": "F", "chloro": "Cl", "bromo": "Br", "iodo": "I"}
_PREFIXES = _HALOGENS | {"methyl": "C", "ethyl": "CC", "methoxy": "OC", "nitro": "[N+](=O)[O-]", "propyl": "CCC"}
_ON_CARBON_1 = {"oic acid": "(=O)O", "al": "=O", "enitrile": "#N", "amide": "(N)=O"}
"""Suffixes whose carbon is carbon 1, and what that carbon carries. All but the nitrile lack the e of the alkane."""

_ON_ANY = {"ol": "O", "amine": "N", "thiol": "S"}
_CYCLOHEXANES = {"cyclohexan-1-ol": "O", "cyclohexan-1-amine": "N", "cyclohexane": None}
_BENZENES = {"benzene": None, "phenol": "O", "aniline": "N", "benzoic acid": "C(=O)O", "benzonitrile": "C#N",
             "benzaldehyde": "C=O"}  # fmt: skip


def _propose(rng: random.Random, level: int) -> Question | None:
    name, smiles = (_unbranched, _placed, _branched, _branched_with_suffix, _ring)[level](rng)
    text = f"Give the SMILES string of {name}."
    return Question(text, {"smiles": smiles}, smiles)


def _unbranched(rng: random.Random) -> tuple[str, str]:
    length = rng.randint(1, 10)
    kind = rng.choice(("", "", "ol", "amine", "oic acid", "al", "enitrile", *_HALOGENS))
    if kind in _HALOGENS:
        locant = "1-" if length > 2 else ""
        return f"{locant}{kind}{STEMS[length]}ane", _HALOGENS[kind] + "C" * length
    if kind in _ON_CARBON_1:
        return _suffixed(length, kind), _chain(length, {}, kind, 1)
    if kind:
        locant = "-1-" if length > 2 else ""
        return f"{STEMS[length]}an{locant}{kind}", "C" * length + _ON_ANY[kind]
    return f"{STEMS[length]}ane", "C" * length


def _placed(rng: random.Random) -> tuple[str, str]:
    """One group or multiple bond inside a chain."""
    length = rng.randint(4, 12)
    kind = rng.choice(("ol", "amine", "thiol", "one", "ene", "yne", *_HALOGENS))
    if kind in ("ene", "yne"):
        at = rng.randint(1, length // 2)
        bond = "=" if kind == "ene" else "#"
        return f"{STEMS[length]}-{at}-{kind}", "C" * at + bond + "C" * (length - at)
    at = rng.randint(2, (length + 1) // 2)
    if kind in _HALOGENS:
        return f"{at}-{kind}{STEMS[length]}ane", _chain(length, {at: [kind]}, "", 0)
    return f"{STEMS[length]}an-{at}-{kind}", _chain(length, {}, kind, at)


def _branched(rng: random.Random) -> tuple[str, str]:
    length = rng.randint(4, 10)
    groups = _draw_groups(rng, length, rng.choice((1, 2, 2, 3)))
    other = {length + 1 - at: names for at, names in groups.items()}
    groups = min(groups, other, key=_lowest)
    return f"{_cited(groups)}{STEMS[length]}ane", _chain(length, groups, "", 0)


def _branched_with_suffix(rng: random.Random) -> tuple[str, str]:
    length = rng.randint(4, 10)
    kind = rng.choice((*_ON_CARBON_1, *_ON_ANY, "one"))
    if kind in _ON_CARBON_1:
        groups = _draw_groups(rng, length, rng.choice((1, 2)))
        return _cited(groups) + _suffixed(length, kind), _chain(length, groups, kind, 1)
    at = rng.randint(2, length - 1)
    groups = _draw_groups(rng, length, rng.choice((1, 2)), avoid=at)
    other = {length + 1 - place: names for place, names in groups.items()}
    at, groups = min((at, groups), (length + 1 - at, other), key=lambda way: (way[0], _lowest(way[1])))
    return f"{_cited(groups)}{STEMS[length]}an-{at}-{kind}", _chain(length, groups, kind, at)


def _ring(rng: random.Random) -> tuple[str, str]:
    """A benzene or a cyclohexane with up to three groups."""
    if rng.random() < 0.7:
        parent, atoms = rng.choice(list(_BENZENES)), ["c"] * 6
        head = _BENZENES[parent]
        count = rng.choice((1, 2)) if head else rng.choice((2, 3))
    else:
        parent, atoms = rng.choice(list(_CYCLOHEXANES)), ["C"] * 6
        head = _CYCLOHEXANES[parent]
        count = 1 if head else 2
    prefixes = [name for name in _PREFIXES if parent in _BENZENES or name not in ("nitro", "methoxy")]
    places = rng.sample(range(2, 7) if head else range(1, 7), count)
    groups = {place: [rng.choice(prefixes)] for place in places}
    groups = min(_numberings(groups, bool(head)), key=_lowest)
    text = ""
    for at, atom in enumerate(atoms, 1):
        carried = head if head and at == 1 else _PREFIXES[groups[at][0]] if at in groups else ""
        atom += "1" if at in (1, 6) else ""
        text += atom + (f"({carried})" if carried and at < 6 else carried)
    return _cited(groups) + parent, text


def _numberings(groups: Mapping[int, list[str]], fixed: bool) -> list[dict[int, list[str]]]:
    """All ways to number a ring of six; with `fixed`, atom 1 stays."""
    ways = []
    for shift in range(1 if fixed else 6):
        for sign in (1, -1):
            ways.append({(sign * (at - 1) + shift) % 6 + 1: names for at, names in groups.items()})
    return ways


def _draw_groups(rng: random.Random, length: int, count: int, avoid: int = 0) -> dict[int, list[str]]:
    """Groups on inner carbons, placed so that none of them lengthens the chain. At most two on a carbon."""
    groups: dict[int, list[str]] = defaultdict(list)
    for _ in range(count):
        at = rng.randint(2, length - 1)
        names = ["methyl", "methyl", *_HALOGENS]
        if 3 <= at <= length - 2:
            names.append("ethyl")
        name = rng.choice(names)
        halogens = sum(n in _HALOGENS for n in groups[at])
        if at != avoid and len(groups[at]) < 2 and not (name in _HALOGENS and halogens):
            groups[at].append(name)
    return {at: sorted(names) for at, names in groups.items() if names}


def _lowest(groups: Mapping[int, list[str]]) -> tuple[list[int], list[tuple[str, int]]]:
    """Sort key of a numbering: the lowest set of locants, then the first cited group lowest."""
    locants = sorted(at for at, names in groups.items() for _ in names)
    return locants, sorted((name, at) for at, names in groups.items() for name in names)


def _cited(groups: Mapping[int, list[str]]) -> str:
    """The groups as prefixes in alphabetical order, with their locants."""
    places: dict[str, list[int]] = defaultdict(list)
    for at in sorted(groups):
        for name in groups[at]:
            places[name].append(at)
    return "-".join(f"{','.join(map(str, places[name]))}-{_TIMES[len(places[name])]}{name}" for name in sorted(places))


def _suffixed(length: int, suffix: str) -> str:
    return f"{STEMS[length]}an{suffix}"


def _chain(length: int, groups: Mapping[int, list[str]], suffix: str, at: int) -> str:
    """An unbranched chain with groups and one suffix on carbon `at`, written from carbon `length` to carbon 1."""
    text = ""
    for place in range(length, 0, -1):
        branches = [_PREFIXES[name] for name in groups.get(place, [])]
        end = ""
        if place == at and suffix in _ON_CARBON_1:
            end = _ON_CARBON_1[suffix]
        elif place == at:
            branches.append("=O" if suffix == "one" else _ON_ANY[suffix])
        text += "C" + "".join(f"({branch})" for branch in branches) + end
    return text


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    wanted = molecule(params["smiles"])
    same = answer.canonical == wanted.canonical
    formula = formula_check(answer.formula, wanted.formula)
    if same:
        text = "structure: right"
    elif formula.passed:
        text = (
            "structure: an isomer of what is named; a group is at another place, or the chain is branched differently"
        )
    else:
        text = f"structure: not what is named (similarity to it {answer.similarity(wanted):.2f})"
    hints = (
        f"the named molecule has {_summary(wanted)}",
        "the stem gives the carbons of the chain: " + ", ".join(f"{stem}- {n}" for n, stem in enumerate(STEMS) if n),
    )
    score = 1.0 if same else min(0.99, answer.similarity(wanted))
    return Report((formula, Check("structure", same, text, score)), hints if not formula.passed else hints[:1])


def _summary(wanted: Molecule) -> str:
    carbons = wanted.formula.get("C", 0)
    others = wanted.heavy_atoms - carbons
    ring = ", a ring" if wanted.rings else ", no ring"
    other_atoms = f"{others or 'no'} other heavy atom{'s' * (others != 1)}"
    return f"{carbons} carbon atom{'s' * (carbons != 1)} in all{ring}, and {other_atoms}"


FAMILY = smiles_family("name", _propose, _check, same_molecule)
