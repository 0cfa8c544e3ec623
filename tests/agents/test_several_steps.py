"""Updates of several batches and several optimizer steps each, against a plain reimplementation in float64.

By the second step the policy is not the one that sampled: ratios, clips and importance weights count.
"""

import copy
import itertools
import random

import pytest
import torch
from plain_losses import (
    distillation_losses,
    group_advantages,
    own_distributions,
    policy_gradient_losses,
    sampler_weights,
)
from rich.console import Console
from training import make_groups

from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig
from agents.update import Updater

BATCHES = 2
COMMON = {"lr": 0.3, "warmup_steps": 2, "max_grad_norm": 0.5, "minibatches": 3, "tis_cap": 1.05}
TIGHT = {"clip_low": 0.01, "clip_high": 0.02}
GRPO_CASES = [
    {},
    TIGHT,
    TIGHT | {"dual_clip": 1.005, "advantage": "mean_std", "temperature": 0.7},
    TIGHT | {"ratio": "sequence", "aggregation": "sequence"},
    {"surrogate": "cispo", "clip_high": 0.01, "advantage": "leave_one_out"},
    {"kl_coef": 0.5, "temperature": 1.4, "aggregation": "constant", "max_new_tokens": 12},
    TIGHT | {"skip_truncated": True, "max_grad_norm": 1e9},
]
SDPO_CASES = [
    {"level": "token", "is_clip": 1.01},
    {"teacher": "ema", "ema_rate": 0.3, "top_k": 8, "temperature": 0.7},
    {"teacher": "periodic", "teacher_refresh": 2, "divergence": "jsd", "top_k": 0, "is_clip": 1.01},
    {"context": "demonstration", "grpo_weight": 0.4, "level": "token"},
    {"context": "demonstration", "route": "success", "top_k": 8},
    {"context": "demonstration", "route": "success", "grpo_weight": 0.4, "top_k": 8, "temperature": 1.4},
]


def sampled_groups(policy):
    """Two groups of four, some of them truncated; the engine that sampled them was not exact."""
    noise = random.Random(0)
    groups = make_groups(policy, [{0, 2}, {1}])
    for group in groups:
        for i, episode in enumerate(group):
            [turn] = episode.turns
            turn.truncated = i == 3
            turn.logprobs[:] = [logprob + noise.gauss(0, 0.2) for logprob in turn.logprobs]
    return groups


def rewards(group):
    return [episode.turns[0].reward for episode in group]


def reference_batch(config, weights, attempts, losses_of):
    """Take a batch's steps; the norms of the gradients. `losses_of` an attempt are None where nothing is learned."""
    student = weights["student"]
    bounds = [round(i * len(attempts) / config.minibatches) for i in range(config.minibatches + 1)]
    old = {}
    with torch.no_grad():
        for attempt in attempts:
            log_p, tokens = own_distributions(student, attempt.prompt_ids, attempt, config.temperature)
            old[id(attempt)] = log_p.gather(1, tokens[:, None]).squeeze(1)
    norms = []
    for first, end in itertools.pairwise(bounds):
        counted = {id(attempt): losses_of(attempt, old[id(attempt)]) for attempt in attempts[first:end]}
        rows = [losses for losses in counted.values() if losses is not None]
        if not any(losses.requires_grad for losses in rows):
            continue
        if config.aggregation == "token":
            loss = torch.cat(rows).mean()
        elif config.aggregation == "sequence":
            loss = torch.stack([losses.mean() for losses in rows]).mean()
        else:
            loss = torch.stack([losses.sum() for losses in rows]).mean() / config.max_new_tokens
        student.zero_grad()
        loss.backward()
        norm = torch.cat([parameter.grad.flatten() for parameter in student.parameters()]).norm().item()
        norms.append(norm)
        rate = config.lr * min(1.0, (weights["steps"] + 1) / (config.warmup_steps + 1))
        weights["steps"] += 1
        with torch.no_grad():
            for parameter in student.parameters():
                parameter -= rate * min(1.0, config.max_grad_norm / (norm + 1e-6)) * parameter.grad
    return norms


