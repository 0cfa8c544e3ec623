"""One HTML page with everything in it.

What comes from runs, and so from models, gets into the page only as compressed JSON in base64, and is shown as text
nodes: it is never markup. A Content Security Policy allows the page's own scripts, by their hashes, and no connection.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from agents.errors import UsageError
from agents.report import curves, rollouts
from agents.runs.load import Run

SCRIPTS = ("elements.js", "charts.js", "credit.js", "rollouts.js", "page.js")

ROLLOUTS_AT_ONCE, CREDITS_AT_ONCE = 250, 25
"""Attempts whose texts, or credits, are unpacked together."""


def make_page(runs: Sequence[Run], most_rollouts: int, most_credits: int) -> str:
    """The report's HTML.

    Args:
        most_rollouts: So many attempts are shown at most, of all runs together.
        most_credits: Of so many of them at most, what their tokens were credited with.

    Raises:
        UsageError: a run's file is damaged, or plotly is not installed.
    """
    chosen = rollouts.choose_rollouts(runs, most_rollouts, most_credits)
    texts, prompts = rollouts.texts(chosen)
    blocks = {
        "data-summary": _summary(runs) | {"pieces": [ROLLOUTS_AT_ONCE, CREDITS_AT_ONCE]},
        "data-table": rollouts.table(chosen),
        "data-prompts": prompts,
    }
    packed = {name: _packed(_json(content)) for name, content in blocks.items()}
    packed |= _pieces("data-texts", texts, ROLLOUTS_AT_ONCE)
    packed |= _pieces("data-credit", rollouts.credits(runs, chosen), CREDITS_AT_ONCE)
    plotly = _plotly()
    packed["data-plotly"] = _packed(plotly)
    scripts = [_file(name) for name in SCRIPTS]
    hashes = [_hash(script) for script in (*scripts, plotly)]
    parts = {
        "@policy@": f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; img-src data:",
        "@style@": _file("style.css"),
        "@data@": "\n".join(
            f'<script type="application/gzip" id="{name}">{data}</script>' for name, data in packed.items()
        ),
        "@scripts@": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    page = _file("template.html")
    for mark, part in parts.items():
        page = page.replace(mark, part)
    return page


def _summary(runs: Sequence[Run]) -> dict[str, Any]:
    """All but the attempts."""
    groups = curves.group_runs(runs)
    members = [[runs[place] for place in group.runs] for group in groups]
    return {
        "curves": [{"label": group.label, "runs": list(group.runs)} for group in groups],
        "runs": [
            {
                "name": run.path.resolve().name,
                "algorithm": curves.algorithm(run),
                "settings": {name: curves.plain(value) for name, value in run.settings.items()},
                "versions": dict(run.versions),
                "rollouts": sum(1 for _ in run.each_rollout()),
                "steps": max((record["step"] for record in run.metrics["train"]), default=0),
                "seconds": sum(record.get(name, 0.0) for record in run.metrics["train"] for name in curves.TIMES),
            }
            for run in runs
        ],
        "differing": curves.differing_settings([of_group[0] for of_group in members]),
        "series": {
            phase: {
                metric: [curves.series([run.metrics[phase] for run in group], metric) for group in members]
                for metric in curves.metric_names(runs, phase)
            }
            for phase in ("evaluation", "train")
        },
        "outcomes": [curves.outcomes(rollout for run in group for rollout in run.each_rollout()) for group in members],
        "times": [curves.times([run.metrics["train"] for run in group]) for group in members],
    }


def _pieces(name: str, items: Iterable[Any], at_once: int) -> dict[str, str]:
    """Packed, so many items at a time."""
    left = iter(items)
    pieces = iter(lambda: list(itertools.islice(left, at_once)), [])
    return {f"{name}-{i}": _packed(_json(piece)) for i, piece in enumerate(pieces)}


def _json(content: Any) -> str:
    return json.dumps(_finite(content), separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    """The value with None for what JSON has no number for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _plotly() -> str:
    try:
        library = files("plotly") / "package_data" / "plotly.min.js"
    except ModuleNotFoundError as error:
        raise UsageError("the report's plots need plotly: pip install 'sdpo-gym[report]'") from error
    return library.read_text(encoding="utf-8")


def _file(name: str) -> str:
    return (files("agents.report") / name).read_text(encoding="utf-8")
