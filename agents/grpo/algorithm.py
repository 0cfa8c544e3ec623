"""GRPO: every token of a response gets the response's reward relative to its group."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from agents.environments import Environments
from agents.evaluate.evaluation import Evaluation
from agents.grpo.config import GRPOConfig
from agents.grpo.loss import clipped_surrogate, group_advantages
from agents.policy.policy import Policy
from agents.rollouts import Group
from agents.sampling.engine import SamplingEngine
from agents.update import Row, TokenBatch, sampler_correction


class GRPO:
    """The signal is an advantage, one number per response."""

    name = "grpo"
    top_k = 0

    def __init__(self, config: GRPOConfig, policy: Policy):
        self.config = config
        self.policy = policy

    def before_training(self, evaluation: Evaluation, engine: SamplingEngine, environments: Environments) -> dict:
        return {}

    def assign(self, groups: Sequence[Group], step: int) -> tuple[list[Row[float]], dict[str, float]]:
        """All responses count. Those with an advantage of zero have no gradient and are not forwarded."""
        rows = [
            Row(episode, advantage, forward=advantage != 0.0)
            for group in groups
            for episode, advantage in zip(group, group_advantages([e.reward for e in group]), strict=True)
        ]
        return rows, {"learned_fraction": sum(row.forward for row in rows) / len(rows)}

    def targets(self, rows: Sequence[Row[float]]) -> torch.Tensor:
        """Advantages of the response tokens, (N,)."""
        lengths = torch.tensor([row.episode.num_response_tokens for row in rows])
        return torch.tensor([row.signal for row in rows]).repeat_interleave(lengths).to(self.policy.device)

    def token_losses(self, batch: TokenBatch, targets: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        config = self.config
        losses = clipped_surrogate(
            batch.logprobs,
            batch.old_logprobs,
            targets,
            clip_low=config.clip_low,
            clip_high=config.clip_high,
            dual_clip=config.dual_clip,
        )
        ratio = (batch.logprobs.detach() - batch.old_logprobs).exp()
        clipped = torch.where(targets > 0, ratio > 1 + config.clip_high, ratio < 1 - config.clip_low)
        return losses * sampler_correction(batch, config.tis_cap), {"clipped": clipped.float()}

    def after_update(self) -> None:
        pass
