"""The loop that GRPO and SDPO share: sample groups of attempts, learn from them, evaluate, write everything down."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agents.algorithm import Algorithm
from agents.collapse import CollapseGuard
from agents.config import LearnerConfig
from agents.credit import CreditRecorder
from agents.environments import Environments, TaskSchedule, parse_env_args
from agents.errors import UsageError
from agents.evaluate.evaluation import Evaluation, evaluate
from agents.policy.load import load_trainable
from agents.policy.policy import Policy
from agents.policy.reference import Stateful
from agents.policy.sharding import divided, reshard, shard
from agents.processes import Processes
from agents.progress import ProgressDisplay, training_numbers
from agents.rollouts import Collector, Group, check_room
from agents.runs.folder import RunFolder, default_output
from agents.runs.interrupt import held, interruptible
from agents.runs.load import load_run
from agents.runs.seeds import derived_seed
from agents.sampling.factory import make_engine
from agents.trackers import Trackers, tracker_names
from agents.update import Updater

NO_SIGNAL_STEPS = 5
"""After so many steps without anything to learn from, a warning says so."""


class LearningAlgorithm(Algorithm, Protocol):
    """An algorithm as the loop sees it."""

    name: str

    def remember(self, groups: Sequence[Group]) -> None:
        """Called with all groups of a step, after those that are learned from were assigned."""
        ...

    def stateful(self) -> list[Stateful]:
        """What belongs to the state of the training besides the policy."""
        ...

    def no_signal(self) -> str:
        """Why there was nothing to learn from, where no attempt had a signal."""
        ...

    def before_training(self, evaluation: Evaluation, collector: Collector) -> dict:
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
    processes = Processes.join(config.device)
    if config.shard and processes.count == 1:
        raise UsageError(
            "--shard divides the model among several processes, but there is only one; start more with "
            "torchrun --nproc-per-node, or leave out --shard"
        )
    trackers = Trackers(processes.on_main(lambda: tracker_names(config.tracker)))
    console = console if console and processes.is_main else Console(quiet=not processes.is_main)
    environments = _make_environments(config, processes)
    try:
        config.check_tasks(environments.num_tasks)
        if config.resume:
            RunFolder(config.output, asdict(config), resume=True, processes=processes)  # before the model is loaded
        model = str(config.output / "checkpoint") if config.resume else config.model
        policy = load_trainable(model, config)
        if config.shard:
            shard(policy, processes)
        with contextlib.closing(make_engine(policy, config, processes)) as engine:
            algorithm = make_algorithm(policy, console)
            folder = RunFolder(
                config.output or default_output(algorithm.name, config.env),
                asdict(config),
                program=f"agents.{algorithm.name}",
                resume=config.resume,
                numbered=config.output is None,
                processes=processes,
            )
            shared = f" · {processes.count} processes" if processes.count > 1 else ""
            shared += ", weights divided" if policy.sharded else ""
            console.print(
                f"[bold]{algorithm.name.upper()}[/] · {escape(config.model)} on {escape(config.env)} · "
                f"{str(policy.compute_dtype).removeprefix('torch.')} on {policy.device.type}{shared} · "
                f"{escape(str(folder.path))}",
                soft_wrap=True,
            )
            try:
                with trackers, interruptible():
                    collector = Collector(policy, engine, environments, config.sampling, processes)
                    return _Run(config, collector, algorithm, folder, trackers, console).run()
            except BaseException:
                folder.remove_unused()
                raise
    finally:
        environments.close()


def _make_environments(config: LearnerConfig, processes: Processes) -> Environments:
    """As many as it takes for this process's share of a rollout batch, and for a task of an evaluation."""
    of_batch = math.ceil(config.tasks_per_step / processes.count) * config.group_size
    of_evaluation = config.eval_samples if config.eval_tasks else 1
    count = max(of_batch, of_evaluation)
    return Environments(config.env, parse_env_args(config.env_arg), count, config.success_return)


