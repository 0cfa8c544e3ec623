"""Settings of GRPO."""

from __future__ import annotations

from dataclasses import dataclass

from agents.config import LearnerConfig
from agents.errors import UsageError


@dataclass
class GRPOConfig(LearnerConfig):
    """Train a language model with GRPO (Group Relative Policy Optimization) on any text environment."""

    clip_low: float = 0.2
    """Probability ratios below 1 − clip_low get no gradient where the advantage is negative."""

    clip_high: float = 0.28
    """Probability ratios above 1 + clip_high get no gradient where the advantage is positive."""

    dual_clip: float = 3.0
    """With a negative advantage, the loss is at most this times its size."""

    def check(self) -> None:
        super().check()
        if not (0 < self.clip_low < 1 and self.clip_high > 0 and self.dual_clip > 1):
            raise UsageError("--clip-low must be between 0 and 1, --clip-high more than 0, --dual-clip more than 1")
        if self.group_size < 2:
            raise UsageError("--group-size must be at least 2: GRPO compares the responses to the same task")
