"""SDPO: every response is scored by the same model, which has seen a success or the feedback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

import numpy as np
import torch

from agents.credit import TokenCredit
from agents.policy.lora import reference_weights
from agents.policy.next_tokens import NextTokens
from agents.policy.policy import Policy
from agents.policy.reference import ReferenceWeights
from agents.rollouts import Group
from agents.sdpo.config import SelfDistillationConfig
from agents.sdpo.loss import (
    clip_teacher,
    compared_logprobs,
    distribution_divergence,
    importance_weights,
    sampled_token_loss,
)
from agents.sdpo.reprompt import choose_contexts, teacher_prompt
from agents.update import Row, TokenBatch, response_distributions, sampler_correction


class SelfDistillation:
    """The signal is the teacher's prompt, which takes the place of the student's in front of the same response."""

    def __init__(self, config: SelfDistillationConfig, policy: Policy):
        self.config = config
        self.policy = policy
        rate = config.ema_rate if config.teacher == "ema" else 0.0
        self.teacher = None if config.teacher == "live" else reference_weights(policy.model, rate)

    def references(self) -> list[ReferenceWeights]:
        return [self.teacher] if self.teacher else []

    def has_signal(self, group: Group) -> bool:
        """Whether an attempt has a context."""
        config, rng = self.config, np.random.default_rng(0)
        contexts = choose_contexts(group, config.context, exclude_own_success=config.exclude_own_success, rng=rng)
        return any(context is not None for context in contexts)

    def assign(self, groups: Sequence[Group], step: int) -> tuple[list[Row[list[int]]], dict[str, float]]:
        """Attempts with a context. The others contribute nothing, to the denominators neither."""
        config = self.config
        rng = np.random.default_rng([config.seed, step])
        rows: list[Row[list[int]]] = []
        shown = {"demonstration": 0, "feedback": 0}
        for group in groups:
            contexts = choose_contexts(group, config.context, exclude_own_success=config.exclude_own_success, rng=rng)
            for episode, context in zip(group, contexts, strict=True):
                if context is None:
                    continue
                budget = self.max_prompt_tokens(len(episode.continuation_ids))
                prompt = teacher_prompt(self.policy, config.reprompt, episode.messages, context, budget)
                if prompt is not None:
                    rows.append(Row(episode, prompt))
                    shown["demonstration"] += bool(context.demonstration)
                    shown["feedback"] += bool(context.feedback)
        count = sum(len(group) for group in groups)
        metrics = {f"{name}_fraction": number / count for name, number in shown.items()}
        return rows, {"learned_fraction": len(rows) / count} | metrics

    @property
    def top_k(self) -> int:
        """As many as are compared."""
        return 0 if self.config.level == "token" else self.config.top_k or sys.maxsize

    def targets(self, rows: Sequence[Row[list[int]]]) -> NextTokens:
        """The teacher's distributions at the response tokens."""
        prompts = [row.signal for row in rows]
        with self.teacher.applied() if self.teacher else contextlib.nullcontext():
            targets = response_distributions(self.policy, prompts, rows, self.config.temperature)
        if self.config.teacher == "trust_region":
            student = response_distributions(self.policy, prompts, rows, self.config.temperature)
            targets = targets.mixed_with(student, self.config.trust_region_mix)
        return targets

    def token_losses(self, batch: TokenBatch, targets: NextTokens) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        config, student = self.config, batch.stats
        with torch.no_grad():
            teacher = targets.stats(batch.token_ids, indices=student.indices)
        if config.level == "token":
            losses = sampled_token_loss(
                student.logprobs, clip_teacher(student.logprobs, teacher.logprobs, config.advantage_clip)
            )
        else:
            tail = config.tail and student.indices.shape[1] < targets.vocabulary
            compared = [compared_logprobs(stats, tail) for stats in (student, teacher)]
            losses = distribution_divergence(
                compared[0], clip_teacher(*compared, config.advantage_clip), config.divergence, config.jsd_alpha
            )
        metrics = {"divergence": losses.detach(), "token_advantage": teacher.logprobs - student.logprobs.detach()}
        weights = importance_weights(batch.logprobs, batch.old_logprobs, config.is_clip)
        return losses * weights * sampler_correction(batch, config.tis_cap), metrics

    def credit(self, row: Row[list[int]], mask: torch.Tensor, tokens: TokenBatch, targets: NextTokens) -> TokenCredit:
        teacher = targets.only(mask).stats(tokens.token_ids, indices=tokens.stats.indices)
        return TokenCredit(context_ids=row.signal, teacher=teacher)

    def after_update(self) -> None:
        if self.teacher:
            self.teacher.update()

    def max_prompt_tokens(self, response_tokens: int) -> int:
        """The longest teacher prompt in front of a response of that length."""
        return min(self.config.max_reprompt_tokens, self.policy.context_length - response_tokens)
