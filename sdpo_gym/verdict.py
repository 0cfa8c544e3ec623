"""What a verifier says about one response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """The outcome of one attempt.

    The reward says how good the response was; the feedback says why, in words for the model. The two are separate
    channels: a learner may use either or both. An answer key never appears in the feedback.
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
