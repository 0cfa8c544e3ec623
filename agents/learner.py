"""The loop that GRPO and SDPO share: sample groups of attempts, learn from them, evaluate, write everything down."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Protocol

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from agents.config import LearnerConfig
from agents.environments import Environments, TaskSchedule, parse_env_args
from agents.errors import UsageError
from agents.evaluate.evaluation import Evaluation, evaluate
from agents.policy.load import load_policy
from agents.policy.policy import Policy
from agents.progress import progress_bar
from agents.rollouts import Group, collect_groups
from agents.runs.folder import RunFolder, default_output
from agents.runs.interrupt import Interrupts
from agents.runs.seeds import derived_seed
from agents.sampling.engine import SamplingEngine
from agents.sampling.transformers_engine import TransformersEngine
from agents.update import Algorithm, Updater


class LearningAlgorithm(Algorithm, Protocol):
    """An algorithm as the loop sees it."""

    name: str

    def has_signal(self, group: Group) -> bool:
        """Whether something can be learned from these attempts."""
        ...

    def before_training(self, evaluation: Evaluation, engine: SamplingEngine, environments: Environments) -> dict:
        """Look at the attempts of the first evaluation; returns metrics."""
        ...


def train(
    config: LearnerConfig,
    make_algorithm: Callable[[Policy, Console], LearningAlgorithm],
    console: Console | None = None,
) -> dict[str, Evaluation]:
    """Train as the configuration says.

    Args:
        config: The settings; checked here.
        make_algorithm: Makes the algorithm for the policy, before training.
        console: Where progress and tables go; by default the terminal.

    Returns:
        The evaluations `before` and `after`; empty when there is none.

    Raises:
        UsageError: something that the user can mend.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once the checkpoint is saved.
    """
    config.check()
    console = console or Console()
    _check_single_process()
    environments = Environments(
        config.env,
        parse_env_args(config.env_arg),
        max(config.tasks_per_step * config.group_size, config.eval_samples if config.eval_tasks else 1),
    )
    try:
        policy = load_policy(config.model, device=config.device, precision=config.precision)
        algorithm = make_algorithm(policy, console)
        folder = RunFolder(config.output or default_output(algorithm.name, config.env), asdict(config))
        console.print(
            f"[bold]{algorithm.name.upper()}[/] · {config.model} on {config.env} · "
            f"{str(policy.compute_dtype).removeprefix('torch.')} on {policy.device.type} · {folder.path}"
        )
        with Interrupts() as interrupts:
            return _Run(config, policy, environments, algorithm, folder, console, interrupts).run()
    finally:
        environments.close()


class _Run:
    """One training run."""

    def __init__(
        self,
        config: LearnerConfig,
        policy: Policy,
        environments: Environments,
        algorithm: LearningAlgorithm,
        folder: RunFolder,
        console: Console,
        interrupts: Interrupts,
    ):
        self.config, self.policy, self.environments = config, policy, environments
        self.algorithm, self.folder, self.console, self.interrupts = algorithm, folder, console, interrupts
        self.engine = TransformersEngine(policy, config.sampling_rows)
        self.schedule = TaskSchedule(environments.num_tasks, config.seed)
        self.updater = Updater.with_adamw(policy, config, interrupts)
        self.position = 0  # in the schedule
        self.started = time.monotonic()

    def run(self) -> dict[str, Evaluation]:
        evaluations: dict[str, Evaluation] = {}
        step = 0
        try:
            with progress_bar(self.console) as progress:
                if self.config.eval_tasks:
                    evaluations["before"] = self.evaluate(0, progress)
                    metrics = self.algorithm.before_training(evaluations["before"], self.engine, self.environments)
                    if metrics:
                        self.folder.log_metrics({"step": 0, "phase": "preflight"} | metrics)
                bar = progress.add_task("training", total=self.config.steps, note="")
                for step in range(1, self.config.steps + 1):
                    metrics = self.step(step)
                    note = f"success {metrics['success_rate']:.2f}  loss {metrics.get('loss', 0.0):.4f}"
                    progress.update(bar, completed=step, note=note)
                    if not self.console.is_terminal:  # a log file shows no progress bar before its end
                        self.console.print(f"step {step}/{self.config.steps}  {note}")
                    last = step == self.config.steps
                    if self.config.eval_tasks and (last or step % self.config.eval_every == 0):
                        evaluations["after"] = self.evaluate(step, progress)
        except KeyboardInterrupt:
            with self.interrupts.critical():
                checkpoint = self.folder.save_checkpoint(self.policy)
            self.console.print(f"[bold]Interrupted[/] in step {step}; the weights are in {checkpoint}")
            raise
        with self.interrupts.critical():
            checkpoint = self.folder.save_checkpoint(self.policy)
        if "after" in evaluations:
            self.console.print(_table(evaluations["before"], evaluations["after"], self.config.steps))
        minutes = (time.monotonic() - self.started) / 60
        self.console.print(f"{minutes:.1f} minutes · metrics and rollouts in {self.folder.path} · --model {checkpoint}")
        return evaluations

    def step(self, step: int) -> dict[str, float]:
        """Sample a batch of groups and learn from it."""
        config = self.config
        started = time.monotonic()
        groups = self.sample(step)
        sampled = time.monotonic()
        learned = groups
        if config.extra_batches:
            learned = [group for group in groups if self.algorithm.has_signal(group)][: config.tasks_per_step]
        rows, metrics = self.algorithm.assign(learned, step) if learned else ([], {"learned_fraction": 0.0})
        metrics |= self.updater.update(self.algorithm, rows)
        ended = time.monotonic()
        metrics = _rollout_metrics(groups) | metrics
        metrics |= {"sample_seconds": sampled - started, "update_seconds": ended - sampled}
        self.folder.log_metrics({"step": step, "phase": "train"} | metrics)
        self.folder.log_rollouts(step, "train", [episode for group in groups for episode in group])
        return metrics

    def sample(self, step: int) -> list[Group]:
        """Groups of attempts at the next tasks: a batch, or so many more that a batch of them has a signal."""
        config, groups = self.config, []
        generator = torch.Generator(self.policy.device).manual_seed(derived_seed(config.seed, step))
        for _ in range(1 + config.extra_batches):
            starts = self.schedule.starts(self.position, config.tasks_per_step)
            self.position += config.tasks_per_step
            groups += collect_groups(
                self.policy, self.engine, self.environments, starts, config.group_size, config.sampling, generator
            )
            if sum(map(self.algorithm.has_signal, groups)) >= config.tasks_per_step:
                break
        return groups

    def evaluate(self, step: int, progress: Progress) -> Evaluation:
        bar = progress.add_task(f"evaluation at step {step}", total=None, note="")
        evaluation = evaluate(
            self.policy,
            self.engine,
            self.environments,
            num_tasks=self.config.eval_tasks,
            samples=self.config.eval_samples,
            parameters=self.config.sampling,
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
        progress.update(bar, note=f"success {evaluation.success_rate:.2f} ± {evaluation.standard_error:.2f}")
        self.folder.log_metrics({"step": step, "phase": "evaluation"} | evaluation.metrics())
        self.folder.log_rollouts(step, "evaluation", evaluation.episodes)
        return evaluation


def _rollout_metrics(groups: Sequence[Group]) -> dict[str, float]:
    episodes = [episode for group in groups for episode in group]
    solved = [sum(episode.success for episode in group) for group in groups]
    return {
        "success_rate": float(np.mean([episode.success for episode in episodes])),
        "reward": float(np.mean([episode.reward for episode in episodes])),
        "response_tokens": float(np.mean([episode.num_response_tokens for episode in episodes])),
        "truncated": float(np.mean([episode.truncated for episode in episodes])),
        "groups_unsolved": float(np.mean([count == 0 for count in solved])),
        "groups_all_solved": float(np.mean([count == len(group) for count, group in zip(solved, groups, strict=True)])),
    }


def _table(before: Evaluation, after: Evaluation, steps: int) -> Table:
    k = len(before.groups[0])
    table = Table(title=f"{len(before.groups)} tasks × {k} samples, before → after {steps} steps")
    for heading in ("", "before", "after", "change"):
        table.add_column(heading, justify="right" if heading else "left")

    def row(name: str, a: float, b: float, digits: int, error: tuple[float, float] | None = None) -> None:
        texts = [f"{a:.{digits}f}", f"{b:.{digits}f}"]
        if error is not None:
            texts = [f"{text} ± {e:.{digits}f}" for text, e in zip(texts, error, strict=True)]
        table.add_row(name, *texts, f"{b - a:+.{digits}f}")

    errors = (before.standard_error, after.standard_error)
    row("success rate", before.success_rate, after.success_rate, 3, None if np.isnan(errors).any() else errors)
    row(f"solved in {k} attempts (pass@{k})", before.pass_at(k), after.pass_at(k), 3)
    lengths = [evaluation.metrics()["response_tokens"] for evaluation in (before, after)]
    row("response tokens", *lengths, 1)
    return table


def _check_single_process() -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("training runs in one process; start it without accelerate launch or torchrun")
