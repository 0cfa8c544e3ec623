"""SDPO on a single task: the weights carry the history (paper, Section 5)."""

from __future__ import annotations

from collections.abc import Callable

import torch

from agents.discovery.attempts import Batch, Bench, Record
from agents.runs.seeds import derived_seed
from agents.sdpo.distillation import SelfDistillation
from agents.sdpo.hybrid import Hybrid
from agents.update import Updater


def single_task_sdpo(bench: Bench, record: Record, finished: Callable[[str, int], None]) -> None:
    """Make the attempts that the record lacks: sample a batch, learn from its feedback, until the first success.

    The prompt stays the bare question. A run that was broken off is brought back by learning again from the attempts in
    the record, in the same order: nothing is sampled again, and the weights are what they were.

    Args:
        finished: Called with task and seed of each run that is complete.
    """
    model = bench.policy.model
    base = [parameter.detach().clone() for parameter in model.parameters()]
    try:
        for task in bench.tasks:
            for seed in bench.config.run_seeds:
                if not record.run(task, seed).over(bench.config.budget):
                    _restore(model, base)
                    _run(bench, record, task, seed)
                finished(task, seed)
    finally:
        _restore(model, base)
    bench.engine.sync()


def _run(bench: Bench, record: Record, task: str, seed: int) -> None:
    config, run = bench.config, record.run(task, seed)
    algorithm = (Hybrid if config.is_hybrid else SelfDistillation)(config, bench.policy)
    updater = Updater.with_adamw(bench.policy, config)
    metrics: dict[str, float] = {}
    for step, batch in enumerate(run.batches, 1):
        metrics = _learn(algorithm, updater, batch, step)
    bench.engine.sync()
    record.journal.start_clock()
    while not run.over(config.budget):
        first = run.attempts
        count = min(config.batch_size, config.budget - first)
        (group,) = bench.attempt([bench.tasks[task]], count, [derived_seed("sdpo", seed, task, first)])
        record.add([Batch(task, seed, first, group, notes=metrics)])
        if not run.over(config.budget):
            metrics = _learn(algorithm, updater, run.batches[-1], len(run.batches))
            bench.engine.sync()


def _learn(algorithm: SelfDistillation, updater: Updater, batch: Batch, step: int) -> dict[str, float]:
    attempts = list(batch.episodes)
    rows, metrics = algorithm.assign([attempts], step)
    return metrics | updater.update(algorithm, rows, attempts)


@torch.no_grad()
def _restore(model: torch.nn.Module, base: list[torch.Tensor]) -> None:
    for parameter, weights in zip(model.parameters(), base, strict=True):
        parameter.copy_(weights)
