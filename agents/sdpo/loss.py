"""SDPO's losses: how far the student's next-token distributions are from the teacher's.

Equations are those of arXiv 2601.20802. Everywhere the teacher is a constant.
"""

from __future__ import annotations

import math
from typing import Literal

import torch

Divergence = Literal["reverse_kl", "forward_kl", "jsd"]

_TINY = torch.finfo(torch.float32).tiny


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


def compared_logprobs(
    student: torch.Tensor, teacher: torch.Tensor, top_k: int, tail: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Reduce two distributions, given as log-probs (N, V), to the student's top k tokens (Appendix A.3).

    Args:
        student: Log-probs with gradients.
        teacher: Log-probs without.
        top_k: 0, or V or more, keeps all tokens.
        tail: Whether all other tokens' probability is kept as one more entry. It is summed over those tokens, not taken
            as the rest to 1, so that it stays exact when it is small. Without it both sides are renormalised.

    Returns:
        Log-probs of student and teacher, each (N, V), (N, top_k + 1) or (N, top_k).
    """
    if not 0 < top_k < student.shape[-1]:
        return student, teacher
    indices = student.detach().topk(top_k, dim=-1).indices  # (N, K)
    return _reduced(student, indices, tail), _reduced(teacher, indices, tail)


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


def importance_weights(logprobs: torch.Tensor, old_logprobs: torch.Tensor, cap: float) -> torch.Tensor:
    """min(π / π_old, cap) of the sampled tokens, (N,), without gradients."""
    return (logprobs.detach() - old_logprobs).clamp(-20, 20).exp().clamp_max(cap)


def _reduced(logprobs: torch.Tensor, indices: torch.Tensor, tail: bool) -> torch.Tensor:
    top = logprobs.gather(-1, indices)
    if not tail:
        return top.log_softmax(-1)
    with torch.no_grad():
        rest = logprobs.exp().scatter_(-1, indices, 0.0).sum(-1, keepdim=True).clamp_min(_TINY)
    # The value is the exact sum over the tail. Its gradient comes from the top tokens, as all probabilities sum to 1:
    # a backward pass through the k of them, instead of through the vocabulary.
    mass = top.exp().sum(-1, keepdim=True)
    log_rest = rest.log() + (mass.detach() - mass) / rest
    return torch.cat([top, log_rest], dim=-1)


def _kl(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """KL(p ‖ q) of log-probs (N, C); entries to which p gives nothing count nothing."""
    possible = p > -torch.inf
    return torch.where(possible, p.exp() * torch.where(possible, p - q, 0.0), 0.0).sum(-1)
