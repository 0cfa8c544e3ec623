"""The result of an evaluation: statistics of each task, and what follows from them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.errors import UsageError, first_line
from agents.evaluate.attempts import Attempt, total
from agents.evaluate.estimators import bootstrap_interval, majority_vote, pass_at_k, short_answer

FORMAT = "sdpo-gym evaluation 1"

MOST_CATEGORIES = 32
"""Success is broken down by metadata that take at most so many values."""

Estimate = Mapping[str, Any]
"""`{"value": number, "interval": [low, high] or None}`: a mean over tasks and its 95 % bootstrap interval."""


def make_result(
    model: str, settings: Mapping[str, Any], attempts: Sequence[Attempt], prices: tuple[float | None, float | None]
) -> dict[str, Any]:
    """What the attempts show, JSON-able.

    Args:
        model: Its name.
        settings: How the attempts were made.
        attempts: As many at one task as at another.
        prices: Of a million tokens read and written; None where unknown.
    """
    groups: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        groups[attempt.position].append(attempt)
    tasks = [_task(group) for group in groups.values()]
    return {
        "format": FORMAT,
        "model": model,
        "settings": dict(settings),
        "samples": len(attempts) // len(tasks),
        "metrics": estimates([task["statistics"] for task in tasks]),
        "by": _by_metadata(tasks),
        "feedback": _feedback(attempts),
        "throughput": _throughput(attempts),
        "cost": _cost(attempts, prices),
        "tasks": tasks,
    }


def read_result(path: Path) -> dict[str, Any]:
    """Read a `result.json`. Raises UsageError where it is none."""
    try:
        result = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the result {path}: {first_line(error)}") from error
    if not isinstance(result, dict) or result.get("format") != FORMAT:
        raise UsageError(f"{path} is no result of agents.evaluate, whose files are called result.json")
    needed = ("model", "settings", "samples", "metrics", "by", "feedback", "throughput", "cost", "tasks")
    if missing := [name for name in needed if name not in result]:
        raise UsageError(f"the result {path} lacks {', '.join(missing)}; it is damaged: evaluate again")
    return result


def estimates(statistics: Sequence[Mapping[str, float]]) -> dict[str, Estimate]:
    """Means over tasks of what every task has; what only responses have, of those to which there are any."""
    names = common([task for task in statistics if task.get("turns") != 0])
    return {name: estimate([task[name] for task in statistics if name in task]) for name in names}


def common(statistics: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names that all have, in order."""
    return [name for name in statistics[0] if all(name in task for task in statistics)]


def estimate(values: Sequence[float]) -> Estimate:
    interval = bootstrap_interval(values)
    return {"value": float(np.mean(values)), "interval": None if interval is None else list(interval)}


def _task(group: Sequence[Attempt]) -> dict[str, Any]:
    return {
        "task": group[0].task,
        "metadata": dict(group[0].metadata),
        "successes": sum(attempt.success for attempt in group),
        "statistics": _statistics(group),
    }


def _statistics(group: Sequence[Attempt]) -> dict[str, float]:
    """Of the attempts at one task; what is not known of all of them is left out."""
    n, successes = len(group), sum(attempt.success for attempt in group)
    ks = sorted({2**i for i in range(1, n.bit_length()) if 2**i <= n} | ({n} if n > 1 else set()))
    answers = [short_answer(attempt.response) for attempt in group]
    votes = sum(answer is not None for answer in answers)
    optional = {
        # Where fewer than half of the responses are short answers, the task does not ask for one.
        f"majority@{n}": majority_vote(answers, [a.success for a in group]) if 2 * votes >= n > 1 else None,
        "response_tokens": _mean([attempt.tokens for attempt in group]),
        "entropy": _entropy(group),
    }
    return {
        "success_rate": successes / n,
        **{f"pass@{k}": pass_at_k(n, successes, k) for k in ks},
        "reward": float(np.mean([attempt.reward for attempt in group])),
        "turns": float(np.mean([len(attempt.turns) for attempt in group])),
        "truncated": float(np.mean([attempt.truncated for attempt in group])),
        **{name: value for name, value in optional.items() if value is not None},
    }


def _entropy(group: Sequence[Attempt]) -> float | None:
    """Per token of all attempts together: a mean of the attempts' own would count a token of a short one for more, and
    what is likely to end a response is in the short ones."""
    logprob = total([attempt.logprob for attempt in group])
    tokens = total([attempt.logprob_tokens for attempt in group])
    return -logprob / tokens if logprob is not None and tokens else None


def _by_metadata(tasks: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each kind of metadata that groups tasks, such as the difficulty: tasks and success of every group."""
    breakdown = {}
    for key in common([task["metadata"] for task in tasks]):
        values = [task["metadata"][key] for task in tasks]
        if not all(isinstance(value, (str, int)) for value in values):
            continue
        names = list(dict.fromkeys(map(str, sorted(values, key=lambda value: (isinstance(value, str), value)))))
        if 1 < len(names) <= MOST_CATEGORIES and len(names) < len(tasks):
            breakdown[key] = {
                name: _group([task for task in tasks if str(task["metadata"][key]) == name]) for name in names
            }
    return breakdown


def _group(tasks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    statistics = [{"success_rate": task["statistics"]["success_rate"]} for task in tasks]
    return {"tasks": len(tasks), **estimates(statistics)}


def _feedback(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """How many attempts failed, and the fraction of them with each kind of feedback (one may have several)."""
    failures = [attempt for attempt in attempts if not attempt.success]
    counts = Counter(kind for attempt in failures for kind in set(attempt.feedback_kinds))
    kinds = {kind: count / len(failures) for kind, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))}
    return {"failures": len(failures), "kinds": kinds}


def _throughput(attempts: Sequence[Attempt]) -> dict[str, float]:
    """Of sampling and judging together."""
    seconds = sum(attempt.seconds for attempt in attempts)
    tokens = total([attempt.tokens for attempt in attempts])
    rates = {"seconds": seconds}
    if seconds > 0:
        rates["episodes_per_second"] = len(attempts) / seconds
        if tokens is not None:
            rates["tokens_per_second"] = tokens / seconds
    return rates


def _cost(attempts: Sequence[Attempt], prices: tuple[float | None, float | None]) -> dict[str, float]:
    """Tokens read and written, as far as they are known, and what they cost. Tries that failed are not in it."""
    read = total([attempt.prompt_tokens for attempt in attempts])
    written = total([attempt.tokens for attempt in attempts])
    cost = {"tokens_in": read, "tokens_out": written}
    if None not in (read, written, *prices):
        cost["cost"] = (read * prices[0] + written * prices[1]) / 1e6
    return {name: value for name, value in cost.items() if value is not None}


def _mean(values: Sequence[float | None]) -> float | None:
    return None if None in values or not values else float(np.mean(values))
