"""Builds molecules as SMILES text, so that no version of RDKit can change how they are written."""

from __future__ import annotations

import random
import re

_ATOMS_AT_END = ("O", "N", "F", "Cl", "Br", "S")
_ATOMS_INSIDE = ("O", "N", "S")

CORES = (
    "c1ccc@cc1", "c1cc@ccc1", "c1ccccc1@", "c1ccc@c@c1", "c1cc@cc@c1", "c1ccc@nc1", "c1cncc@c1", "c1ccnc@c1",
    "c1cnc@nc1", "c1ccc@o1", "c1ccc@s1", "c1csc@n1", "c1cc@[nH]n1", "C1CCC@CC1", "C1CCCC1@", "C1CCN&CC1", "C1CCN&C1",
    "C1CC1@", "C1C@COCC1", "C1C@COC1", "c1ccc2[nH]cc@c2c1", "c1ccc2cc@ccc2c1", "c1ccc2nccc@c2c1",
)  # fmt: skip
CHAINS = ("C@", "CC@", "CCC@", "C(C)@", "CC(C)@", "C=C@", "C#C@")
LINKERS = (
    "O&",
    "N&",
    "N(C)&",
    "C(=O)@",
    "C(=O)N&",
    "NC(=O)@",
    "C(=O)O&",
    "OC(=O)@",
    "S&",
    "S(=O)(=O)N&",
    "NS(=O)(=O)@",
)
ENDS = (
    "C", "CC", "C(C)C", "O", "N", "F", "Cl", "Br", "OC", "C#N", "C(=O)O", "C(N)=O", "C=O", "C(C)=O", "C(F)(F)F",
    "[N+](=O)[O-]", "CO", "CN", "S", "SC", "N(C)C", "C(=O)OC",
)  # fmt: skip
"""Parts bond by their first atom. At `@` anything may follow; at `&`, on N, O or S, a carbon only."""

_RING_LABEL = re.compile(r"[1-9]")
_AROMATIC_END = re.compile(r"c[1-9]*$")


def tree(rng: random.Random, size: int, heteroatoms: int = 0, unsaturated: bool = False) -> str:
    """An acyclic molecule of `size` heavy atoms as SMILES, of which up to `heteroatoms` are not carbon.

    No two of these are bonded to each other or to the same carbon. With `unsaturated`, one bond may be a double bond.
    """
    parents: list[int | None] = [None]
    degrees = [0]
    for i in range(1, size):
        open_to = [j for j in range(i) if degrees[j] < 4]
        parent = i - 1 if rng.random() < 0.5 and degrees[i - 1] < 4 else rng.choice(open_to)
        parents.append(parent)
        degrees[parent] += 1
        degrees.append(1)
    neighbours: list[list[int]] = [[] for _ in range(size)]
    for i, parent in enumerate(parents):
        if parent is not None:
            neighbours[i].append(parent)
            neighbours[parent].append(i)
    symbols = ["C"] * size
    places = list(range(1, size))
    rng.shuffle(places)
    for i in places:
        near = {j for n in neighbours[i] for j in (n, *neighbours[n])} - {i}
        if heteroatoms and degrees[i] <= 2 and all(symbols[j] == "C" for j in near):
            symbols[i] = rng.choice(_ATOMS_AT_END if degrees[i] == 1 else _ATOMS_INSIDE)
            heteroatoms -= 1
    double = None
    if unsaturated:
        fit = [
            frozenset((i, j))
            for i in range(size)
            for j in neighbours[i]
            if symbols[i] == "C" and degrees[i] < 4
            and ((symbols[j] == "C" and degrees[j] < 4 and i < j) or (symbols[j] == "O" and degrees[j] == 1))
        ]  # fmt: skip
        double = rng.choice(fit) if fit else None
    return _write(degrees.index(1) if size > 1 else 0, None, neighbours, symbols, double)


def _write(i: int, came_from: int | None, neighbours: list[list[int]], symbols: list[str], double: object) -> str:
    parts = [
        ("=" if double == {i, j} else "") + _write(j, i, neighbours, symbols, double)
        for j in neighbours[i]
        if j != came_from
    ]
    parts.sort(key=lambda part: (len(part), part))
    return symbols[i] + "".join(f"({part})" for part in parts[:-1]) + "".join(parts[-1:])


def assemble(rng: random.Random, parts: int) -> str:
    """A molecule of `parts` rings, chains and linkers, with groups at the ends, as SMILES.

    It is well-formed, but may hold an arrangement that a chemist would not accept.
    """
    return _fill(rng.choice(CORES + CHAINS), rng, parts - 1, 0)


def join(first: str, second: str) -> str:
    """Two groups, each bonding by its first atom, as one molecule."""
    atom = re.match(r"\[[^]]*\]|Cl|Br|[A-Za-z]", first).group()
    rest = first[len(atom) :]
    labels = re.match(r"[1-9]*", rest).group()
    branch = ("-" if atom[0] == second[0] == "c" else "") + _shift(second, _highest(first))
    if not rest[len(labels) :]:
        return f"{atom}{labels}{branch}"
    return f"{atom}{labels}({branch}){rest[len(labels) :]}"


def _fill(template: str, rng: random.Random, parts: int, labels: int) -> str:
    text = _shift(template, labels)
    labels += _highest(template)
    while match := re.search(r"[@&]", text):
        sub = _part(match.group(), rng, parts, labels)
        before, after = text[: match.start()], text[match.end() :]
        if sub[:1] == "c" and _AROMATIC_END.search(before):
            sub = "-" + sub
        text = before + (f"({sub})" if sub and after else sub) + after
        parts -= 1
    return text


def _part(slot: str, rng: random.Random, parts: int, labels: int) -> str:
    """What follows at a slot; "" for a hydrogen."""
    if parts <= 0 or labels > 6:
        ends = [end for end in ENDS if slot == "@" or (end[0] == "C" and end != "Cl")]
        return rng.choice(ends) if slot == "&" or rng.random() < 0.8 else ""
    kind = rng.random()
    if slot == "@" and kind < 0.45:
        return _fill(rng.choice(LINKERS), rng, parts, labels)
    return _fill(rng.choice(CORES if kind < 0.8 else CHAINS), rng, parts - 1, labels)


def _shift(text: str, by: int) -> str:
    return _RING_LABEL.sub(lambda label: str(int(label.group()) + by), text) if by else text


def _highest(text: str) -> int:
    return max((int(label) for label in _RING_LABEL.findall(text)), default=0)
