"""Self-distillation and GRPO together: as a weighted sum, or each for the attempts that it is better at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from agents.algorithm import Row, TokenBatch, TokenCredit
from agents.episode import Episode
from agents.grpo import algorithm as policy_gradient
from agents.grpo.config import PolicyGradientConfig
from agents.policy.policy import Policy
from agents.rollouts import Group
from agents.sdpo import distillation
from agents.sdpo.config import SelfDistillationConfig
from agents.sdpo.distillation import SelfDistillation


class Signal(NamedTuple):
    """What one attempt is learned from."""

    prompt: list[int] | None
    """The teacher's, if it distils."""

    advantage: float
    share: float
    """GRPO's weight in the attempt's loss; the rest is self-distillation's."""


class Targets(NamedTuple):
    """What the losses of a micro-batch need."""

    policy_gradient: policy_gradient.Targets
    distillation: distillation.Targets | None  # the teacher at the tokens that are distilled
    distilled: torch.Tensor  # (N,) bool
    share: torch.Tensor  # (N,)


class Hybrid(SelfDistillation):
    """λ·GRPO + (1 − λ)·SDPO (arXiv 2601.20802, Eq. 3); or routing: successes learn by GRPO, as do failures without a
    context, and failures with one by SDPO, or by the sum.

    All attempts count in the denominators. GRPO's settings are its defaults.
    """

    def __init__(self, config: SelfDistillationConfig, policy: Policy):
        super().__init__(config, policy)
        # Loss and advantage alone: temperature and the sampler's correction are those of this learner.
        self.grpo = policy_gradient.GRPO(
            PolicyGradientConfig(temperature=config.temperature, tis_cap=config.tis_cap), policy
        )

    def distils(self, episode: Episode) -> bool:
        return self.config.grpo_weight < 1 and not (self.config.route == "success" and episode.success)

    def assign(self, groups: Sequence[Group], step: int) -> tuple[list[Row[Signal]], dict[str, float]]:
        distilled, metrics = super().assign(groups, step)
        prompts = {id(row.episode): row.signal for row in distilled}
        rows: list[Row[Signal]] = []
        for group in groups:
            for episode, advantage in zip(group, self.grpo.advantages(group), strict=True):
                prompt = prompts.get(id(episode))
                routed = self.config.route == "success" and prompt is None
                share = 1.0 if routed else self.config.grpo_weight
                learns = prompt is not None or (advantage != 0.0 and share > 0.0)
                rows.append(Row(episode, Signal(prompt, advantage, share), forward=learns))
        metrics["learned_fraction"] = sum(row.forward for row in rows) / len(rows)
        metrics["distilled_fraction"] = sum(row.signal.prompt is not None for row in rows) / len(rows)
        return rows, metrics

    def targets(self, rows: Sequence[Row[Signal]]) -> Targets:
        distilled = [Row(row.episode, row.signal.prompt) for row in rows if row.signal.prompt is not None]
        if not distilled and self.policy.sharded:  # other processes may distil, and all read in step
            super().targets([Row(rows[0].episode, rows[0].episode.prompt_ids)])
        lengths = torch.tensor([row.episode.num_response_tokens for row in rows])

        def per_token(values: Sequence) -> torch.Tensor:
            return torch.tensor(values).repeat_interleave(lengths).to(self.policy.device)

        return Targets(
            self.grpo.targets([Row(row.episode, row.signal.advantage) for row in rows]),
            super().targets(distilled) if distilled else None,
            per_token([row.signal.prompt is not None for row in rows]),
            per_token([row.signal.share for row in rows]),
        )

    def top_tokens(self, targets: Targets) -> int | torch.Tensor:
        if targets.distillation is None:
            return 0
        some = super().top_tokens(targets.distillation)
        if isinstance(some, int):
            return some
        # At the other tokens nothing is compared: any that differ from each other will do.
        indices = torch.arange(some.shape[1], device=some.device).repeat(len(targets.distilled), 1)
        indices[targets.distilled] = some
        return indices

    def token_losses(self, batch: TokenBatch, targets: Targets) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        losses, metrics = self.grpo.token_losses(batch, targets.policy_gradient)
        losses = targets.share * losses
        if targets.distillation is not None:
            some, more_metrics = super().token_losses(batch.only(targets.distilled), targets.distillation)
            (where,) = targets.distilled.nonzero(as_tuple=True)
            losses = losses.index_add(0, where, (1 - targets.share[where]) * some)
            metrics |= more_metrics
        return losses, metrics

    def credit(self, row: Row[Signal], mask: torch.Tensor, tokens: TokenBatch, targets: Targets) -> TokenCredit:
        advantage = row.signal.advantage if row.signal.share else None
        if row.signal.prompt is None:
            return TokenCredit(advantage)
        distilled = super().credit(
            Row(row.episode, row.signal.prompt), mask[targets.distilled], tokens, targets.distillation
        )
        return replace(distilled, advantage=advantage)
