"""Turns problems into tasks: which tests count, which of them are visible, and in what words the problem is posed."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import overload

from envs.arguments import check_choice
from envs.livecodebench.loading.files import problems_of
from envs.livecodebench.loading.index import DataFile
from envs.livecodebench.prompt import PROMPTS, Rules
from envs.livecodebench.rows import Problem, Test
from envs.livecodebench.selection import Selection
from envs.livecodebench.verifier import make_answer_key
from sdpo_gym.tasks import Task, check_unique

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Posing:
    """How problems become tasks. Hashable.

    A test is *visible* if feedback may quote it, else *hidden*. Public tests are visible, and of a problem's private
    ones a fraction that is picked by seed and id: rounded down, but at least one unless the fraction is 0.

    Raises:
        ValueError: an argument has no meaning.
    """

    prompt: str = "plain"
    rules: Rules = field(default_factory=Rules)
    split: str = "test"
    """`test`: all tests count. `train`: only the visible ones do."""

    visible_fraction: float = 0.5
    visible_seed: int = 0
    private_only: bool = False
    """Leave the public tests out, as the SDPO paper does: they are in the statement."""

    def __post_init__(self):
        check_choice("prompt", self.prompt, sorted(PROMPTS))
        check_choice("split", self.split, SPLITS)
        fraction, seed = self.visible_fraction, self.visible_seed
        if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 <= fraction <= 1:
            raise ValueError(f"visible_fraction must be a number from 0 to 1, not {fraction!r}")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"visible_seed must be a whole number, not {seed!r}")

    def tests_of(self, problem: Problem) -> list[Test]:
        """The tests that count, in order.

        Which private ones are visible depends on hashes of the seed, the problem's id and the test's position alone,
        not on a process or a Python version, and a larger fraction adds to those of a smaller one.

        Raises:
            ValueError: the private tests are malformed, or there are no tests that count.
        """
        private = problem.private_tests()
        public = () if self.private_only else problem.public_tests
        order = sorted(
            range(len(private)),
            key=lambda i: hashlib.sha256(f"{self.visible_seed}/{problem.id}/{i}".encode()).digest(),
        )
        count = max(int(self.visible_fraction * len(private)), 1) if self.visible_fraction else 0
        revealed = set(order[:count])
        tests = [*public, *(replace(test, visible=i in revealed) for i, test in enumerate(private))]
        if self.split == "train":
            tests = [test for test in tests if test.visible]
        if not tests:
            place = f"{problem.place}, " if problem.place else ""
            public_too = "private" if self.private_only else "public or private"
            kind = "visible" if self.split == "train" else public_too
            raise ValueError(f"{place}problem {problem.id!r} has no {kind} test, so no response to it can be judged")
        return tests


def make_task(problem: Problem, posing: Posing = Posing()) -> Task:
    """A problem as a task for `LiveCodeBenchVerifier`.

    Raises:
        ValueError: see `Posing.tests_of`.
    """
    return Task(
        id=problem.id,
        messages=PROMPTS[posing.prompt](problem, posing.rules),
        answer_key=make_answer_key(problem.entry_point, posing.tests_of(problem)),
        metadata={
            "title": problem.title,
            "difficulty": problem.difficulty,
            "platform": problem.platform,
            "contest_date": problem.contest_date,
        },
    )


class ProblemTasks(Sequence[Task]):
    """A `TaskSet` that makes a task, and reads its problem's private tests, when it is asked for.

    A task is held as long as somebody holds it, so that attempts at the same problem share its tests. May be used from
    several threads.

    Raises:
        ValueError: there are no problems or two share an id; when a task is asked for: see `Posing.tests_of`.
    """

    def __init__(self, problems: Sequence[Problem], posing: Posing):
        if not problems:
            raise ValueError("a task set needs at least one problem, but there is none")
        self._problems = tuple(problems)
        self._posing = posing
        self._positions = {problem.id: i for i, problem in enumerate(self._problems)}
        check_unique("problem ids", [problem.id for problem in self._problems])
        self._lock = threading.Lock()
        self._tasks: weakref.WeakValueDictionary[int, Task] = weakref.WeakValueDictionary()

    def __reduce__(self) -> tuple[type, tuple[Sequence[Problem], Posing]]:
        return ProblemTasks, (self._problems, self._posing)  # without the tasks that are held, and the lock

    def __len__(self) -> int:
        return len(self._problems)

    @overload
    def __getitem__(self, index: int) -> Task: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Task]: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        index = range(len(self))[index]
        with self._lock:
            task = self._tasks.get(index)
            if task is None:
                task = self._tasks[index] = make_task(self._problems[index], self._posing)
            return task

    def find(self, task_id: str) -> Task:
        return self[self._positions[task_id]]


@lru_cache(maxsize=8)
def task_set(files: tuple[DataFile, ...], selection: Selection, posing: Posing) -> ProblemTasks:
    """The selected problems of files as tasks. Environments of one process with equal arguments share them.

    Raises:
        ImportError: see `problems_of`.
        ValueError: see `problems_of`, `Selection.apply` and `ProblemTasks`.
    """
    problems = [problem for file in files for problem in problems_of(file)]
    return ProblemTasks(selection.apply(problems), posing)