class _Run:
    """One training run."""

    def __init__(
        self,
        config: LearnerConfig,
        collector: Collector,
        algorithm: LearningAlgorithm,
        folder: RunFolder,
        trackers: Trackers,
        console: Console,
    ):
        policy, processes = collector.policy, collector.processes
        self.config, self.policy, self.collector = config, policy, collector
        self.algorithm, self.folder, self.trackers = algorithm, folder, trackers
        self.console = console
        self.schedule = TaskSchedule(
            collector.environments.num_tasks, config.seed, curriculum=config.curriculum != "none"
        )
        self.updater = Updater.with_adamw(policy, config, processes)
        self.credit = self.updater.recorder = CreditRecorder(policy, config.credit_samples)
        self.guard = CollapseGuard()
        self.first_step, self.position, self.best = 1, 0, -1.0  # position in the schedule
        self.rolled_back = self.learned = False
        if config.resume:
            self.load_state(folder.load_state())
        processes.on_main(lambda: trackers.start(folder.path, asdict(config), self.first_step))
        self.started = time.monotonic()

    def run(self) -> dict[str, Evaluation]:
        config, evaluations = self.config, {}
        step = self.first_step - 1
        if config.resume and step >= config.steps:
            self.console.print(
                f"nothing is left to do: the run is at step {step}, and --steps is {config.steps} · "
                f"--model {self.folder.path / 'checkpoint'}",
                markup=False,
                soft_wrap=True,
            )
            return evaluations
        try:
            with ProgressDisplay(self.console) as progress:
                if config.eval_tasks and step == 0:
                    evaluations["before"] = self.evaluate(0, progress)
                    metrics = self.algorithm.before_training(evaluations["before"], self.collector)
                    if metrics:
                        self.log({"step": 0, "phase": "preflight"} | metrics)
                bar = progress.add_task("training", total=config.steps, completed=step, note="")
                for step in range(self.first_step, config.steps + 1):
                    metrics = self.step(step)
                    progress.step_done(bar, step, training_numbers(metrics))
                    if step == NO_SIGNAL_STEPS:
                        self.warn_without_signal(step)
                    problem = self.guard.check(metrics)
                    if problem:
                        self.console.print(f"[bold yellow]warning[/] step {step}: {problem}")
                        if config.on_collapse == "rollback":
                            self.roll_back(step)
                    last = step == config.steps or (problem != "" and config.on_collapse != "warn")
                    if config.eval_tasks and (last or step % config.eval_every == 0):
                        evaluations["after"] = self.evaluate(step, progress)
                    if last:
                        break
                    if config.save_every and step % config.save_every == 0:
                        self.save(step)
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, KeyboardInterrupt) or self.updater.optimizer_steps:
                word = "Interrupted" if isinstance(error, KeyboardInterrupt) else "Failed"
                self.console.print(f"[bold]{word}[/] in step {step}; {escape(self.save_interrupted())}", soft_wrap=True)
            raise
        checkpoint = self.save(step)
        if step != NO_SIGNAL_STEPS:
            self.warn_without_signal(step)
        self.print_summary(step, checkpoint)
        return evaluations

    def log(self, record: Mapping[str, Any]) -> None:
        self.folder.log_metrics(record)
        self.trackers.log(record)

    def save(self, step: int) -> Path:
        with held():
            state = None
            if self.config.save_every and not self.rolled_back:
                state = {
                    "step": step,
                    "position": self.position,
                    "best": self.best,
                    "learned": self.learned,
                    "guard": self.guard.state(),
                    "updater": self.updater.state(),
                    "schedule": self.schedule.state(),
                    "algorithm": [part.state() for part in self.algorithm.stateful()],
                }
            return self.folder.save_checkpoint(self.policy, state)

    def warn_without_signal(self, steps: int) -> None:
        if steps and not self.learned:
            self.console.print(
                f"[bold yellow]warning:[/] in {steps} steps nothing was learned: {self.algorithm.no_signal()}. Easier "
                "tasks, a larger --group-size, or an environment that gives feedback (for SDPO) or rewards what is "
                "nearly right (for GRPO) may help"
            )

    def roll_back(self, step: int) -> None:
        """Take the weights that did best in an evaluation. Nothing can be gone on with from there: what optimizer and
        teacher remember is of the weights that are given up."""
        self.console.print(f"back to the weights with the best evaluation (success {self.best:.2f}), and the end")
        best = load_trainable(str(self.folder.path / "best"), self.config)
        reshard(self.policy.model)  # a copy that is gathered would soon be forgotten
        with torch.no_grad():
            for own, other in zip(self.policy.model.parameters(), best.model.parameters(), strict=True):
                if own.requires_grad:
                    own.copy_(divided(other, own))
        self.collector.engine.sync()
        self.rolled_back = True
        self.log({"step": step, "phase": "rollback", "success_rate": self.best})

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.first_step, self.position, self.best = state["step"] + 1, state["position"], state["best"]
        self.learned = state["learned"]
        self.guard.load_state(state["guard"])
        self.updater.load_state(state["updater"])
        self.schedule.load_state(state["schedule"])
        for part, saved in zip(self.algorithm.stateful(), state["algorithm"], strict=True):
            part.load_state(saved)

    def save_interrupted(self) -> str:
        """Save the weights, but not in the place of a checkpoint to go on from; where they are, in words."""
        checkpoint = self.folder.path / "checkpoint"
        if self.config.save_every:
            if checkpoint.exists():
                return f"the last checkpoint is in {checkpoint}, --resume goes on from there"
            return "there was no checkpoint yet"
        if self.policy.sharded:  # the other processes may be anywhere, so nothing can be gathered
            return "the weights are lost, as no process has all of them; --save-every keeps checkpoints"
        with held():
            return f"the weights are in {self.folder.save_checkpoint(self.policy)}"

    def print_summary(self, steps: int, checkpoint: Path) -> None:
        if not self.collector.processes.is_main:
            return
        evaluations = load_run(self.folder.path).metrics["evaluation"] if self.config.eval_tasks else []
        if len(evaluations) > 1:
            self.console.print(_table(evaluations[0], evaluations[-1], self.config, steps))
        minutes = (time.monotonic() - self.started) / 60
        self.console.print(
            f"{minutes:.1f} minutes · metrics and rollouts in {self.folder.path} · --model {checkpoint}",
            markup=False,
            soft_wrap=True,
        )

    def step(self, step: int) -> dict[str, float]:
        """Sample a batch of groups and learn from it."""
        config = self.config
        started, judged = time.monotonic(), self.collector.environments.judging_seconds
        groups = self.sample()
        sampled, judged = time.monotonic(), self.collector.environments.judging_seconds - judged
        episodes = [episode for group in groups for episode in group]
        if step == 1:
            check_room(episodes)
        batch = groups
        if config.extra_batches:
            batch = [group for group in groups if self.has_signal(group)][: config.tasks_per_step]
        learned = [group for group in batch if group[0].turns]
        rows, metrics = self.algorithm.assign(learned, step) if learned else ([], {"learned_fraction": 0.0})
        # Fractions are of all attempts that were sampled.
        metrics = {name: value * len(learned) / len(groups) for name, value in metrics.items()}
        self.algorithm.remember(groups)
        self.learned |= any(row.forward for row in rows)  # for a KL term, too
        self.credit.choose(rows, episodes)
        steps_taken = self.updater.optimizer_steps
        metrics |= self.updater.update(self.algorithm, rows, [episode for group in batch for episode in group])
        if self.updater.optimizer_steps > steps_taken:
            self.collector.engine.sync()
        ended = time.monotonic()
        metrics = _rollout_metrics(groups) | metrics
        metrics |= {
            "sample_seconds": sampled - started - judged,
            "grade_seconds": judged,
            "update_seconds": ended - sampled,
        }
        self.log({"step": step, "phase": "train"} | metrics)
        credit = dict(self.collector.processes.interleave(self.credit.take()))  # each process has its rows'
        self.folder.log_rollouts(step, "train", episodes, credit)
        return metrics

    def has_signal(self, group: Group) -> bool:
        """Whether something can be learned from these attempts."""
        return bool(group[0].turns) and self.algorithm.assign([group], 0)[1]["learned_fraction"] > 0

    def sample(self) -> list[Group]:
        """Groups of attempts at the next tasks: a batch, or so many more that a batch of them has a signal."""
        config, groups, with_signal = self.config, [], 0
        for _ in range(1 + config.extra_batches):
            starts = self.schedule.starts(self.position, config.tasks_per_step)
            seeds = [derived_seed(config.seed, self.position + i) for i in range(len(starts))]
            self.position += config.tasks_per_step
            sampled = self.collector.collect(starts, config.group_size, seeds)
            self.schedule.record(starts, [_success_rate(group) for group in sampled])
            groups += sampled
            if config.extra_batches:
                with_signal += sum(map(self.has_signal, sampled))
            if with_signal >= config.tasks_per_step:
                break
        return groups

    def evaluate(self, step: int, progress: ProgressDisplay) -> Evaluation:
        bar = progress.add_task(f"evaluation at step {step}", total=None, note="")
        evaluation = evaluate(
            self.collector,
            num_tasks=self.config.eval_tasks,
            samples=self.config.eval_samples,
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
        progress.remove_task(bar)
        self.console.print(f"evaluation at step {step}  {evaluation.describe()}", highlight=False, soft_wrap=True)
        self.log({"step": step, "phase": "evaluation"} | evaluation.metrics())
        self.folder.log_rollouts(step, "evaluation", evaluation.episodes)
        if self.config.save_every and evaluation.success_rate > self.best:
            self.best = evaluation.success_rate
            with held():
                self.folder.save_checkpoint(self.policy, name="best")
        return evaluation


def _success_rate(group: Group) -> float:
    return float(np.mean([episode.success for episode in group]))


def _rollout_metrics(groups: Sequence[Group]) -> dict[str, float]:
    episodes = [episode for group in groups for episode in group]
    solved = [sum(episode.success for episode in group) for group in groups]
    return {
        "responses": len(episodes),
        "success_rate": float(np.mean([episode.success for episode in episodes])),
        "reward": float(np.mean([episode.reward for episode in episodes])),
        "response_tokens": float(np.mean([episode.num_response_tokens for episode in episodes])),
        "truncated": float(np.mean([episode.truncated for episode in episodes])),
        "groups_unsolved": float(np.mean([count == 0 for count in solved])),
        "groups_all_solved": float(np.mean([count == len(group) for count, group in zip(solved, groups, strict=True)])),
    }


def _table(before: Mapping[str, float], after: Mapping[str, float], config: LearnerConfig, steps: int) -> Table:
    k = config.eval_samples
    table = Table(title=f"{before['tasks']} tasks × {k} samples, before → after {steps} steps")
    for heading in ("", "before", "after", "change"):
        table.add_column(heading, justify="right" if heading else "left")

    def row(title: str, name: str, digits: int, error: str | None = None) -> None:
        texts = [f"{metrics[name]:.{digits}f}" for metrics in (before, after)]
        if error is not None and not np.isnan([before[error], after[error]]).any():
            texts = [f"{text} ± {m[error]:.{digits}f}" for text, m in zip(texts, (before, after), strict=True)]
        table.add_row(title, *texts, f"{after[name] - before[name]:+.{digits}f}")

    row("success rate", "success_rate", 3, "standard_error")
    row(f"solved in {k} attempts (pass@{k})", f"pass@{k}", 3)
    row("response tokens", "response_tokens", 1)
    return table
