"""GRPO: every token of a response gets the response's reward relative to its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from agents.algorithm import Row, TokenBatch, TokenCredit, response_distributions, sampler_correction
from agents.evaluate.evaluation import Evaluation
from agents.grpo.config import PolicyGradientConfig
from agents.grpo.loss import clipped_surrogate, clipped_weights, group_advantages, kl_to_reference, sequence_log_ratio
from agents.policy.lora import reference_weights
from agents.policy.next_tokens import NextTokens
from agents.policy.policy import Policy
from agents.policy.reference import Stateful
from agents.rollouts import Collector, Group


class Targets(NamedTuple):
    """What the losses of a micro-batch need."""

    advantages: torch.Tensor  # (N,)
    reference: NextTokens | None  # the initial policy's distributions


class GRPO:
    """The signal is an advantage, one number per response."""

    name = "grpo"

    def __init__(self, config: PolicyGradientConfig, policy: Policy):
        self.config = config
        self.policy = policy
        self.reference = reference_weights(policy.model) if config.kl_coef else None

    def before_training(self, evaluation: Evaluation, collector: Collector) -> dict:
        return {}

    def no_signal(self) -> str:
        cut = " or were cut off (--skip-truncated)" if self.config.skip_truncated else ""
        return f"all attempts at a task got the same reward{cut}"

    def stateful(self) -> list[Stateful]:
        return [self.reference] if self.reference else []

    def advantages(self, group: Group) -> list[float]:
        return group_advantages([episode.reward for episode in group], self.config.advantage)

    def assign(self, groups: Sequence[Group], step: int) -> tuple[list[Row[float]], dict[str, float]]:
        """All responses count. Those whose loss has no gradient are not forwarded."""
        rows = [
            Row(episode, advantage, forward=advantage != 0.0 or self.reference is not None)
            for group in groups
            for episode, advantage in zip(group, self.advantages(group), strict=True)
            if not (self.config.skip_truncated and episode.truncated)
        ]
        count = sum(len(group) for group in groups)
        return rows, {"learned_fraction": sum(row.signal != 0.0 for row in rows) / count}

    def targets(self, rows: Sequence[Row[float]]) -> Targets:
        lengths = torch.tensor([row.episode.num_response_tokens for row in rows])
        advantages = torch.tensor([row.signal for row in rows]).repeat_interleave(lengths).to(self.policy.device)
        if self.reference is None:
            return Targets(advantages, None)
        prompts = [row.episode.prompt_ids for row in rows]
        with self.reference.applied():
            return Targets(advantages, response_distributions(self.policy, prompts, rows, self.config.temperature))

    def top_tokens(self, targets: Targets) -> int:
        return 0

    def token_losses(self, batch: TokenBatch, targets: Targets) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        config, advantages = self.config, targets.advantages
        log_ratio = batch.logprobs - batch.old_logprobs
        if config.ratio == "sequence":
            log_ratio = sequence_log_ratio(log_ratio, batch.row_of_token)
        if config.surrogate == "cispo":
            losses = clipped_weights(log_ratio, advantages, clip_high=config.clip_high)
        else:
            losses = clipped_surrogate(
                log_ratio,
                advantages,
                clip_low=config.clip_low,
                clip_high=config.clip_high,
                dual_clip=config.dual_clip,
            )
        losses = losses * sampler_correction(batch, config.tis_cap)
        ratio = log_ratio.detach().exp()
        above = ratio > 1 + config.clip_high
        clipped = (
            above if config.surrogate == "cispo" else torch.where(advantages > 0, above, ratio < 1 - config.clip_low)
        )
        metrics = {"clipped": clipped.float()}
        if targets.reference is not None:
            with torch.no_grad():
                reference = targets.reference.stats(batch.token_ids).logprobs
            kl = kl_to_reference(batch.logprobs, reference)
            losses = losses + config.kl_coef * kl
            metrics["kl"] = kl.detach()
        return losses, metrics

    def credit(self, row: Row[float], mask: torch.Tensor, tokens: TokenBatch, targets: Targets) -> TokenCredit:
        return TokenCredit(advantage=row.signal)

    def remember(self, groups: Sequence[Group]) -> None:
        pass

    def after_update(self) -> None:
        pass