def check(policy, config, algorithm, reference):
    """Compare weights and gradients' norms after each batch; `reference` makes `losses_of` for a batch's groups."""
    initial = copy.deepcopy(policy.model).double().requires_grad_(False)
    weights = {"initial": initial, "teacher": copy.deepcopy(initial), "steps": 0}
    weights["student"] = copy.deepcopy(initial).requires_grad_(True)
    groups = sampled_groups(policy)
    attempts = [episode for group in groups for episode in group]
    updater = Updater(policy, torch.optim.SGD(policy.model.parameters(), lr=1.0), config)
    for batch in range(1, BATCHES + 1):
        rows, _ = algorithm.assign(groups, batch)
        norms = reference_batch(config, weights, attempts, reference(weights, groups, rows))
        assert len(norms) > 1
        metrics = updater.update(algorithm, rows, attempts)
        assert metrics["grad_norm"] == pytest.approx(sum(norms) / len(norms), rel=2e-3)
        compare(policy.model.parameters(), weights["student"], initial)
        if getattr(config, "teacher", "") in ("ema", "periodic"):
            follow(config, weights, batch)
            compare(algorithm.teacher.weights, weights["teacher"], initial)


def follow(config, weights, batch):
    for mine, its in zip(weights["teacher"].parameters(), weights["student"].parameters(), strict=True):
        if config.teacher == "ema":
            mine.mul_(1 - config.ema_rate).add_(config.ema_rate * its.detach())
        elif batch % config.teacher_refresh == 0:
            mine.copy_(its.detach())


def compare(parameters, expected, initial):
    """The distance is small beside the way from the initial weights."""
    flat = torch.cat([parameter.detach().double().flatten() for parameter in parameters])
    wanted, first = (torch.cat([p.detach().flatten() for p in model.parameters()]) for model in (expected, initial))
    assert (flat - wanted).norm() <= 2e-3 * (wanted - first).norm() + 1e-6


@pytest.mark.parametrize("settings", GRPO_CASES, ids=str)
def test_grpo(settings, policy, one_thread):
    config = GRPOConfig(**COMMON | settings)
    config.check()

    def reference(weights, groups, rows):
        advantages = {
            id(episode): advantage
            for group in groups
            for episode, advantage in zip(group, group_advantages(rewards(group), config.advantage), strict=True)
        }

        def losses_of(episode, old):
            if config.skip_truncated and episode.truncated:
                return None
            return policy_gradient_losses(
                config, weights["student"], weights["initial"], episode, advantages[id(episode)], old
            )

        return losses_of

    check(policy, config, GRPO(config, policy), reference)


@pytest.mark.parametrize("settings", SDPO_CASES, ids=str)
def test_sdpo(settings, policy, one_thread):
    config = SDPOConfig(**COMMON | {"teacher": "frozen", "context": "both"} | settings)
    config.check()
    grpo = GRPOConfig(temperature=config.temperature, tis_cap=config.tis_cap)
    mixed = config.grpo_weight > 0 or config.route != "none"

    def reference(weights, groups, rows):
        advantages = {
            id(episode): advantage
            for group in groups
            for episode, advantage in zip(
                group, group_advantages([e.turns[0].reward for e in group], "mean"), strict=True
            )
        }
        prompts = {id(row.episode): row.signal.prompt if mixed else row.signal for row in rows}

        def losses_of(episode, old):
            prompt, share = prompts.get(id(episode)), config.grpo_weight
            if config.route == "success":
                assert prompt is None or not episode.success
                share = 1.0 if prompt is None else share
            if prompt is None and not mixed:
                return None
            student, losses = weights["student"], torch.zeros(episode.num_response_tokens).double()
            if share > 0:
                advantage = advantages[id(episode)]
                losses = losses + share * policy_gradient_losses(grpo, student, None, episode, advantage, old)
            if prompt is not None and share < 1:
                log_p, tokens = own_distributions(student, episode.prompt_ids, episode, config.temperature)
                chosen = log_p.gather(1, tokens[:, None]).squeeze(1)
                moved = (chosen.detach() - old).exp().clamp(max=config.is_clip)
                distilled = distillation_losses(config, student, weights["teacher"], episode, prompt)
                losses = losses + (1 - share) * distilled * moved * sampler_weights(config, episode, chosen, old)
            return losses

        return losses_of

    check(policy, config, make_sdpo(config, policy, Console(quiet=True)), reference)
