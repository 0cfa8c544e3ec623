"""What a verifier says about one response."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sdpo_gym.tasks import Task


@dataclass(frozen=True)
class Verdict:
    """The outcome of one response.

    The reward says how good the response was; the feedback says why, in words for the model. The two are separate
    channels: a learner may use either or both. An answer key never appears in the feedback.

    A response is an attempt at an answer, unless there is an `observation`: then it was a step on the way.

    Raises:
        TypeError: the reward is no number, `success` no bool, the feedback no text, a feedback item no mapping with a
            text `kind`, or the metrics no numbers by name.
        ValueError: the reward or a metric is not finite.
    """

    reward: float
    """Scalar reward, 1.0 for a full success under the default binary rewards."""

    success: bool
    """Whether the task counts as solved."""

    feedback: str = ""
    """Text for the model; empty when there is nothing to say."""

    feedback_items: tuple[Mapping[str, Any], ...] = ()
    """What the feedback text was rendered from: JSON-able records with at least `kind` and `visibility`."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    """Deterministic numbers about the attempt (never timings: equal responses give equal metrics)."""

    observation: str | None = None
    """What the model sees next after a step, such as the result of a tool that it called. None: the response was an
    attempt, and if it failed the model sees the feedback next."""

    next_task: Task | None = None
    """The task as the response left it, with the same id: the next response is judged by it. None: unchanged."""

    final: bool = False
    """Whether the episode is over even if the attempt failed and turns are left."""

    def __post_init__(self) -> None:
        if not isinstance(self.reward, Real):
            raise TypeError(f"the reward of a Verdict must be a number, not {self.reward!r:.100}")
        if not math.isfinite(self.reward):
            raise ValueError(f"the reward of a Verdict must be finite, not {self.reward!r}")
        if not isinstance(self.success, (bool, np.bool_)):
            raise TypeError(f"success of a Verdict must be True or False, not {self.success!r:.100}")
        if not isinstance(self.feedback, str):
            raise TypeError(f"the feedback of a Verdict must be a str, not {self.feedback!r:.100}")
        if not is_feedback_items(self.feedback_items):
            raise TypeError(
                "the feedback_items of a Verdict must be a tuple of mappings, each with a str 'kind', "
                f"not {self.feedback_items!r:.200}"
            )
        if not isinstance(self.metrics, Mapping):
            raise TypeError(f"the metrics of a Verdict must be a mapping, not {self.metrics!r:.100}")
        for name, value in self.metrics.items():
            if not (isinstance(name, str) and isinstance(value, (Real, np.bool_))):
                raise TypeError(f"the metrics of a Verdict must be numbers by name, not {name!r:.100}: {value!r:.100}")
            if not math.isfinite(value):
                raise ValueError(f"the metric {name!r} of a Verdict must be finite, not {value!r}; leave it out")
        object.__setattr__(self, "reward", float(self.reward))
        object.__setattr__(self, "success", bool(self.success))
        object.__setattr__(self, "metrics", {name: float(value) for name, value in self.metrics.items()})


def is_feedback_items(value: Any) -> bool:
    """Whether these are records of feedback, perhaps none."""
    return isinstance(value, (tuple, list)) and all(
        isinstance(item, Mapping) and isinstance(item.get("kind"), str) for item in value
    )
