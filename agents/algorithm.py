"""What the loop asks of a learning algorithm, and the rows and tokens that the two speak of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch

from agents.episode import Episode
from agents.policy.head import HeadStats
from agents.policy.next_tokens import NextTokens, next_tokens
from agents.policy.policy import Policy

Signal = TypeVar("Signal")


@dataclass
class Row(Generic[Signal]):
    """An attempt that counts in an update, with what the algorithm has it learn from."""

    episode: Episode
    signal: Signal
    forward: bool = True
    """False where the loss is known to be zero: the row then counts in the denominators, and costs nothing."""

    old_logprobs: torch.Tensor | None = None
    """Trainer's log-probs of the response tokens before the first optimizer step, (T,), where there are several."""


@dataclass
class TokenBatch:
    """The N response tokens of a micro-batch, row after row. All log-probs are at the sampling temperature."""

    rows: Sequence[Row]
    row_of_token: torch.Tensor  # (N,) int64
    stats: HeadStats  # about the next-token distributions, at the algorithm's top tokens
    old_logprobs: torch.Tensor  # (N,) the same before this batch's first optimizer step, detached
    sampler_logprobs: torch.Tensor  # (N,) the same as the sampler computed them
    token_ids: torch.Tensor  # (N,) int64

    @property
    def logprobs(self) -> torch.Tensor:
        """(N,) of the tokens that were sampled."""
        return self.stats.logprobs

    def only(self, mask: torch.Tensor) -> TokenBatch:
        """The tokens under a mask (N,)."""
        return TokenBatch(
            self.rows,
            self.row_of_token[mask],
            HeadStats(*(numbers[mask] for numbers in self.stats)),
            self.old_logprobs[mask],
            self.sampler_logprobs[mask],
            self.token_ids[mask],
        )


@dataclass(frozen=True)
class TokenCredit:
    """What one response's T tokens were credited with; None: not by this algorithm."""

    advantage: float | None = None
    """GRPO's, the same for all of them."""

    context_ids: Sequence[int] | None = None
    """The teacher's prompt."""

    teacher: HeadStats | None = None
    """About the teacher's distributions, with the student's top tokens."""


class Algorithm(Protocol):
    """What differs between learners: the signal per token, and the loss."""

    def assign(self, groups: Sequence[Sequence[Episode]], step: int) -> tuple[list[Row], dict[str, float]]:
        """Rows to learn from, members of a group one after another, and metrics about them."""
        ...

    def targets(self, rows: Sequence[Row]) -> Any:
        """What `token_losses` needs besides the batch. Called without gradients, before the student's forward pass."""
        ...

    def top_tokens(self, targets: Any) -> int | torch.Tensor:
        """The tokens that `token_losses` looks at one by one: how many of the student's most probable, or which ones,
        (N, K) int64, different ones at each position."""
        ...

    def token_losses(self, batch: TokenBatch, targets: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Losses (N,) and, detached, per-token metrics (N,)."""
        ...

    def credit(self, row: Row, mask: torch.Tensor, tokens: TokenBatch, targets: Any) -> TokenCredit:
        """What the row's tokens learn from, for the record. Called without gradients.

        Args:
            mask: (N,) bool, where in the batch that the targets are for they are.
            tokens: They alone.
        """
        ...

    def after_update(self) -> None:
        """Called once per rollout batch if the weights changed."""
        ...


def response_token_ids(rows: Sequence[Row], device: torch.device) -> torch.Tensor:
    """The response tokens of the rows, one after another, (N,) int64."""
    return _flat([turn.response_ids for row in rows for turn in row.episode.turns], torch.int64, device)


def response_distributions(
    policy: Policy,
    prompts: Sequence[Sequence[int]],
    rows: Sequence[Row],
    temperature: float,
    *,
    as_in_training: bool = False,
) -> NextTokens:
    """The distributions at the rows' response tokens, each row's responses read after the given prompt.

    See `next_tokens`.
    """
    mask = _flat([row.episode.loss_mask for row in rows], torch.bool, policy.device)
    continuations = [row.episode.continuation_ids for row in rows]
    return next_tokens(policy, prompts, continuations, mask, temperature, as_in_training=as_in_training)


def sampler_correction(batch: TokenBatch, cap: float) -> torch.Tensor:
    """Truncated importance weights (N,) between trainer and sampler: min(π_old / π_sampler, cap)."""
    return (batch.old_logprobs - batch.sampler_logprobs).exp().clamp_max(cap)


def _flat(rows: Iterable[Iterable[Any]], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.tensor([value for row in rows for value in row], dtype=dtype, device=device)
