"""Independent attempts. All of the budget is sampled: the unbiased estimator of discovery@k needs every attempt."""

from __future__ import annotations

from collections.abc import Callable

from agents.discovery.attempts import Batch, Bench, Record
from agents.runs.seeds import derived_seed


def best_of_k(bench: Bench, record: Record, finished: Callable[[str, int], None]) -> None:
    """Make the attempts that the record lacks.

    Args:
        finished: Called with task and seed of each run that is complete.
    """
    config = bench.config
    for task, start in bench.tasks.items():
        for seed in config.run_seeds:
            run = record.run(task, seed)
            while run.attempts < config.budget:
                first = run.attempts
                count = min(config.sampling_rows, config.budget - first)
                (group,) = bench.attempt([start], count, [derived_seed("best_of_k", seed, task, first)])
                record.add([Batch(task, seed, first, group)])
            finished(task, seed)
