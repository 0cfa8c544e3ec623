"""Reading a training run's folder, for plots, tables and reports; needs neither torch nor pandas.

    run = load_run("runs/sdpo-livecodebench-v0-20260120-101500")
    pandas.DataFrame(run.metrics["train"]).plot(x="step", y="success_rate")
    pandas.DataFrame(run.rollouts).groupby(["phase", "step"]).success.mean()

What the records hold is in docs/run-folder.md.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.errors import UsageError
from agents.runs.records import Record, read_config, read_records


@dataclass(frozen=True)
class Run:
    """A training run, as its folder tells it."""

    path: Path
    program: str
    """What wrote it: `agents.sdpo` or `agents.grpo`."""

    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    metrics: Mapping[str, list[Record]]
    """Records by phase: `train` (one per step), `evaluation`, `preflight`; a phase without records is an empty list."""

    def each_rollout(self) -> Iterator[Record]:
        """Every sampled attempt, in order, read one by one from the file. Raises UsageError."""
        counts: dict[tuple[str, int], int] = defaultdict(int)
        for record in _read(self.path / "rollouts.jsonl"):
            key = record["phase"], record["step"]
            record.setdefault("id", rollout_id(*key, counts[key]))  # older folders number nothing
            counts[key] += 1
            yield record

    def each_credit(self) -> Iterator[Record]:
        """What single tokens of some attempts were credited with, likewise. Raises UsageError."""
        return _read(self.path / "credit.jsonl", ("rollout", "step", "tokens", "student"))

    @functools.cached_property
    def rollouts(self) -> list[Record]:
        """All of `each_rollout`, kept. A long run's take gigabytes of memory, its `credit` more. Raises UsageError."""
        return list(self.each_rollout())

    @functools.cached_property
    def credit(self) -> list[Record]:
        """All of `each_credit`, kept. Raises UsageError."""
        return list(self.each_credit())


def load_run(path: str | Path) -> Run:
    """Read a folder that `agents.sdpo` or `agents.grpo` wrote, or is still writing.

    Raises:
        UsageError: it is no folder of a training run, its format is not known, it is empty, or a file is damaged.
    """
    path = Path(path)
    config = read_config(path)
    program = config["program"] or _guess_program(config["config"])
    if program not in ("agents.sdpo", "agents.grpo"):
        report = path / "report.md"
        where = f"; its own report is {report}" if report.exists() else ""
        raise UsageError(f"{path} holds what {program} wrote, not a training run{where}")
    metrics: dict[str, list[Record]] = {"train": [], "evaluation": [], "preflight": []}
    for record in _read(path / "metrics.jsonl"):
        metrics.setdefault(record["phase"], []).append(record)
    if not any(metrics.values()):
        raise UsageError(f"the run in {path} is empty: it ended, or has not got, before its first record")
    return Run(path, program, config["config"], config["versions"], metrics)


def rollout_id(phase: str, step: int, index: int) -> str:
    """The name of the attempt that was the `index`-th of its step, from 0."""
    return f"{phase}-{step}-{index}"


def _read(path: Path, needed: tuple[str, ...] = ("step", "phase")) -> Iterator[Record]:
    return read_records(path, needed) if path.exists() else iter(())


def _guess_program(settings: Mapping[str, Any]) -> str:
    """What wrote a folder that does not say it."""
    if "steps" in settings:
        return "agents.sdpo" if "context" in settings else "agents.grpo"
    return "agents.discovery" if "budget" in settings else "agents.evaluate"
