"""What was attempted so far: on the disk, and as the methods need it to go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agents.discovery.config import DiscoveryConfig
from agents.environments import Environments, Start
from agents.episode import Episode, Turn
from agents.errors import UsageError
from agents.policy.policy import Policy
from agents.rollouts import WAYS_OUT, Group, collect_groups, has_room, no_room
from agents.runs.resumable import Journal
from agents.sampling.engine import SamplingEngine


@dataclass(frozen=True)
class Batch:
    """Attempts of one run that were judged together."""

    task: str
    seed: int
    first: int
    """How many attempts the run had made before."""

    episodes: Sequence[Episode]
    seconds: float = 0.0
    """Wall time of the batch, and of what had to be done before it since the last one."""

    notes: dict[str, float] = field(default_factory=dict)
    """Metrics of the update before it."""

    def to_json(self) -> dict[str, Any]:
        record = asdict(self)
        del record["seconds"]  # the journal's
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Batch:
        return cls(**{**record, "episodes": [_episode(episode) for episode in record["episodes"]]})


class Run:
    """One method's attempts at one task with one seed."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def add(self, batch: Batch) -> None:
        if batch.first != self.attempts:
            raise UsageError(
                f"the record of task {batch.task!r}, seed {batch.seed}, has a gap: {self.attempts} attempts are "
                f"followed by number {batch.first}; its file was changed"
            )
        self.batches.append(batch)

    @property
    def episodes(self) -> list[Episode]:
        return [episode for batch in self.batches for episode in batch.episodes]

    @property
    def attempts(self) -> int:
        return sum(len(batch.episodes) for batch in self.batches)

    @property
    def successes(self) -> int:
        return sum(episode.success for episode in self.episodes)

    @property
    def time(self) -> int | None:
        """The number of the first attempt that succeeded, from 1; None if none did."""
        return next((number for number, episode in enumerate(self.episodes, 1) if episode.success), None)

    def over(self, budget: int) -> bool:
        """Whether the task was solved or the budget is spent."""
        return self.time is not None or self.attempts >= budget

    @property
    def seconds(self) -> float:
        return sum(batch.seconds for batch in self.batches)

    @property
    def tokens(self) -> int:
        """Sampled ones."""
        return sum(episode.num_response_tokens for episode in self.episodes)


class Record:
    """All runs of a method.

    Args:
        records: What its journal holds.
        journal: Where additions go; None for a record that is only read.
    """

    def __init__(self, records: Iterable[dict[str, Any]], journal: Journal | None = None):
        self.journal = journal
        self._runs: dict[tuple[str, int], Run] = defaultdict(Run)
        for record in records:
            self._add(record)

    def run(self, task: str, seed: int) -> Run:
        return self._runs[task, seed]

    def add(self, batches: Sequence[Batch]) -> None:
        """Add attempts; they are on the disk afterwards."""
        for record in self.journal.append([batch.to_json() for batch in batches]):
            self._add(record)

    def _add(self, record: dict[str, Any]) -> None:
        batch = Batch.from_json(record)
        self._runs[batch.task, batch.seed].add(batch)


@dataclass(frozen=True)
class Bench:
    """What the methods work with."""

    config: DiscoveryConfig
    policy: Policy
    """With the weights that every method starts from; a method leaves them so."""

    engine: SamplingEngine
    environments: Environments
    tasks: dict[str, Start]

    def check_room(self) -> None:
        """Raise UsageError if a task's prompt leaves no room for a response: nothing is to be discovered there."""
        for task, start in self.tasks.items():
            prompt = self.policy.render(self.environments.reset_one(0, start).messages)
            if not has_room(self.policy, prompt, self.config.sampling):
                raise UsageError(f"{no_room(self.policy, prompt, self.config.sampling, task)}; {WAYS_OUT}")

    def attempt(
        self, starts: Sequence[Start], count: int, seeds: Sequence[int], prompts: Sequence[list[int]] | None = None
    ) -> list[Group]:
        """`count` attempts at each start, all of one response, drawn with that start's seed."""
        groups = collect_groups(
            self.policy, self.engine, self.environments, starts, count, self.config.sampling, seeds, prompts
        )
        if any(len(episode.turns) > 1 for group in groups for episode in group):
            raise UsageError("discovery counts responses one by one: let the environment's episodes have a single turn")
        return groups


def _episode(record: dict[str, Any]) -> Episode:
    return Episode(
        **{
            **record,
            "messages": tuple(record["messages"]),
            "turns": [Turn(**{**turn, "feedback_kinds": tuple(turn["feedback_kinds"])}) for turn in record["turns"]],
        }
    )
