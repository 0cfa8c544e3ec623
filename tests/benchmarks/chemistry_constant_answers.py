"""What does a policy without chemistry score on sdpo/Chemistry-v0?

python tests/benchmarks/chemistry_constant_answers.py

For each family and level the best of about 80 constant answers: well-known molecules, numbers, letters, formulas and
equations. Then, the highest of levels 1-4 in both cases, the best of 40 answers that are right for other tasks of the
same family and level, and how often a word of the question is a right answer. For `choice` also how often each rank and
each letter is right.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from envs.chemistry.families import FAMILIES, load_family
from envs.chemistry.families.base import Question
from envs.chemistry.families.choice import LETTERS
from envs.chemistry.families.smiles_answers import STOCK
from envs.chemistry.tasks import make_question

LEVELS = range(5)
TYPICAL = (
    *LETTERS, *map(str, range(31)), "CH4", "C2H6O", "C6H6", "C6H12O6", "H2O", "C9H8O4", "2 H2 + O2 -> 2 H2O",
    "CH4 + 2 O2 -> CO2 + 2 H2O", "CCCCCCCCCCCCCCCC", "C1CCCCC1O", "c1ccc2ccccc2c1", "FC(F)F", "OCCO", "CCCCO",
    "CC(=O)OCC",
)  # fmt: skip
OWN = 40


def constant(family: str, questions: list[Question], answers: Iterable[str]) -> tuple[float, str]:
    """The share of the questions that the best of these answers solves, and this answer."""
    check = load_family(family).check
    scores = {
        answer: sum(check(question.params, answer).solved for question in questions) / len(questions)
        for answer in dict.fromkeys(answers)
    }
    best = max(scores, key=scores.__getitem__)
    return scores[best], best


def copied(family: str, questions: list[Question]) -> float:
    """How many questions are solved by one of their own words."""
    check = load_family(family).check
    solved = 0
    for question in questions:
        words = {word.strip(".:,()") for word in re.split(r"\s+", question.text)}
        solved += any(check(question.params, word).solved for word in words if len(word) > 2)
    return solved / len(questions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=200, help="for each family and level")
    options = parser.parse_args()
    print(
        f"{'':10}" + "".join(f"{f'level {level}':>9}" for level in LEVELS) + "   its own    copied (both: levels 1-4)"
    )
    worst = 0.0
    for family in FAMILIES:
        typical, own, copies = [], [], []
        for level in LEVELS:
            questions = [make_question(family, level, "train", number) for number in range(options.tasks)]
            others = [make_question(family, level, "train", 10**6 + number).answer for number in range(OWN)]
            typical.append(constant(family, questions, (*STOCK, *TYPICAL))[0])
            own.append(constant(family, questions, others))
            copies.append(copied(family, questions))
        few = load_family(family).few_answers
        best, answer = max(own[1:])
        note = "few answers are possible" if few else answer
        print(
            f"{family:10}"
            + "".join(f"{share:9.3f}" for share in typical)
            + f"{best:10.3f}{max(copies[1:]):10.3f}   {note}",
            flush=True,
        )
        worst = max(worst, 0.0 if few else max(*typical[1:], best))
    print(f"\nthe highest of levels 1-4, where more than a few answers are possible: {worst:.3f}")
    print("\nchoice: the option of each rank, and each letter")
    for level in LEVELS:
        questions = [make_question("choice", level, "train", number) for number in range(4 * options.tasks)]
        ranks = [sorted(question.params["values"]).index(question.params["truth"]) for question in questions]
        letters = [question.answer for question in questions]
        shares = [ranks.count(rank) / len(ranks) for rank in range(4)]
        shares += [letters.count(letter) / len(letters) for letter in LETTERS]
        print(f"level {level}   " + "".join(f"{share:7.3f}" for share in shares))


if __name__ == "__main__":
    main()
