"""Choose one of four numbers. The right one is equally often the smallest, the largest, or one between."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Family, Question, Report
from envs.chemistry.molecules.pool import draw_molecule
from envs.chemistry.molecules.properties import PROPERTIES
from envs.chemistry.smiles.lint import SmilesProblem

LETTERS = "ABCD"

_ASKED = {
    0: ("heavy",),
    1: ("heavy", "weight"),
    2: ("weight", "heavy", "tpsa", "logp"),
    3: ("weight", "rotatable", "tpsa", "logp"),
    4: ("weight", "acceptors", "rotatable", "tpsa", "logp"),
}
_GAPS = {
    "heavy": (1, 1, 1, 1, 1), "acceptors": (1, 1, 1, 1, 1), "rotatable": (1, 1, 1, 1, 1),
    "weight": (30, 20, 14, 10, 4), "tpsa": (12, 12, 10, 8, 5), "logp": (2, 2, 1, 0.8, 0.5),
}  # fmt: skip
"""Least distance of two options, by level."""

_HINTS = {
    "heavy": "count the atom symbols; hydrogens are not written",
    "weight": "work out the formula first, then add up the atomic weights",
}


def _propose(rng: random.Random, level: int) -> Question:
    key = rng.choice(_ASKED[level])
    asked = PROPERTIES[key]
    rank = rng.randrange(4)  # how many options are smaller; kept while molecules are drawn, so that it stays uniform
    values: list[float] = []
    while not values:
        drawn = draw_molecule(rng, level)
        if drawn is not None:
            values = _options(rng, key, asked.of(drawn), rank, _GAPS[key][level])
    truth = asked.of(drawn)
    rng.shuffle(values)
    letter = LETTERS[values.index(truth)]
    options = "\n".join(f"{name}: {asked.show(value)}" for name, value in zip(LETTERS, values, strict=True))
    question = f"What is the {asked.name} of {drawn.smiles} ({asked.definition})?"
    params = {"values": values, "truth": truth, "letter": letter, "definition": asked.definition, "property": key}
    return Question(f"{question}\n{options}", params, letter, question)


def _options(rng: random.Random, key: str, truth: float, rank: int, gap: float) -> list[float]:
    """The truth and three more numbers, of which `rank` are smaller; none if that many cannot be."""
    digits = PROPERTIES[key].digits
    values = [truth]
    for side in [-1] * rank + [1] * (3 - rank):
        edge = min(values) if side < 0 else max(values)
        step = gap * (rng.choice((1, 1, 2)) if digits == 0 else rng.uniform(1, 2))
        values.append(round(edge + side * step, digits))
    return [] if key != "logp" and min(values) < (key == "heavy") else values


def _check(params: Mapping[str, Any], answer: str) -> Report:
    letter = answer.strip("().:")
    if letter not in tuple(LETTERS):
        return Report(problem=SmilesProblem("the answer must be one of the four letters, and nothing else"))
    right = letter == params["letter"]
    given = params["values"][LETTERS.index(letter)]
    text = (
        "the option is right" if right else f"the number chosen is too {'low' if given < params['truth'] else 'high'}"
    )
    hint = _HINTS.get(params["property"], f"what counts are {params['definition']}")
    return Report((Check("option", right, text),), (hint,))


FAMILY = Family("choice", "the letter", _propose, _check, few_answers=True)
