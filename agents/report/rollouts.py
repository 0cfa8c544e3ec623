"""Attempts as the page holds them: a table to search in, and their texts and credit in pieces, read when needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agents.report.curves import outcome
from agents.runs.load import Run
from agents.runs.records import Record

PREVIEW = 90
"""Characters of a response that the table shows."""


def choose_rollouts(runs: Sequence[Run], most: int, most_credits: int) -> list[tuple[int, Record, Record | None]]:
    """At most `most` attempts of all runs: (place of the run, attempt, its credit), in order.

    Up to `most_credits` with credit come first; the others lose theirs. Whatever is left out is left out evenly.
    """
    everything = []
    for place, run in enumerate(runs):
        credit = {record["rollout"]: record for record in run.credit}
        everything += [(place, rollout, credit.get(rollout["id"])) for rollout in run.rollouts]
    with_credit = [i for i, (_, _, credit) in enumerate(everything) if credit]
    credited = set(_evenly(with_credit, min(most, most_credits)))
    others = [i for i in range(len(everything)) if i not in credited]
    chosen = [*credited, *_evenly(others, most - len(credited))]
    return [(*everything[i][:2], everything[i][2] if i in credited else None) for i in sorted(chosen)]


def table(chosen: Sequence[tuple[int, Record, Record | None]]) -> dict[str, list]:
    """The columns that can be filtered and sorted."""
    columns: dict[str, list] = {
        "run": [], "id": [], "step": [], "phase": [], "task": [], "success": [], "reward": [], "tokens": [],
        "outcome": [], "credit": [], "preview": [],
    }  # fmt: skip
    for place, rollout, credit in chosen:
        values = {
            "run": place,
            **{name: rollout[name] for name in ("id", "step", "phase", "task", "success", "reward")},
            "tokens": sum(turn["tokens"] for turn in rollout["turns"]),
            "outcome": outcome(rollout),
            "credit": strength(credit),
            "preview": _preview(rollout),
        }
        for name, column in columns.items():
            column.append(values[name])
    return columns


def strength(credit: Mapping[str, Any] | None) -> float | None:
    """How much the tokens were credited with: mean |log q − log π| in nats, else the size of the advantage."""
    if credit is None:
        return None
    if "teacher" in credit:
        pairs = list(zip(credit["teacher"], credit["student"], strict=True))
        return round(sum(abs(q - p) for q, p in pairs) / len(pairs), 4)
    return abs(credit["advantage"])


def texts(
    chosen: Sequence[tuple[int, Record, Record | None]],
) -> tuple[list[dict[str, Any]], list[Any], list[dict[str, Any]]]:
    """What an opened attempt shows.

    Returns:
        Of each attempt its texts, in which `prompt` and `credit` are places in the other two lists: the different
        prompts, and the credit of those that have any.
    """
    prompts: dict[str, int] = {}
    found, credits = [], []
    for _, rollout, credit in chosen:
        prompt = json.dumps(rollout["messages"])
        record = {name: rollout[name] for name in ("turns", "metrics", "stop_reason", "seed")}
        record["prompt"] = prompts.setdefault(prompt, len(prompts))
        if credit:
            record["credit"] = len(credits)
            credits.append({name: value for name, value in credit.items() if name not in ("rollout", "step")})
        found.append(record)
    return found, [json.loads(prompt) for prompt in prompts], credits


def _preview(rollout: Record) -> str:
    response = rollout["turns"][-1]["response"] if rollout["turns"] else ""
    return " ".join(response[: 2 * PREVIEW].split())[:PREVIEW]


def _evenly(places: Sequence[int], most: int) -> list[int]:
    count = max(0, min(most, len(places)))
    return [places[i * len(places) // count] for i in range(count)]
