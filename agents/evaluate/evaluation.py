"""How well a policy does on an environment's tasks, as the learner's loop measures it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agents.environments import Start
from agents.episode import Episode
from agents.evaluate.estimators import pass_at_k
from agents.rollouts import Collector, Group, check_room
from agents.runs.seeds import derived_seed

EVALUATION_SEED = 20_260_120
"""Evaluations of all runs pose the same tasks, and draw from the same stream of random numbers."""


@dataclass(frozen=True)
class Evaluation:
    """Attempts at each task, as many at one as at another."""

    groups: Sequence[Group]

    @property
    def episodes(self) -> list[Episode]:
        return [episode for group in self.groups for episode in group]

    @property
    def success_rate(self) -> float:
        """avg@k: the mean over tasks of the fraction of attempts that succeeded."""
        return float(np.mean([episode.success for episode in self.episodes]))

    @property
    def standard_error(self) -> float:
        """Standard error of `success_rate` from the sampling of attempts at these tasks. NaN with one attempt each."""
        n = len(self.groups[0])
        if n < 2:
            return math.nan
        rates = np.array([np.mean([episode.success for episode in group]) for group in self.groups])
        return float(np.sqrt(np.sum(rates * (1 - rates) / (n - 1))) / len(rates))

    def pass_at(self, k: int) -> float:
        """Unbiased pass@k: the chance that one of k attempts drawn from each task's succeeded, mean over tasks."""
        return float(np.mean([pass_at_k(len(g), sum(episode.success for episode in g), k) for g in self.groups]))

    def describe(self) -> str:
        """The main metrics in a few words."""
        metrics, k = self.metrics(), len(self.groups[0])
        error = "" if math.isnan(self.standard_error) else f" ± {self.standard_error:.3f}"
        return (
            f"success {self.success_rate:.3f}{error}  pass@{k} {metrics[f'pass@{k}']:.3f}  "
            f"length {metrics['response_tokens']:.0f}"
        )

    def metrics(self) -> dict[str, float]:
        k = len(self.groups[0])
        episodes = self.episodes
        return {
            "tasks": len(self.groups),
            "success_rate": self.success_rate,
            "standard_error": self.standard_error,
            f"pass@{k}": self.pass_at(k),
            "reward": float(np.mean([episode.reward for episode in episodes])),
            "response_tokens": float(np.mean([episode.num_response_tokens for episode in episodes])),
            "truncated": float(np.mean([episode.truncated for episode in episodes])),
        }


def evaluation_starts(num_tasks: int | None, count: int) -> list[Start]:
    """The same `count` starts for every run: tasks evenly spaced over the indexed ones, else fixed seeds."""
    if num_tasks is None:
        return [Start(EVALUATION_SEED + i) for i in range(count)]
    count = min(count, num_tasks)
    return [Start(EVALUATION_SEED + i, task=i * num_tasks // count) for i in range(count)]


def evaluate(
    collector: Collector,
    *,
    num_tasks: int,
    samples: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Attempt each of `num_tasks` tasks `samples` times.

    Args:
        collector: With at least `samples` environments; more let more tasks run at once.
        num_tasks: How many tasks, or all where there are fewer.
        progress: Called with the number of tasks done and their total.

    Raises:
        UsageError: no task's prompt leaves room for a response.
    """
    starts = evaluation_starts(collector.environments.num_tasks, num_tasks)
    groups: list[Group] = []
    at_once = collector.groups_at_once(samples)
    for first in range(0, len(starts), at_once):
        progress(first, len(starts))
        batch = starts[first : first + at_once]
        groups += collector.collect(batch, samples, [derived_seed(start.seed) for start in batch])
    progress(len(starts), len(starts))
    evaluation = Evaluation(groups)
    check_room(evaluation.episodes)
    return evaluation
