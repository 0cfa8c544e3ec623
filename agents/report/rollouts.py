"""Attempts as the page holds them: a table to search in, and their texts and credit in pieces, read when needed.

A long run's attempts, and above all their credit, do not fit into memory: files are read more than once, a record at a
time, and only attempts that are shown are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agents.report.curves import outcome
from agents.runs.load import Run
from agents.runs.records import Record

PREVIEW = 90
"""Characters of a response that the table shows."""


class Shown(NamedTuple):
    """An attempt that the page shows."""

    run: int
    """The run's place."""

    rollout: Record
    strength: float | None
    """See `strength`; None if no credit is shown."""

    credit: int | None
    """The place of its credit in `credits`."""


def choose_rollouts(runs: Sequence[Run], most: int, most_credits: int) -> list[Shown]:
    """At most `most` attempts of all runs, in order.

    Up to `most_credits` with credit come first; the others lose theirs. Whatever is left out is left out evenly.
    """
    names = [(place, rollout["id"]) for place, run in enumerate(runs) for rollout in run.each_rollout()]
    strengths = {
        (place, record["rollout"]): strength(record) for place, run in enumerate(runs) for record in run.each_credit()
    }
    with_credit = [i for i, name in enumerate(names) if name in strengths]
    credited = set(_evenly(with_credit, min(most, most_credits)))
    others = [i for i in range(len(names)) if i not in credited]
    chosen = {names[i]: i in credited for i in [*credited, *_evenly(others, most - len(credited))]}
    places = {name: i for i, name in enumerate(name for name in strengths if chosen.get(name))}
    return [
        Shown(place, rollout, strengths[name] if chosen[name] else None, places.get(name))
        for place, run in enumerate(runs)
        for rollout in run.each_rollout()
        if (name := (place, rollout["id"])) in chosen
    ]


def table(chosen: Sequence[Shown]) -> dict[str, list]:
    """The columns that can be filtered and sorted."""
    columns: dict[str, list] = {
        "run": [], "id": [], "step": [], "phase": [], "task": [], "success": [], "reward": [], "tokens": [],
        "outcome": [], "credit": [], "preview": [],
    }  # fmt: skip
    for shown in chosen:
        rollout = shown.rollout
        values = {
            "run": shown.run,
            **{name: rollout[name] for name in ("id", "step", "phase", "task", "success", "reward")},
            "tokens": sum(turn["tokens"] for turn in rollout["turns"]),
            "outcome": outcome(rollout),
            "credit": shown.strength,
            "preview": _preview(rollout),
        }
        for name, column in columns.items():
            column.append(values[name])
    return columns


def strength(credit: Mapping[str, Any]) -> float:
    """How much the tokens were credited with: mean |log q − log π| in nats, else the size of the advantage."""
    if "teacher" in credit:
        pairs = list(zip(credit["teacher"], credit["student"], strict=True))
        return round(sum(abs(q - p) for q, p in pairs) / len(pairs), 4)
    return abs(credit["advantage"])


def texts(chosen: Sequence[Shown]) -> tuple[list[dict[str, Any]], list[Any]]:
    """What an opened attempt shows.

    Returns:
        Of each attempt its texts, in which `prompt` and `credit` are places in the list of the different prompts, which
        is returned too, and in `credits`.
    """
    prompts: dict[str, int] = {}
    found = []
    for shown in chosen:
        prompt = json.dumps(shown.rollout["messages"])
        record = {name: shown.rollout[name] for name in ("turns", "metrics", "stop_reason", "seed")}
        record["prompt"] = prompts.setdefault(prompt, len(prompts))
        if shown.credit is not None:
            record["credit"] = shown.credit
        found.append(record)
    return found, [json.loads(prompt) for prompt in prompts]


def credits(runs: Sequence[Run], chosen: Sequence[Shown]) -> Iterator[dict[str, Any]]:
    """The credit that is shown, in the order of the files."""
    missing = {(shown.run, shown.rollout["id"]) for shown in chosen if shown.credit is not None}
    for place, run in enumerate(runs):
        for record in run.each_credit():
            if (place, record["rollout"]) in missing:
                missing.remove((place, record["rollout"]))
                yield {name: value for name, value in record.items() if name not in ("rollout", "step")}


def _preview(rollout: Record) -> str:
    response = rollout["turns"][-1]["response"] if rollout["turns"] else ""
    return " ".join(response[: 2 * PREVIEW].split())[:PREVIEW]


def _evenly(places: Sequence[int], most: int) -> list[int]:
    count = max(0, min(most, len(places)))
    return [places[i * len(places) // count] for i in range(count)]
