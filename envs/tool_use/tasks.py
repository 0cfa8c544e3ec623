"""Tasks with tools: made when they are asked for, by level, split and number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from envs.tool_use.prompt import chat, show_answer, show_call, show_result
from envs.tool_use.questions import LEVELS, Question, Unsuitable, make_question
from envs.tool_use.world import World
from sdpo_gym.tasks import Message, Task

SPLITS = ("train", "test")
MAX_SHOTS = 8
MAX_ATTEMPTS = 10_000

VERSION = 1
"""Goes into every seed: a change of templates or data is a new version."""


def make_answer_key(question: Question) -> dict[str, Any]:
    """What `ToolUseVerifier` expects as the answer key of a task: the solution, and what has happened so far."""
    return {
        "world": question.world,
        "tools": list(question.tools),
        "answer": question.answer,
        "solution": [call.to_json() for call in question.calls],
        "log": [],
    }


def solution_of(question: Question, call_format: str) -> list[str]:
    """Responses that solve a task, a call at a time."""
    return [*(show_call(call, call_format) for call in question.calls), show_answer(question.answer, call_format)]


class ToolTasks:
    """A `TaskSet` of questions of some levels in turn. Tasks are made when they are asked for, and not kept.

    Ids look like `level2-train-17`. A question is in split `test` if a hash of it says so, so that no question is in
    both; a tenth is.

    Args:
        levels: Which levels.
        split: `train` or `test`.
        count: How many tasks.
        shots: How many solved examples precede the question. They are other questions of split train from the same
            template.
        call_format: The form of calls.
    """

    def __init__(self, levels: Iterable[int], split: str, count: int, shots: int, call_format: str):
        self.levels = tuple(levels)
        self.split = split
        self.shots = shots
        self.call_format = call_format
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Task:
        index = range(self._count)[index]
        number, place = divmod(index, len(self.levels))
        return self._make(self.levels[place], number)

    def __iter__(self) -> Iterator[Task]:
        return (self[i] for i in range(self._count))

    def find(self, task_id: str) -> Task:
        """Return the task with this id. Raises KeyError when there is none."""
        level, _, rest = task_id.removeprefix("level").partition("-")
        split, _, number = rest.rpartition("-")
        if not (level.isdecimal() and number.isdecimal() and int(level) in self.levels and split == self.split):
            raise KeyError(task_id)
        task = self[int(number) * len(self.levels) + self.levels.index(int(level))]
        if task.id != task_id:
            raise KeyError(task_id)
        return task

    def question(self, task_id: str) -> Question:
        """The question of a task, with its solution."""
        level, split, number = task_id.removeprefix("level").split("-")
        return question_at(int(level), split, int(number))

    def _make(self, level: int, number: int) -> Task:
        question = question_at(level, self.split, number)
        template = next(template for template in LEVELS[level] if template.__name__ == question.template)
        examples = [
            _example(_first(template, level, f"{level}/{self.split}/{number}/shot{i}", "train"), self.call_format)
            for i in range(self.shots)
        ]
        return Task(
            id=f"level{level}-{self.split}-{number}",
            messages=chat(question.text, examples, question.tools, self.call_format),
            answer_key=make_answer_key(question),
            metadata={"level": level, "template": question.template},
        )


@lru_cache(maxsize=1024)
def question_at(level: int, split: str, number: int) -> Question:
    """The question of a level and split with a number, from 0."""
    templates = LEVELS[level]
    return _first(templates[number % len(templates)], level, f"{level}/{split}/{number}", split)


def _first(template: Any, level: int, seed: str, split: str) -> Question:
    """The first suitable question that is in a split."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            question = make_question(template, level, f"{VERSION}/{seed}/{attempt}")
        except Unsuitable:
            continue
        if _split_of(question) == split:
            return question
    raise RuntimeError(f"the template {template.__name__} made no question for split {split!r}")


def _split_of(question: Question) -> str:
    return "test" if hashlib.sha256(question.text.encode()).digest()[0] < 26 else "train"


def _example(question: Question, call_format: str) -> list[Message]:
    """A solved question as turns of a chat."""
    world = World(question.world, question.tools)
    messages: list[Message] = [{"role": "user", "content": f"Question: {question.text}"}]
    for call in question.calls:
        messages.append({"role": "assistant", "content": show_call(call, call_format)})
        messages.append({"role": "user", "content": show_result(world.run(call))})
    messages.append({"role": "assistant", "content": show_answer(question.answer, call_format)})
    return messages
