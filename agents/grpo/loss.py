"""GRPO's advantage and loss, as the SDPO paper's baseline has them (arXiv 2601.20802, Eq. 12 and Table 13)."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def group_advantages(rewards: Sequence[float]) -> list[float]:
    """Rewards minus their group's mean. They are not divided by the standard deviation, as in Dr. GRPO."""
    mean = sum(rewards) / len(rewards)
    return [reward - mean for reward in rewards]


def clipped_surrogate(
    logprobs: torch.Tensor,
    old_logprobs: torch.Tensor,
    advantages: torch.Tensor,
    *,
    clip_low: float,
    clip_high: float,
    dual_clip: float,
) -> torch.Tensor:
    """Token losses −min(r·A, clip(r, 1 − low, 1 + high)·A), for A < 0 at most dual_clip·|A|.

    Args:
        logprobs: Log-probs of the sampled tokens under the current policy, (N,).
        old_logprobs: The same under the policy before the batch's first optimizer step, (N,), detached.
        advantages: (N,).

    Returns:
        (N,), with gradients to `logprobs`.
    """
    ratio = (logprobs - old_logprobs).exp()
    clipped = ratio.clamp(1 - clip_low, 1 + clip_high)
    loss = -torch.minimum(ratio * advantages, clipped * advantages)
    return torch.where(advantages < 0, loss.clamp_max(dual_clip * advantages.abs()), loss)
