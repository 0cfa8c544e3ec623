"""Tasks without end: a number, a family, a level and a split decide each."""

from __future__ import annotations

import hashlib
import random
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from envs.chemistry.answers import instruction, posed
from envs.chemistry.families import FAMILIES, load_family
from envs.chemistry.families.base import LEVELS, Question
from sdpo_gym.tasks import Message, Task

SPLITS = ("train", "test", "all")
MAX_SHOTS = 4
_MOST_DRAWS = 20_000
_ID = re.compile(rf"({'|'.join(FAMILIES)})-([0-4])-({'|'.join(SPLITS)})-(0|[1-9][0-9]{{0,18}})")


def bucket(question: Question) -> str:
    """Where a question belongs, by a hash of its key: a tenth `test`, a tenth `examples`, the others `train`."""
    tenth = hashlib.sha256(question.key.encode()).digest()[0] % 10
    return {0: "test", 1: "examples"}.get(tenth, "train")


def make_question(family: str, level: int, split: str, number: int) -> Question:
    """The question that these four decide, on every machine.

    Args:
        family: One of `FAMILIES`.
        level: 0 … 4.
        split: `train`, `test`, `all` (of these two), or `examples`, which are shown in prompts and never asked.
        number: 0 or more.
    """
    rng = random.Random(f"{family}/{level}/{split}/{number}")
    wanted = ("train", "test") if split == "all" else (split,)
    propose = load_family(family).propose
    for _ in range(_MOST_DRAWS):
        question = propose(rng, level)
        if question is not None and bucket(question) in wanted:
            return question
    raise RuntimeError(f"no question found for {family!r}, level {level}, split {split!r}")


@lru_cache(maxsize=256)
def examples(family: str, level: int, count: int) -> tuple[Question, ...]:
    """Different questions of one family and level that no split asks."""
    found: dict[str, Question] = {}
    number = 0
    while len(found) < count:
        question = make_question(family, level, "examples", number)
        found.setdefault(question.key, question)
        number += 1
        if number > 1000:
            raise RuntimeError(f"there are only {len(found)} examples of {family!r}, level {level}")
    return tuple(found.values())


@dataclass(frozen=True)
class Mixture:
    """Families and levels with their weights. Hashable.

    Raises:
        ValueError: an argument has no meaning.
    """

    families: tuple[tuple[str, float], ...]
    levels: tuple[tuple[int, float], ...]

    @classmethod
    def of(
        cls,
        families: str | Sequence[str] | Mapping[str, float] | None,
        levels: int | Sequence[int] | Mapping[int, float] | None,
    ) -> Mixture:
        """From what a user gives: one, several of equal weight, or weights; None for all."""
        families = FAMILIES if families is None else families
        levels = LEVELS if levels is None else levels
        if isinstance(levels, Mapping):  # JSON's keys are texts
            levels = {int(key) if str(key).isdigit() else key: weight for key, weight in levels.items()}
        return cls(_weights("families", families, FAMILIES), _weights("levels", levels, tuple(LEVELS)))

    def draw(self, rng: random.Random) -> tuple[str, int]:
        return _draw(rng, self.families), _draw(rng, self.levels)


def _weights(name: str, given: Any, known: Sequence[Any]) -> tuple[tuple[Any, float], ...]:
    if isinstance(given, (str, int, float)):
        given = [given]
    if not isinstance(given, Mapping):
        given = dict.fromkeys(given, 1.0)
    for key, weight in given.items():
        if isinstance(key, bool) or key not in known:
            raise ValueError(f"{name} must be one or more of {list(known)}, not {key!r}")
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < float("inf"):
            raise ValueError(f"the weight of {key!r} in {name} must be a number of at least 0, not {weight!r}")
    weights = tuple((key, float(given[key])) for key in known if given.get(key))
    if not weights:
        raise ValueError(f"{name} leaves nothing to choose from: give one or more of {list(known)}")
    return weights


def _draw(rng: random.Random, weights: Sequence[tuple[Any, float]]) -> Any:
    sums = list(accumulate(weight for _, weight in weights))
    return weights[min(bisect_right(sums, rng.random() * sums[-1]), len(sums) - 1)][0]


class ChemistryTasks:
    """An `EndlessTaskSet` of chemistry questions.

    Args:
        mixture: Families and levels, with weights.
        split: `train`, `test`, or `all` of these. No question is in both `train` and `test`.
        answer_format: `tags` or `bare`.
        n_shots: Examples of the same family and level in each prompt, as earlier turns of the chat.
    """

    def __init__(self, mixture: Mixture, split: str, answer_format: str, n_shots: int):
        self.mixture = mixture
        self.split = split
        self.answer_format = answer_format
        self.n_shots = n_shots

    def __getitem__(self, index: int) -> Task:
        if index < 0:
            raise IndexError("tasks are numbered from 0")
        family, level = self.mixture.draw(random.Random(f"mixture/{index}"))
        return self._task(family, level, index)

    def find(self, task_id: str) -> Task:
        match = _ID.fullmatch(task_id)
        if match is None:
            raise KeyError(task_id)
        family, level, split, number = match.groups()
        if (
            split != self.split
            or family not in dict(self.mixture.families)
            or int(level) not in dict(self.mixture.levels)
        ):
            raise KeyError(task_id)
        return self._task(family, int(level), int(number))

    def _task(self, family: str, level: int, number: int) -> Task:
        question = make_question(family, level, self.split, number)
        return Task(
            id=f"{family}-{level}-{self.split}-{number}",
            messages=self._messages(family, level, question),
            answer_key={
                "family": family,
                "params": question.params,
                "answer": question.answer,
                "answer_format": self.answer_format,
            },
            metadata={"family": family, "level": level},
        )

    def _messages(self, family: str, level: int, question: Question) -> tuple[Message, ...]:
        how = instruction(load_family(family).answer, self.answer_format)
        messages: list[Message] = []
        for example in examples(family, level, self.n_shots):
            messages.append({"role": "user", "content": f"{example.text}\n{how}"})
            messages.append({"role": "assistant", "content": posed(example.answer, self.answer_format)})
        messages.append({"role": "user", "content": f"{question.text}\n{how}"})
        return tuple(messages)
