"""Advantages of a group's rewards, and losses of policy gradients, token by token.

The defaults are those of the SDPO paper's baseline (arXiv 2601.20802, Eq. 12 and Table 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

AdvantageKind = Literal["mean", "mean_std", "leave_one_out"]

EPSILON = 1e-6
"""Added to the standard deviation of rewards that are nearly equal."""


def group_advantages(rewards: Sequence[float], kind: AdvantageKind = "mean") -> list[float]:
    """What each reward of a group is worth beside the others.

    Args:
        rewards: Of attempts at the same task.
        kind: `mean`: minus the group's mean, as in Dr. GRPO (arXiv 2503.20783). `mean_std`: that, divided by the
            group's standard deviation, as in GRPO (arXiv 2402.03300). `leave_one_out`: minus the mean of the other
            rewards, as in RLOO (arXiv 2402.14740); n/(n − 1) times `mean`.
    """
    if min(rewards) == max(rewards):
        return [0.0] * len(rewards)
    centred = np.asarray(rewards, dtype=float) - np.mean(rewards)
    if kind == "mean_std":
        centred = centred / (np.std(rewards) + EPSILON)
    elif kind == "leave_one_out":
        centred = centred * (len(rewards) / (len(rewards) - 1))
    return centred.tolist()


def sequence_log_ratio(log_ratio: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    """The mean of the log ratios (N,) of each token's response: GSPO's ratio (arXiv 2507.18071, Eq. 7 and 14).

    Its value is the same at all tokens of a response; its gradient goes to each one's own, whose sum over the response,
    divided by its length, is the gradient of the sequence's ratio.
    """
    return response_means(log_ratio.detach(), row_of_token) + log_ratio - log_ratio.detach()


def response_means(values: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    """At each token, the mean of the values (N,) over all tokens of its response, (N,).

    Args:
        row_of_token: Number of each token's response, (N,) int64.
    """
    rows = int(row_of_token.max()) + 1
    sums = torch.zeros(rows, dtype=values.dtype, device=values.device).index_add(0, row_of_token, values)
    return (sums / torch.bincount(row_of_token, minlength=rows).clamp_min(1))[row_of_token]


def clipped_surrogate(
    log_ratio: torch.Tensor, advantages: torch.Tensor, *, clip_low: float, clip_high: float, dual_clip: float
) -> torch.Tensor:
    """Token losses −min(r·A, clip(r, 1 − low, 1 + high)·A), for A < 0 at most dual_clip·|A|.

    Args:
        log_ratio: Log-probs of the sampled tokens under the current policy, minus those under the policy before the
            batch's first optimizer step, (N,); with gradients.
        advantages: (N,).

    Returns:
        (N,)
    """
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_low, 1 + clip_high)
    loss = -torch.minimum(ratio * advantages, clipped * advantages)
    return torch.where(advantages < 0, loss.clamp_max(dual_clip * advantages.abs()), loss)


def clipped_weights(log_ratio: torch.Tensor, advantages: torch.Tensor, *, clip_high: float) -> torch.Tensor:
    """CISPO's token losses −min(r, 1 + high)·A·log π with the weight held constant (arXiv 2506.13585, Eq. 4).

    No token loses its gradient. Arguments as in `clipped_surrogate`; the losses' values are 0 where r is 1.
    """
    weight = log_ratio.detach().exp().clamp_max(1 + clip_high)
    return -weight * advantages * log_ratio


def kl_to_reference(logprobs: torch.Tensor, reference_logprobs: torch.Tensor) -> torch.Tensor:
    """Estimates of KL(policy ‖ reference) from the sampled tokens, (N,).

    They are e^u − u − 1 with u = log π_ref − log π, known as k3: without bias, and never negative.
    """
    u = reference_logprobs - logprobs
    return u.exp() - u - 1
