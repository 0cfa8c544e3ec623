"""SDPO: every response is scored by the same model, which has seen a success or the feedback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from agents.algorithm import (
    Row,
    TokenBatch,
    TokenCredit,
    response_distributions,
    response_token_ids,
    sampler_correction,
)
from agents.batches import batches_within
from agents.episode import Episode
from agents.policy.head import HeadStats
from agents.policy.lora import reference_weights
from agents.policy.next_tokens import NextTokens
from agents.policy.policy import Policy
from agents.policy.reference import ReferenceWeights, Stateful
from agents.policy.sharding import most
from agents.rollouts import Group
from agents.sdpo.config import SelfDistillationConfig
from agents.sdpo.loss import (
    clip_teacher,
    compared_logprobs,
    distribution_divergence,
    importance_weights,
    sampled_token_loss,
    sequence_loss,
)
from agents.sdpo.reprompt import TeacherContext, choose_contexts, demonstrations, teacher_prompt

TEACHER_TOKENS = 4
"""Times as many as --micro-batch-tokens are read in a pass of the teacher, which keeps nothing for a backward pass."""


class Targets(NamedTuple):
    """The teacher at the response tokens of a micro-batch."""

    distributions: NextTokens
    stats: HeadStats | None
    """About its own most probable tokens, if these are compared."""


class SelfDistillation:
    """The signal is the teacher's prompt, which takes the place of the student's in front of the same response."""

    def __init__(self, config: SelfDistillationConfig, policy: Policy):
        self.config = config
        self.policy = policy
        self.teacher = _teacher_weights(config, policy)

    def stateful(self) -> list[Stateful]:
        return [self.teacher] if self.teacher else []

    def contexts(self, group: Group, rng: np.random.Generator, past_success: str = "") -> list[TeacherContext | None]:
        """What the teacher is shown for each attempt: see `choose_contexts`."""
        return choose_contexts(
            group,
            self.config.context,
            exclude_own_success=self.config.exclude_own_success,
            rng=rng,
            past_success=past_success,
        )

    def distils(self, episode: Episode) -> bool:
        """Whether the attempt learns from the teacher if there is a context."""
        return True

    def assign(self, groups: Sequence[Group], step: int) -> tuple[list[Row[list[int]]], dict[str, float]]:
        """Attempts with a context. The others contribute nothing, to the denominators neither."""
        config = self.config
        rng = np.random.default_rng([config.seed, step])
        rows: list[Row[list[int]]] = []
        shown = {"demonstration": 0, "past_success": 0, "feedback": 0}
        for group in groups:
            from_past = not demonstrations(group)
            for episode, context in zip(group, self.contexts(group, rng), strict=True):
                if context is None or not self.distils(episode):
                    continue
                budget = self.max_prompt_tokens(len(episode.continuation_ids))
                prompt = teacher_prompt(self.policy, config.reprompt, episode.messages, context, budget)
                if prompt is not None:
                    rows.append(Row(episode, prompt.ids))
                    shown["demonstration"] += bool(prompt.context.demonstration)
                    shown["past_success"] += bool(prompt.context.demonstration) and from_past
                    shown["feedback"] += bool(prompt.context.feedback)
        count = sum(len(group) for group in groups)
        metrics = {f"{name}_fraction": number / count for name, number in shown.items()}
        return rows, {"learned_fraction": len(rows) / count} | metrics

    @property
    def top_k(self) -> int:
        """How many tokens are compared one by one, at each position."""
        return self.config.top_k or sys.maxsize if self.config.level == "logit" else 0

    def targets(self, rows: Sequence[Row[list[int]]]) -> Targets:
        distributions, stats = self.teacher_distributions(rows), None
        if self.config.top_k_of == "teacher":
            stats = distributions.stats(response_token_ids(rows, self.policy.device), top_k=self.top_k)
        return Targets(distributions, stats)

    def top_tokens(self, targets: Targets) -> int | torch.Tensor:
        return self.top_k if targets.stats is None else targets.stats.indices

    def teacher_distributions(self, rows: Sequence[Row[list[int]]]) -> NextTokens:
        """The teacher's distributions at the response tokens."""
        with self.teacher.applied() if self.teacher else contextlib.nullcontext():
            targets = self._shown_context(rows)
        if self.config.teacher == "trust_region":
            targets = targets.mixed_with(self._shown_context(rows), self.config.trust_region_mix)
        return targets

    def _shown_context(self, rows: Sequence[Row[list[int]]]) -> NextTokens:
        """The model's distributions at the response tokens, after the teacher's prompts.

        These are longer than the prompts that micro-batches are divided by, so that it takes passes of its own.
        """
        config = self.config
        prompts = [row.signal for row in rows]
        lengths = [len(row.episode.continuation_ids) for row in rows]
        parts = batches_within(prompts, lengths, TEACHER_TOKENS * config.micro_batch_tokens)
        if self.policy.sharded:  # all processes read equally often, so some read their shortest part again
            parts += (most(len(parts), self.policy) - len(parts)) * parts[:1]
        states: dict[int, torch.Tensor] = {}
        for part in parts:
            some = [rows[i] for i in part]
            read = response_distributions(self.policy, [prompts[i] for i in part], some, config.temperature)
            states |= zip(part, read.states.split([row.episode.num_response_tokens for row in some]), strict=True)
        return replace(read, states=torch.cat([states[i] for i in range(len(rows))]))

    def token_losses(self, batch: TokenBatch, targets: Targets) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        config, student, teacher = self.config, batch.stats, targets.stats
        if teacher is None:
            with torch.no_grad():
                teacher = targets.distributions.stats(batch.token_ids, indices=student.indices)
        advantages = teacher.logprobs - student.logprobs.detach()
        if config.level == "logit":
            tail = config.tail and student.indices.shape[1] < targets.distributions.vocabulary
            compared = [compared_logprobs(stats, tail) for stats in (student, teacher)]
            losses = distribution_divergence(
                compared[0], clip_teacher(*compared, config.advantage_clip), config.divergence, config.jsd_alpha
            )
            divergence = losses.detach()
        else:
            clipped = clip_teacher(student.logprobs, teacher.logprobs, config.advantage_clip)
            if config.level == "token":
                losses = sampled_token_loss(student.logprobs, clipped)
            else:
                losses = sequence_loss(student.logprobs, clipped, batch.row_of_token)
            divergence = -advantages  # an estimate of KL(student ‖ teacher), which these losses' values are not
        metrics = {"divergence": divergence, "token_advantage": advantages}
        weights = importance_weights(batch.logprobs, batch.old_logprobs, config.is_clip)
        return losses * weights * sampler_correction(batch, config.tis_cap), metrics

    def credit(self, row: Row[list[int]], mask: torch.Tensor, tokens: TokenBatch, targets: Targets) -> TokenCredit:
        teacher = targets.distributions.only(mask).stats(tokens.token_ids, indices=tokens.stats.indices)
        return TokenCredit(context_ids=row.signal, teacher=teacher)

    def after_update(self) -> None:
        if self.teacher:
            self.teacher.update()

    def max_prompt_tokens(self, response_tokens: int) -> int:
        """The longest teacher prompt in front of a response of that length."""
        return min(self.config.max_reprompt_tokens, self.policy.context_length - response_tokens)


def _teacher_weights(config: SelfDistillationConfig, policy: Policy) -> ReferenceWeights | None:
    """The teacher's weights at first, and how they follow the student's; None where they are the student's."""
    match config.teacher:
        case "live":
            return None
        case "ema":
            return reference_weights(policy.model, config.ema_rate)
        case "periodic":
            return reference_weights(policy.model, 1.0, every=config.teacher_refresh)
        case _:
            return reference_weights(policy.model)
