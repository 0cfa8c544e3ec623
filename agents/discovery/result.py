"""The result of a discovery run: raw discovery times, curves, and a table of what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.discovery.attempts import Record
from agents.discovery.config import METHODS
from agents.discovery.curves import (
    CONFIDENCE,
    ESTIMATORS,
    LEAST_RUNS,
    Outcome,
    bootstrap_curves,
    discovery_curve,
    empirical_curve,
    interval,
    mean_attempts,
    speed_up,
)

BASELINE = "best_of_k"

Result = Mapping[str, Any]


def make_result(
    settings: Mapping[str, Any], records: Mapping[str, Record], tasks: Sequence[str], seeds: Sequence[int]
) -> dict[str, Any]:
    """What complete records show, JSON-able.

    `methods` holds for each method `runs` (for each task, by seed: `time`, the number of the first attempt that
    succeeded or None, `attempts` and `successes`), `curve` and `band` (discovery@k for k = 1 … budget), the `summary`,
    and under `cost` what depends on the machine. Bands and intervals are None where there are too few runs for them.
    """
    budget = settings["budget"]
    outcomes = {
        method: {task: [_outcome(records[method], task, seed) for seed in seeds] for task in tasks}
        for method in METHODS
        if method in records
    }
    runs_each = len(tasks) * len(seeds)
    resampled = bootstrap_curves(outcomes, budget)
    curves = {method: discovery_curve(ESTIMATORS[method], runs, budget) for method, runs in outcomes.items()}
    methods = {}
    for method, runs in outcomes.items():
        methods[method] = {
            "runs": {task: [vars(outcome) for outcome in of_task] for task, of_task in runs.items()},
            "curve": curves[method].tolist(),
            "band": _bounds(resampled[method], runs_each),
            "summary": _summary(method, curves, resampled, runs_each) | _speed_up(method, outcomes, budget),
            "cost": _cost(records[method], tasks, seeds),
        }
    return {"settings": dict(settings), "tasks": list(tasks), "seeds": list(seeds), "methods": methods}


def table(result: Result) -> str:
    """The result as Markdown."""
    budget, methods = result["settings"]["budget"], result["methods"]
    points = sorted({max(1, budget // 16), max(1, budget // 4), budget})
    headings = ["", *methods]
    rows = [[f"discovery@{k}", *(_at(method, k) for method in methods.values())] for k in points]
    rows.append(
        [f"mean attempts (at most {budget})", *(_bracketed(m["summary"]["mean_attempts"], 1) for m in methods.values())]
    )
    if BASELINE in methods and len(methods) > 1:
        rows.append(
            [
                f"Δ discovery@{budget} from {BASELINE}",
                *(_bracketed(m["summary"].get("difference"), 3) for m in methods.values()),
            ]
        )
        rows.append(["speed-up at equal discovery", *(_factor(m["summary"].get("speed_up")) for m in methods.values())])
    for label, name, form in (
        ("attempts made", "attempts", "{:.0f}"),
        ("response tokens", "tokens", "{:.0f}"),
        ("seconds in all", "seconds", "{:.0f}"),
        ("seconds per attempt", "seconds_per_attempt", "{:.2f}"),
        ("seconds until solved or given up, mean", "seconds_per_run", "{:.0f}"),
    ):
        rows.append([label, *(form.format(_costs(method)[name]) for method in methods.values())])
    lines = [" | ".join(row) for row in [headings, ["---", *["---:"] * len(methods)], *rows]]
    count = len(result["tasks"]) * len(result["seeds"])
    intervals = (
        f"no intervals, for which at least {LEAST_RUNS} runs are needed."
        if count < LEAST_RUNS
        else f"in brackets: {100 * CONFIDENCE:.0f} % bootstrap intervals over tasks and runs."
    )
    about = (
        f"{len(result['tasks'])} tasks × {len(result['seeds'])} seeds; model {result['settings']['model']}; {intervals}"
    )
    return about + "\n\n" + "\n".join(f"| {line} |" for line in lines) + "\n\n" + _times(result) + "\n"


def _outcome(record: Record, task: str, seed: int) -> Outcome:
    run = record.run(task, seed)
    return Outcome(run.time, run.attempts, run.successes)


def _bounds(draws: np.ndarray, runs: int) -> list | None:
    bounds = interval(draws, runs)
    return None if bounds is None else bounds.tolist()


def _summary(
    method: str, curves: Mapping[str, np.ndarray], resampled: Mapping[str, np.ndarray], runs: int
) -> dict[str, Any]:
    def estimate(value: float, draws: np.ndarray) -> dict[str, Any]:
        return {"value": float(value), "interval": _bounds(draws, runs)}

    curve, draws = curves[method], resampled[method]
    summary: dict[str, Any] = {
        "discovery": estimate(curve[-1], draws[:, -1]),
        "mean_attempts": estimate(mean_attempts(curve), mean_attempts(draws)),
    }
    if method != BASELINE and BASELINE in curves:
        baseline, baseline_draws = curves[BASELINE], resampled[BASELINE]
        summary["difference"] = estimate(curve[-1] - baseline[-1], draws[:, -1] - baseline_draws[:, -1])
    return summary


def _speed_up(method: str, outcomes: Mapping[str, Mapping[str, Sequence[Outcome]]], budget: int) -> dict[str, Any]:
    """Both counted by the first successes of as many runs: the baseline's pooled curve is smooth, and comes near 1 so
    much later than a curve of few runs that a method just like the baseline would seem faster."""
    if method == BASELINE or BASELINE not in outcomes:
        return {}
    found = speed_up(*(discovery_curve(empirical_curve, outcomes[name], budget) for name in (method, BASELINE)))
    return {"speed_up": None if found is None else {"discovery": found[0], "factor": found[1]}}


def _cost(record: Record, tasks: Sequence[str], seeds: Sequence[int]) -> dict[str, float]:
    runs = [record.run(task, seed) for task in tasks for seed in seeds]
    return {
        "attempts": sum(run.attempts for run in runs),
        "tokens": sum(run.tokens for run in runs),
        "seconds": sum(run.seconds for run in runs),
    }


def _costs(method: Mapping[str, Any]) -> dict[str, float]:
    cost = dict(method["cost"])
    cost["seconds_per_attempt"] = cost["seconds"] / cost["attempts"]
    # Of independent attempts all are made, for the estimator; a user would stop at the first success.
    cost["seconds_per_run"] = cost["seconds_per_attempt"] * method["summary"]["mean_attempts"]["value"]
    return cost


def _times(result: Result) -> str:
    """The attempts to the first success, task by task."""
    methods = result["methods"]
    lines = ["| attempts to the first success, by seed | " + " | ".join(methods) + " |"]
    lines.append("| --- |" + " --- |" * len(methods))
    for task in result["tasks"]:
        cells = [
            " ".join("–" if run["time"] is None else str(run["time"]) for run in method["runs"][task])
            for method in methods.values()
        ]
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _at(method: Mapping[str, Any], k: int) -> str:
    band = method["band"] and [bound[k - 1] for bound in method["band"]]
    return _bracketed({"value": method["curve"][k - 1], "interval": band}, 3)


def _bracketed(estimate: Mapping[str, Any] | None, digits: int) -> str:
    if estimate is None:
        return ""
    value = f"{estimate['value']:.{digits}f}"
    if estimate["interval"] is None:
        return value
    low, high = estimate["interval"]
    return f"{value} [{low:.{digits}f}, {high:.{digits}f}]"


def _factor(found: Mapping[str, float] | None) -> str:
    return f"{found['factor']:.2f}× at {found['discovery']:.3f}" if found else ""
