"""Drawing discovery curves; needs matplotlib (extra `[report]`)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from agents.discovery.curves import CONFIDENCE

_NAMES = {"best_of_k": "best of k", "multi_turn": "multi-turn", "sdpo": "SDPO"}
_COLOURS = {"best_of_k": "#777777", "multi_turn": "#d9822b", "sdpo": "#1f6fb2"}


def draw(result: Mapping[str, Any], file_format: str) -> bytes:
    """discovery@k with bands against the number of attempts, as a `png` or `svg` file.

    Raises:
        ModuleNotFoundError: there is no matplotlib.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    budget = result["settings"]["budget"]
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    attempts = range(1, budget + 1)
    for name, method in result["methods"].items():
        if method["band"] is not None:
            style = {"color": _COLOURS[name], "step": "post"}
            axes.fill_between(attempts, *method["band"], alpha=0.15, linewidth=0, **style)
        axes.step(attempts, method["curve"], color=_COLOURS[name], where="post", label=_NAMES[name])
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlim(1, max(2, budget))
    axes.set_ylim(0, 1)
    axes.set_xlabel("attempts k")
    bands = any(method["band"] is not None for method in result["methods"].values())
    axes.set_ylabel(f"discovery@k (bands: {100 * CONFIDENCE:.0f} %)" if bands else "discovery@k")
    axes.set_title(f"{len(result['tasks'])} tasks × {len(result['seeds'])} seeds")
    axes.legend(loc="upper left")
    axes.grid(alpha=0.3)
    content = io.BytesIO()
    figure.savefig(content, format=file_format, dpi=150)
    return content.getvalue()
