"""Which tasks a command is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.environments import Environments, Start
from agents.errors import UsageError
from agents.evaluate.evaluation import EVALUATION_SEED, evaluation_starts

DEFAULT_SEEDS = 16
"""Tasks of environments that have no numbered ones, unless `--num-tasks` says otherwise."""


def choose_starts(environments: Environments, tasks: Sequence[str], num_tasks: int) -> list[Start]:
    """The starts of the named tasks, else of `num_tasks` evenly spaced ones, else (0) of all.

    Raises:
        UsageError: a task is unknown, or named twice, or the environment has no tasks that could be named.
    """
    if not tasks:
        return evaluation_starts(environments.num_tasks, num_tasks or environments.num_tasks or DEFAULT_SEEDS)
    repeated = sorted({task for task in tasks if tasks.count(task) > 1})
    if repeated:
        raise UsageError(f"the task {repeated[0]!r} is named twice")
    if not environments.names_tasks:
        raise UsageError(f"{environments.env_id!r} has no tasks that could be named; only seeds")
    starts = [Start(EVALUATION_SEED + i, task) for i, task in enumerate(tasks)]
    for start in starts:
        environments.reset_one(0, start)
    return starts


def check_same_tasks(environments: Environments, starts: Sequence[Start], records: Iterable[Mapping[str, Any]]) -> None:
    """Raise UsageError if recorded attempts were made at other tasks than those that now stand in their places.

    Args:
        records: With `position`, a place among the starts, `task` and, where they are kept, `messages`.
    """
    recorded = {record["position"]: record for record in records}
    places = [position for position in recorded if position < len(starts)]
    openings = {}
    for first in range(0, len(places), len(environments)):
        batch = places[first : first + len(environments)]
        openings |= zip(batch, environments.reset([starts[position] for position in batch]), strict=True)
    for position, record in recorded.items():
        opening = openings.get(position)
        now = "missing" if opening is None else f"{opening.task!r}"
        if opening and record["task"] == opening.task:
            if record.get("messages", list(opening.messages)) == list(opening.messages):
                continue
            now = "worded otherwise"
        raise UsageError(
            f"the tasks of {environments.env_id!r} have changed since attempts at them were recorded: "
            f"number {position + 1} was {record['task']!r}, is now {now}; name another folder with --output"
        )
