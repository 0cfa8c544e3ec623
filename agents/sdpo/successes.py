"""Successful responses of earlier steps, for the teacher to be shown where nobody succeeds now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.rollouts import Group
from agents.sdpo.reprompt import strip_thinking


class PastSuccesses:
    """The latest demonstrations of each task, different from each other, at most `size` of them.

    Of an earlier policy's they are in the teacher's context only: what it scores are samples of the student's, as ever.
    """

    def __init__(self, size: int):
        self.size = size
        self._of_task: dict[str, list[str]] = {}  # oldest first

    def add(self, groups: Sequence[Group]) -> None:
        """Take note of the successes among these attempts."""
        for episode in (episode for group in groups for episode in group if episode.success):
            response = strip_thinking(episode.response)
            if response and self.size:
                others = [other for other in self._of_task.get(episode.task, []) if other != response]
                self._of_task[episode.task] = [*others, response][-self.size :]

    def draw(self, task: str, rng: np.random.Generator) -> str:
        """One of the task's demonstrations; "" if there is none."""
        known = self._of_task.get(task)
        return known[rng.integers(len(known))] if known else ""

    def state(self) -> dict[str, Any]:
        return dict(self._of_task)

    def load_state(self, state: Mapping[str, Any]) -> None:
        self._of_task = dict(state)
