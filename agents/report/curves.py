"""Runs as curves: which belong together, and their metrics with bands of confidence over the seeds."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.config import ENGINE_PLACES
from agents.runs.load import Run
from agents.runs.records import Record

NOT_LEARNING = ("seed", "output", "resume", "save_every", "shard", "tracker", "credit_samples", *ENGINE_PLACES)
"""Settings in which runs of one curve may differ."""

OF_THE_COURSE = ("steps", "eval_every", "eval_tasks", "eval_samples", "preflight_tasks")
"""Settings that name a curve only where no others do."""

T_QUANTILES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)  # fmt: skip
"""97.5 % quantiles of Student's t with 1, 2, … degrees of freedom."""

NORMAL_QUANTILE = 1.96

TIMES = {"sample_seconds": "sampling", "grade_seconds": "grading", "update_seconds": "learning"}

SOLVED, CUT, UNNAMED, NO_ROOM = "solved", "cut off", "failed", "prompt too long"
"""Outcomes of attempts whose feedback names no kind: a success gets none, and not every environment names kinds."""


@dataclass(frozen=True)
class Curve:
    """Runs with equal settings, apart from the seed, which is another in each."""

    label: str
    runs: Sequence[int]
    """Their places in the list of runs."""


def group_runs(runs: Sequence[Run]) -> list[Curve]:
    """The curves, in the order of their first runs, named by what tells them apart.

    A seed is once in a curve: a run that repeats one is not independent of the other, and begins a curve of its own.
    """
    members: dict[tuple[str, int], list[int]] = defaultdict(list)
    repeats: Counter[tuple[str, Any]] = Counter()
    for place, run in enumerate(runs):
        settings = {name: value for name, value in run.settings.items() if name not in NOT_LEARNING}
        equal, seed = repr((run.program, sorted(settings.items()))), run.settings.get("seed")
        members[equal, repeats[equal, seed]].append(place)
        repeats[equal, seed] += 1
    groups = list(members.values())
    firsts = [runs[group[0]] for group in groups]
    labels = []
    for first in firsts:
        peers = [run for run in firsts if run.program == first.program]
        names = differing_settings(peers)
        names = [name for name in names if name not in OF_THE_COURSE] or names
        distinctions = [f"{name} {plain(first.settings.get(name))}" for name in names]
        if len(distinctions) > 3:
            distinctions = [*distinctions[:3], "…"]
        labels.append(" · ".join([algorithm(first), *distinctions]))
    counts = Counter(labels)
    numbers: Counter[str] = Counter()
    curves = []
    for label, group in zip(labels, groups, strict=True):
        numbers[label] += 1
        curves.append(Curve(label if counts[label] == 1 else f"{label} ({numbers[label]})", group))
    return curves


def algorithm(run: Run) -> str:
    return run.program.removeprefix("agents.").upper()


def differing_settings(runs: Sequence[Run]) -> list[str]:
    """Settings that are not the same in all of these runs, seed and output apart."""
    names = dict.fromkeys(name for run in runs for name in run.settings if name not in NOT_LEARNING)
    return [name for name in names if len({repr(run.settings.get(name)) for run in runs}) > 1]


def plain(value: Any) -> str:
    """A setting's value as people write it."""
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value)) or "–"
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def mean_and_interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """The mean of independent runs' values, and the ends of its 95 % t-interval; None for fewer than two runs."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return mean, None, None
    quantile = T_QUANTILES[count - 2] if count - 2 < len(T_QUANTILES) else NORMAL_QUANTILE
    margin = quantile * float(np.std(values, ddof=1)) / math.sqrt(count)
    return mean, mean - margin, mean + margin


def series(records: Sequence[Sequence[Record]], metric: str) -> dict[str, list] | None:
    """A metric of one curve, step by step: means, ends of the band, and the runs' values. None where no record has it.

    The band is that over runs. A single run's success rate in evaluations has that of `standard_error` instead, the
    uncertainty from sampling the attempts. The band of a fraction stays between 0 and 1.

    Args:
        records: Of each run, those of one phase.
    """
    found = [{r["step"]: r for r in of_run if is_number(r.get(metric))} for of_run in records]
    columns: dict[str, list] = {"steps": [], "mean": [], "low": [], "high": [], "values": []}
    for step in sorted({step for of_run in found for step in of_run}):
        at_step = [of_run.get(step) for of_run in found]
        mean, low, high = mean_and_interval([record[metric] for record in at_step if record])
        if len(records) == 1 and metric == "success_rate" and is_number(error := at_step[0].get("standard_error")):
            low, high = mean - NORMAL_QUANTILE * error, mean + NORMAL_QUANTILE * error
        if low is not None and is_fraction(metric):
            low, high = max(0.0, low), min(1.0, high)
        values = [record and record[metric] for record in at_step]
        for name, value in zip(columns, (step, mean, low, high, values), strict=True):
            columns[name].append(value)
    return columns if columns["steps"] else None


def is_fraction(metric: str) -> bool:
    """Whether a metric is between 0 and 1 by its nature."""
    fractions = ("success_rate", "truncated", "clipped", "groups_unsolved", "groups_all_solved")
    return metric in fractions or metric.startswith("pass@") or metric.endswith("_fraction")


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def metric_names(runs: Sequence[Run], phase: str) -> list[str]:
    """The metrics that records of a phase have, in their order."""
    records = [record for run in runs for record in run.metrics[phase]]
    names = dict.fromkeys(name for record in records for name, value in record.items() if is_number(value))
    return [name for name in names if name != "step"]


def times(records: Sequence[Sequence[Record]]) -> dict[str, Any]:
    """Mean seconds of each step by what they were spent on. Older runs did not tell grading from sampling."""
    found = {metric: series(records, metric) for metric in TIMES}
    parts = {TIMES[metric]: columns for metric, columns in found.items() if columns}
    if "sampling" in parts and "grading" not in parts:
        parts = {"sampling and grading": parts.pop("sampling"), **parts}
    return {name: {"steps": columns["steps"], "mean": columns["mean"]} for name, columns in parts.items()}


def outcome(rollout: Mapping[str, Any]) -> str:
    """What came of an attempt, in a word: the first kind of the feedback on its last response."""
    if rollout["success"]:
        return SOLVED
    if not rollout["turns"]:
        return NO_ROOM
    last = rollout["turns"][-1]
    return next(iter(last["feedback_kinds"]), CUT if last["truncated"] else UNNAMED)


def outcomes(rollouts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The fraction of a curve's training attempts with each outcome, step by step; the commonest outcomes first."""
    at_step: dict[int, Counter[str]] = defaultdict(Counter)
    for rollout in rollouts:
        if rollout["phase"] == "train":
            at_step[rollout["step"]][outcome(rollout)] += 1
    steps = sorted(at_step)
    names = [name for name, _ in sum(at_step.values(), Counter()).most_common()]
    names.sort(key=lambda name: name != SOLVED)
    totals = [at_step[step].total() for step in steps]
    shares = {name: [at_step[s][name] / total for s, total in zip(steps, totals, strict=True)] for name in names}
    return {"steps": steps, "shares": shares}
