"""Results of several models side by side, as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents.evaluate.estimators import LEAST_TASKS
from agents.evaluate.result import Estimate, common, estimate
from sdpo_gym.wrappers import SUCCESS_RETURN

_LABELS = {
    "success_rate": "success rate (avg@{samples})",
    "turns": "turns",
    "truncated": "truncated",
    "response_tokens": "response tokens",
    "entropy": "entropy (−log-prob per sampled token, nats)",
}

Result = Mapping[str, Any]


def report(results: Sequence[Result]) -> str:
    """Tables of results: metrics, success by metadata, kinds of feedback, throughput and cost.

    With several results, each is compared with the first on the tasks that they share, if these are of the same
    environment with the same arguments, and what counts as a success is the same: the mean of the tasks' differences
    with its interval, which is narrower than those of the two means.
    """
    parts = [_heading(results), _metrics(results), _by_metadata(results), _feedback(results), _throughput(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(results: Sequence[Result]) -> str:
    lines = [f"{_name(results, i)}: {_description(result)}" for i, result in enumerate(results)]
    notes = f"In brackets: 95 % bootstrap intervals over tasks, of which at least {LEAST_TASKS} are needed."
    if len(results) > 1:
        notes += f" Δ: difference from {_name(results, 0)} on the tasks that both attempted."
        first = _environment(results[0])
        if others := [_name(results, i) for i, result in enumerate(results) if _environment(result) != first]:
            notes += f" None for {', '.join(others)}, whose environment, its arguments or --success-return are others."
    return "\n".join(f"* {line}" for line in lines) + f"\n\n{notes}"


def _description(result: Result) -> str:
    settings = result["settings"]
    arguments = "".join(f" {argument}" for argument in settings.get("env_arg", []))
    template = "".join(f", {argument}" for argument in settings.get("template_arg", []))
    return (
        f"{len(result['tasks'])} tasks of {settings.get('env')}{arguments} × {result['samples']} samples, "
        f"T = {settings.get('temperature')}, top-p {settings.get('top_p')}, "
        f"at most {settings.get('max_new_tokens')} tokens, seed {settings.get('seed')}{template}"
    )


def _metrics(results: Sequence[Result]) -> str:
    names = list(dict.fromkeys(name for result in results for name in result["metrics"]))
    samples = {result["samples"] for result in results}
    label = "/".join(map(str, sorted(samples)))
    rows = []
    for name in names:
        cells = [_interval(result["metrics"].get(name)) for result in results]
        cells += [_interval(_difference(results[0], result, name), sign=True) for result in results[1:]]
        rows.append([_LABELS.get(name, name).format(samples=label), *cells])
    headings = ["", *(_name(results, i) for i in range(len(results)))]
    headings += [f"Δ {_name(results, i)}" for i in range(1, len(results))]
    return _table(headings, rows)


def _difference(first: Result, other: Result, name: str) -> Estimate | None:
    """Mean over common tasks of what the other has more; None where there is nothing to compare."""
    if _environment(first) != _environment(other):
        return None
    before, after = _by_task(first), _by_task(other)
    tasks = [task for task in before if task in after]
    if not tasks or name not in common([before[task] for task in tasks] + [after[task] for task in tasks]):
        return None
    return estimate([after[task][name] - before[task][name] for task in tasks])


def _by_task(result: Result) -> dict[tuple[str, int], Mapping[str, float]]:
    """Statistics by the task's name and, as environments may call all that seeds decide the same, its number among the
    tasks of that name."""
    counts: Counter[str] = Counter()
    found = {}
    for task in result["tasks"]:
        found[task["task"], counts[task["task"]]] = task["statistics"]
        counts[task["task"]] += 1
    return found


def _environment(result: Result) -> tuple[str, list[str], float]:
    """What the tasks are of, without the module that registers it, and what solves them: elsewhere, the same names are
    other tasks."""
    settings = result["settings"]
    name = str(settings.get("env")).rpartition(":")[2]
    return name, sorted(settings.get("env_arg", [])), settings.get("success_return", SUCCESS_RETURN)


def _by_metadata(results: Sequence[Result]) -> str:
    tables = []
    for key in dict.fromkeys(key for result in results for key in result["by"]):
        groups = list(dict.fromkeys(name for result in results for name in result["by"].get(key, {})))
        rows = []
        for name in groups:
            found = [result["by"].get(key, {}).get(name) for result in results]
            counts = "/".join(dict.fromkeys(str(group["tasks"]) for group in found if group))
            rows.append([name, counts, *(_interval(group and group["success_rate"]) for group in found)])
        headings = [key, "tasks", *(_name(results, i) for i in range(len(results)))]
        tables.append(f"Success rate by {key}:\n\n{_table(headings, rows)}")
    return "\n\n".join(tables)


def _feedback(results: Sequence[Result]) -> str:
    kinds = list(dict.fromkeys(kind for result in results for kind in result["feedback"]["kinds"]))
    if not kinds:
        return ""
    rows = [[kind, *(_percent(result["feedback"]["kinds"].get(kind, 0.0)) for result in results)] for kind in kinds]
    headings = ["feedback", *(_name(results, i) for i in range(len(results)))]
    failures = ", ".join(f"{result['feedback']['failures']}" for result in results)
    return f"Kinds of feedback, in percent of the failed attempts ({failures}):\n\n{_table(headings, rows)}"


def _throughput(results: Sequence[Result]) -> str:
    labels: dict[str, tuple[str, str, Callable[[float], str]]] = {
        "seconds": ("throughput", "seconds", "{:.0f}".format),
        "episodes_per_second": ("throughput", "episodes per second", "{:.2f}".format),
        "tokens_per_second": ("throughput", "response tokens per second", "{:.0f}".format),
        "tokens_in": ("cost", "tokens read", str),
        "tokens_out": ("cost", "tokens written", str),
        "cost": ("cost", "cost", "{:.4f}".format),
    }
    rows = []
    for name, (part, label, form) in labels.items():
        values = [result[part].get(name) for result in results]
        if any(value is not None for value in values):
            rows.append([label, *("–" if value is None else form(value) for value in values)])
    return _table(["sampling and judging", *(_name(results, i) for i in range(len(results)))], rows)


def _name(results: Sequence[Result], index: int) -> str:
    """The model's name, numbered where several results have the same."""
    names = [result["model"] for result in results]
    same = names[: index + 1].count(names[index])
    return names[index] if names.count(names[index]) == 1 else f"{names[index]} ({same})"


def _interval(estimate: Estimate | None, *, sign: bool = False) -> str:
    if estimate is None:
        return "–"
    form = "{:+.{digits}f}" if sign else "{:.{digits}f}"
    digits = 1 if abs(estimate["value"]) >= 10 else 3
    text = form.format(estimate["value"], digits=digits)
    if estimate["interval"] is None:
        return text
    low, high = (form.format(bound, digits=digits) for bound in estimate["interval"])
    return f"{text} [{low}, {high}]"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[_escape(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    rule = (
        "|" + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|"
    )
    return "\n".join([lines[0], rule, *lines[1:]])


def _escape(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
