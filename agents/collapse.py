"""Notices when training destroys the policy."""

from __future__ import annotations

from collections.abc import Mapping

WINDOW = 5
"""Steps whose mean is compared."""

LEAST = {"success_rate": 0.3, "entropy": 0.1, "response_tokens": 0.1}
"""A mean below this fraction of what it was: for the success rate at its best, for the others at the start."""

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
            if means[-1] < least * then:
                self._said.add(name)
                return f"{MEANING[name]}: {name} is {means[-1]:.3g}, was {then:.3g}"
        return ""
