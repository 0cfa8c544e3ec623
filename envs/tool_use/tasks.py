"""Tasks with tools: made when they are asked for, by level, split and number."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from envs.tool_use.prompt import chat, show_answer, show_call, show_result
from envs.tool_use.questions import LEVELS, Question, Unsuitable, make_question
from envs.tool_use.world import World
from sdpo_gym.tasks import Message, Task

SPLITS = ("train", "test")
MAX_SHOTS = 8
MAX_ATTEMPTS = 10_000

_ID = re.compile(r"level([0-9])-(train|test)-(0|[1-9][0-9]{0,11})")

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
    """An endless task set: questions of some levels in turn, every index from 0 on.

    Ids look like `level2-train-17`. A question is in split `test` if a hash of it says so, so that no question is in
    both; a tenth is.

    Args:
        levels: Which levels.
        split: `train` or `test`.
        shots: How many solved examples precede the question. They are different questions of the same template, the
            same for all of its questions but for one that is itself among them.
        call_format: The form of calls.
    """

    def __init__(self, levels: Iterable[int], split: str, shots: int, call_format: str):
        self.levels = tuple(levels)
        self.split = split
        self.shots = shots
        self.call_format = call_format

    def __getitem__(self, index: int) -> Task:
        if index < 0:
            raise IndexError("tasks are numbered from 0")
        number, place = divmod(index, len(self.levels))
        return self._make(self.levels[place], number)

    def find(self, task_id: str) -> Task:
        """Return the task with this id. Raises KeyError when there is none."""
        match = _ID.fullmatch(task_id)
        if match is None or match[2] != self.split or int(match[1]) not in self.levels:
            raise KeyError(task_id)
        return self._make(int(match[1]), int(match[3]))

    def question(self, task_id: str) -> Question:
        """The question of a task, with its solution. Raises KeyError when there is no such task."""
        match = _ID.fullmatch(task_id)
        if match is None:
            raise KeyError(task_id)
        return question_at(int(match[1]), match[2], int(match[3]))

    def _make(self, level: int, number: int) -> Task:
        question = question_at(level, self.split, number)
        examples = _examples(level, question, self.shots, self.call_format)
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


def _examples(level: int, question: Question, count: int, call_format: str) -> list[tuple[Message, ...]]:
    """Solved questions of a question's template, none of which has its text, or another's: worlds may share a text."""
    found: dict[str, tuple[Message, ...]] = {}
    for number in range(MAX_ATTEMPTS):
        if len(found) == count:
            return list(found.values())
        text, turns = _example(level, question.template, number, call_format)
        if text != question.text:
            found.setdefault(text, turns)
    raise RuntimeError(f"the template {question.template} has only {len(found)} examples, not {count}")


@lru_cache(maxsize=256)
def _example(level: int, name: str, number: int, call_format: str) -> tuple[str, tuple[Message, ...]]:
    """A solved question of a template: its text, and the turns of a chat."""
    template = next(template for template in LEVELS[level] if template.__name__ == name)
    question = _first(template, level, f"{level}/{name}/example/{number}", "train")
    world = World(question.world, question.tools)
    messages: list[Message] = [{"role": "user", "content": f"Question: {question.text}"}]
    for call in question.calls:
        messages.append({"role": "assistant", "content": show_call(call, call_format)})
        messages.append({"role": "user", "content": show_result(world.run(call))})
    messages.append({"role": "assistant", "content": show_answer(question.answer, call_format)})
    return question.text, tuple(messages)
