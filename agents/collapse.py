"""Notices when training destroys the policy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

WINDOW = 5
"""Steps whose mean is compared."""

LEAST = {"success_rate": 0.3, "entropy": 0.1, "response_tokens": 0.1}
"""A mean below this fraction of what it was: for the success rate at its best, for the others at the start."""

NOISE = 5.0
"""Standard errors that a fall of the success rate must exceed: the best of many windows is a lucky one. Of simulated
runs of 400 steps at a rate that never changes, of at most 0.3 and of tasks of unequal difficulty, most raised an alarm
without this; with it, one in six where successes are rare, one in thirty elsewhere."""

MEANING = {
    "success_rate": "success has collapsed",
    "entropy": "the policy is nearly deterministic and explores no more",
    "response_tokens": "responses have become very short",
}


class CollapseGuard:
    """Follows the metrics of training steps."""

    def __init__(self) -> None:
        self.history: list[dict[str, float]] = []
        self._said: set[str] = set()

    def check(self, metrics: Mapping[str, float]) -> str:
        """What is wrong after this step, in words; "" if nothing is, or if it has been said."""
        self.history.append({name: metrics[name] for name in LEAST if name in metrics})
        for name, least in LEAST.items():
            values = [record[name] for record in self.history if name in record]
            if name in self._said or len(values) < 2 * WINDOW:
                continue
            means = [sum(values[i : i + WINDOW]) / WINDOW for i in range(len(values) - WINDOW + 1)]
            then = max(means) if name == "success_rate" else means[0]
            noise = NOISE * _standard_error(values) if name == "success_rate" else 0.0
            if means[-1] < least * then and then - means[-1] > noise:
                self._said.add(name)
                return f"{MEANING[name]}: {name} is {means[-1]:.3g}, was {then:.3g}"
        return ""

    def state(self) -> dict[str, Any]:
        return {"history": self.history, "said": sorted(self._said)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.history, self._said = list(state["history"]), set(state["said"])


def _standard_error(values: Sequence[float]) -> float:
    """Of the difference between the means of two windows, from how values differ from one step to the next: a trend
    hardly enters."""
    squares = [(b - a) ** 2 / 2 for a, b in itertools.pairwise(values)]
    return math.sqrt(sum(squares) / len(squares) * 2 / WINDOW)
