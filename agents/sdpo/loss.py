"""SDPO's losses: how far the student's next-token distributions are from the teacher's.

Equations are those of arXiv 2601.20802. Everywhere the teacher is a constant.
"""

from __future__ import annotations

import math
from typing import Literal

import torch

from agents.grpo.loss import response_means
from agents.policy.head import HeadStats

Divergence = Literal["reverse_kl", "forward_kl", "jsd"]


def distribution_divergence(
    student: torch.Tensor, teacher: torch.Tensor, kind: Divergence, alpha: float = 0.5
) -> torch.Tensor:
    """Divergence between distributions, each given as log-probs (N, C).

    Args:
        student: Log-probs with gradients.
        teacher: Log-probs without.
        kind: `reverse_kl` is KL(student ‖ teacher) (Eq. 1), `forward_kl` KL(teacher ‖ student), `jsd` the generalised
            Jensen-Shannon divergence (1 − α)·KL(student ‖ M) + α·KL(teacher ‖ M), M = (1 − α)·student + α·teacher.
        alpha: The teacher's weight in M, between 0 and 1.

    Returns:
        (N,), in nats.
    """
    if kind == "reverse_kl":
        return _kl(student, teacher)
    if kind == "forward_kl":
        return _kl(teacher, student)
    mixture = torch.logaddexp(student + math.log1p(-alpha), teacher + math.log(alpha))
    return (1 - alpha) * _kl(student, mixture) + alpha * _kl(teacher, mixture)


def compared_logprobs(stats: HeadStats, tail: bool) -> torch.Tensor:
    """What is compared of a distribution: its log-probs of the top tokens (Appendix A.3).

    Args:
        stats: The student's, or the teacher's, at the same K indices.
        tail: Whether all other tokens count as one more entry. Without it the others are left out, and the top tokens'
            probabilities are made to sum to 1.

    Returns:
        (N, K + 1) or (N, K).
    """
    if not tail:
        return stats.top_logprobs.log_softmax(-1)
    return torch.cat([stats.top_logprobs, stats.tail_logprobs[:, None]], dim=-1)


def clip_teacher(student: torch.Tensor, teacher: torch.Tensor, clip: float) -> torch.Tensor:
    """Move the teacher's log-probs to within `clip` nats of the student's; shapes are equal, no gradients.

    The gradient of the reverse KL is then the policy gradient whose advantages log q − log π are clipped to ±`clip`
    (Table 12). The result's probabilities need not sum to 1.
    """
    if math.isinf(clip):
        return teacher
    student = student.detach()
    return torch.minimum(torch.maximum(teacher, student - clip), student + clip)


def sampled_token_loss(logprobs: torch.Tensor, teacher_logprobs: torch.Tensor) -> torch.Tensor:
    """Token-level SDPO, (N,): the advantage log q − log π of the sampled token, times −log π.

    Its value is not a divergence; its gradient estimates the reverse KL's from one token.
    """
    return (logprobs - teacher_logprobs).detach() * logprobs


def sequence_loss(logprobs: torch.Tensor, teacher_logprobs: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    """Sequence-level SDPO, (N,): one advantage for all tokens of a response, the mean of their log q − log π.

    Summed over responses of a length T, the gradient's expectation is 1/T of the gradient of KL(student ‖ teacher)
    between whole responses: what a token changes in later ones counts too, at the price of a larger variance.

    Args:
        row_of_token: Number of each token's response, (N,) int64.
    """
    return response_means((logprobs - teacher_logprobs).detach(), row_of_token) * logprobs


def importance_weights(logprobs: torch.Tensor, old_logprobs: torch.Tensor, cap: float) -> torch.Tensor:
    """min(π / π_old, cap) of the sampled tokens, (N,), without gradients."""
    return (logprobs.detach() - old_logprobs).clamp(-20, 20).exp().clamp_max(cap)


def _kl(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """KL(p ‖ q) of log-probs (N, C); entries to which p gives nothing count nothing."""
    possible = p > -torch.inf
    return torch.where(possible, p.exp() * torch.where(possible, p - q, 0.0), 0.0).sum(-1)
