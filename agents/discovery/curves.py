"""discovery@k: the chance that a task is solved within k attempts; its estimators, and their uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.9
BOOTSTRAP_DRAWS = 1000

LEAST_RUNS = 5
"""Fewer runs, of all tasks together, show too little of how much they vary: resamples of them hardly differ."""


@dataclass(frozen=True)
class Outcome:
    """What one run came to."""

    time: int | None
    """The number of the first attempt that succeeded, from 1; None: not within the budget."""

    attempts: int
    successes: int


def pass_curve(attempts: int, successes: int, budget: int) -> np.ndarray:
    """Unbiased pass@k for k = 1 … budget from independent attempts, (budget,): 1 − C(n − c, k) / C(n, k).

    Raises:
        ValueError: there are fewer attempts than the budget.
    """
    if attempts < budget:
        raise ValueError(f"pass@{budget} needs at least {budget} attempts, not {attempts}")
    drawn = np.arange(budget)
    return 1 - np.cumprod(np.maximum(attempts - successes - drawn, 0) / (attempts - drawn))


def independent_curve(runs: Sequence[Outcome], budget: int) -> np.ndarray:
    """discovery@k of independent attempts at one task: pass@k from those of all runs, (budget,)."""
    return pass_curve(sum(run.attempts for run in runs), sum(run.successes for run in runs), budget)


def empirical_curve(runs: Sequence[Outcome], budget: int) -> np.ndarray:
    """discovery@k of a method whose attempts depend on each other: the fraction of runs solved by k, (budget,)."""
    times = np.array([budget + 1 if run.time is None else run.time for run in runs])
    return (times[:, None] <= np.arange(1, budget + 1)).mean(axis=0)


Estimator = Callable[[Sequence[Outcome], int], np.ndarray]

ESTIMATORS: dict[str, Estimator] = {
    "best_of_k": independent_curve,
    "multi_turn": empirical_curve,
    "sdpo": empirical_curve,
}


def discovery_curve(estimator: Estimator, runs: Mapping[str, Sequence[Outcome]], budget: int) -> np.ndarray:
    """Mean over tasks of discovery@k, (budget,).

    Args:
        runs: The runs of each task.
    """
    return np.mean([estimator(outcomes, budget) for outcomes in runs.values()], axis=0)


def bootstrap_curves(
    runs: Mapping[str, Mapping[str, Sequence[Outcome]]], budget: int, draws: int = BOOTSTRAP_DRAWS
) -> dict[str, np.ndarray]:
    """Curves of resampled data: tasks are drawn with replacement, then, for each of them, its runs.

    All methods get the same draws, so that their differences, draw by draw, are those on equal tasks.

    Args:
        runs: For each method, the runs of each task; all methods have the same tasks, and as many runs of each.

    Returns:
        For each method (draws, budget).
    """
    rng = np.random.default_rng(0)
    first = next(iter(runs.values()))
    tasks, count = list(first), len(next(iter(first.values())))
    curves: dict[str, list[np.ndarray]] = {method: [] for method in runs}
    for _ in range(draws):
        drawn = [(tasks[i], rng.integers(count, size=count)) for i in rng.integers(len(tasks), size=len(tasks))]
        for method, of_task in runs.items():
            estimator = ESTIMATORS[method]
            curve = [estimator([of_task[task][i] for i in seeds], budget) for task, seeds in drawn]
            curves[method].append(np.mean(curve, axis=0))
    return {method: np.array(rows) for method, rows in curves.items()}


def interval(values: np.ndarray, runs: int) -> np.ndarray | None:
    """Percentile interval over the first axis: low and high, (2, …); None where `runs`, those that were resampled, are
    fewer than `LEAST_RUNS`."""
    if runs < LEAST_RUNS:
        return None
    return np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)


def mean_attempts(curves: np.ndarray) -> np.ndarray:
    """Mean of min(attempts to the first success, budget), (…), from discovery@k, (…, budget).

    E min(T, K) is the sum over k from 0 to K − 1 of P(T > k).
    """
    return 1 + (1 - curves[..., :-1]).sum(axis=-1)


def attempts_until(curve: np.ndarray, level: float) -> int | None:
    """The least k whose discovery@k is at least `level`; None where the curve does not get there."""
    reached = np.flatnonzero(curve >= level - 1e-9)
    return int(reached[0]) + 1 if len(reached) else None


def speed_up(curve: np.ndarray, baseline: np.ndarray) -> tuple[float, float] | None:
    """How many times fewer attempts a method needs than the baseline, at the highest discovery that both reach.

    Returns:
        That discovery, and the baseline's attempts until then divided by the method's; None if one discovers nothing.
    """
    level = float(min(curve[-1], baseline[-1]))
    if level <= 0:
        return None
    return level, attempts_until(baseline, level) / attempts_until(curve, level)
