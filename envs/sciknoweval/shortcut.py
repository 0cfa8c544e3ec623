"""What a policy scores that knows nothing of science, and reads the answer off the options.

Many of SciKnowEval's questions give themselves away: among the four values of every solubility question, for instance,
the right one is the second-highest. An accuracy means little without the score of such rules on the same questions.

    python -m envs.sciknoweval.shortcut --data FOLDER            # the SDPO authors' files; without --data the hub
    python -m envs.sciknoweval.shortcut --rollouts RUN/rollouts.jsonl    # a model's accuracy beside it
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from envs.sciknoweval.loading import SPLITS, load_questions
from envs.sciknoweval.molecules import molecule_in
from envs.sciknoweval.questions import Question
from envs.sciknoweval.subtasks import DOMAINS, SUBTASKS

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")


def _by_rank(question: Question, rank: int) -> str:
    """The option with the number of this rank, from the lowest; A if an option has no number."""
    numbers = {}
    for letter, text in question.options:
        match = _NUMBER.search(text.replace("−", "-"))
        if match is None:
            return "A"
        numbers[letter] = float(match[0].replace(",", ""))
    return sorted(numbers, key=lambda letter: numbers[letter])[rank]


def lowest(question: Question) -> str:
    return _by_rank(question, 0)


def second_lowest(question: Question) -> str:
    return _by_rank(question, 1)


def second_highest(question: Question) -> str:
    return _by_rank(question, -2)


def most_similar(question: Question) -> str:
    """The option that is most like the question's molecule, as a string of characters."""
    molecule = molecule_in(question.text)
    ratios = {
        letter: SequenceMatcher(None, molecule, text.strip(), autojunk=False).ratio()
        for letter, text in question.options
    }
    return max(ratios, key=lambda letter: ratios[letter])


def always_b(question: Question) -> str:
    return "B"


RULES: dict[str, Callable[[Question], str]] = {
    "solubility": second_highest,
    "lipophilicity": second_highest,
    "retrosynthesis": most_similar,
    "reaction_prediction": most_similar,
    "protein_fitness": second_lowest,
    "fluorescence": always_b,
    "folding_stability": second_lowest,
    "lattice_volume": second_lowest,
    "general_physics": always_b,
}
"""The rule for each subtask, read off the training questions. The others' is `lowest`."""


@lru_cache(maxsize=8192)
def shortcut(question: Question) -> str:
    """The letter that the rule for the question's subtask chooses."""
    return RULES.get(question.subtask.name, lowest)(question)


def _rate(hits: Iterable[bool]) -> str:
    hits = list(hits)
    return f"{sum(hits) / len(hits):.3f}" if hits else "-"


def print_shortcuts(domain: str, splits: dict[str, Sequence[Question]]) -> None:
    """Print the shortcut's accuracy for each subtask of a domain, and on all of its questions."""
    print(f"\n{domain}\n{'subtask':<30}{'rule':<16}" + "".join(f"{name + ' n':>9}{name:>8}" for name in splits))
    names = [subtask.name for subtask in SUBTASKS if subtask.domain == domain]
    for name in [*names, None]:
        rule = "" if name is None else RULES.get(name, lowest).__name__
        cells = f"{name or 'all: the shortcut':<30}{rule:<16}"
        for questions in splits.values():
            chosen = [question for question in questions if name in (None, question.subtask.name)]
            cells += f"{len(chosen):>9}{_rate(shortcut(question) == question.answer for question in chosen):>8}"
        print(cells)
    for title, letter in (("all: a random option", None), ("all: the commonest letter", _commonest(splits))):
        cells = f"{title:<30}{letter or '':<16}"
        for questions in splits.values():
            scores = [
                1 / len(question.options) if letter is None else question.answer == letter for question in questions
            ]
            cells += f"{len(questions):>9}{sum(scores) / len(scores):>8.3f}"
        print(cells)


def _commonest(splits: dict[str, Sequence[Question]]) -> str:
    """The letter that is right most often in the first of the splits."""
    answers = [question.answer for question in next(iter(splits.values()))]
    return max(sorted(set(answers)), key=answers.count)


def print_rollouts(path: str) -> None:
    """Print the accuracy of the attempts in a run's `rollouts.jsonl`, and beside it the shortcut's at the same tasks.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no attempts at this environment.
    """
    attempts: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                name = record["task"].partition("/")[0]
                attempts[name].append((record["success"], record["metrics"]["shortcut"]))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"{path}, line {number}: not an attempt at sdpo/SciKnowEval-v0: {error!r}") from error
    if not attempts:
        raise ValueError(f"{path} holds no attempts")
    print(f"{'subtask':<30}{'attempts':>9}{'model':>8}{'shortcut':>10}")
    attempts["all"] = [pair for name in list(attempts) for pair in attempts[name]]
    for name, pairs in attempts.items():
        model, rule = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
        print(f"{name:<30}{len(pairs):>9}{model:>8.3f}{rule:>10.3f}")


def main(arguments: list[str] | None = None) -> int:
    """Print tables; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m envs.sciknoweval.shortcut", description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the SDPO authors' files, or a file of SciKnowEval's; default: hub")
    parser.add_argument("--domain", choices=DOMAINS, help="one domain; default: all")
    parser.add_argument("--rollouts", help="a run's rollouts.jsonl: print the model's accuracy beside the shortcut's")
    options = parser.parse_args(arguments)
    try:
        if options.rollouts is not None:
            print_rollouts(options.rollouts)
            return 0
        for domain in (options.domain,) if options.domain else DOMAINS:
            print_shortcuts(domain, {split: load_questions(options.data, domain, split) for split in SPLITS})
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
