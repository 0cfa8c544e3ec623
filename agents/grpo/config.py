"""Settings of GRPO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agents.config import LearnerConfig, UpdateConfig
from agents.errors import UsageError
from agents.grpo.loss import AdvantageKind


@dataclass
class PolicyGradientConfig(UpdateConfig):
    """Settings of GRPO's signal and loss."""

    advantage: AdvantageKind = "mean"
    """Rewards minus the group's `mean` (Dr. GRPO), divided by its standard deviation (`mean_std`, GRPO), or minus the
    mean of the others (`leave_one_out`, RLOO)."""

    ratio: Literal["token", "sequence"] = "token"
    """Probability ratios of single tokens, or the geometric mean over a response (GSPO; its clips are around 3e-4, and
    its aggregation is `sequence`)."""

    surrogate: Literal["clip", "cispo"] = "clip"
    """Clip the objective, as PPO does, or only the weight of each token's gradient (CISPO)."""

    clip_low: float = 0.2
    """Probability ratios below 1 − clip_low get no gradient where the advantage is negative."""

    clip_high: float = 0.28
    """Probability ratios above 1 + clip_high get no gradient where the advantage is positive. CISPO's weights are at
    most 1 + clip_high."""

    dual_clip: float = 3.0
    """With a negative advantage, the loss is at most this times its size."""

    kl_coef: float = 0.0
    """Weight of the KL divergence from the initial policy in the loss."""

    skip_truncated: bool = False
    """Responses that the token limit cut off count for their group's mean, but are not learned from (DAPO)."""

    def check(self) -> None:
        super().check()
        self._at_least(kl_coef=0)
        if not (0 < self.clip_low < 1 and self.clip_high > 0 and self.dual_clip > 1):
            raise UsageError("--clip-low must be between 0 and 1, --clip-high more than 0, --dual-clip more than 1")
        if self.surrogate == "cispo":
            self._rules_out("surrogate", "ratio", "clip_low", "dual_clip")
        if self.minibatches == 1:  # all probability ratios are 1
            self._rules_out("minibatches", "ratio", "clip_low", "clip_high", "dual_clip")


@dataclass
class GRPOConfig(PolicyGradientConfig, LearnerConfig):
    """Train a language model with GRPO (Group Relative Policy Optimization) on any text environment."""

    def check(self) -> None:
        super().check()
        if self.group_size < 2:
            raise UsageError("--group-size must be at least 2: GRPO compares the responses to the same task")
