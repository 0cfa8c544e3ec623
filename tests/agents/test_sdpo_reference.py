"""Every kind of SDPO update, on attempts of one turn and two, against a plain reimplementation in float64.

The reference forwards one attempt at a time over all of its tokens, makes all logits, and leaves gradients to autograd.
"""

import copy

import pytest
import torch
import toy_env  # noqa: F401
from plain_losses import distillation_losses, own_distributions
from rich.console import Console
from training import make_updater

from agents.environments import Environments, Start
from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig
from agents.rollouts import collect_groups
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig


def sample_groups(policy, temperature):
    """Two groups of four attempts; those that fail at first get a second turn."""
    environments = Environments("toy/Even-v0", {"max_turns": 2}, 8)
    try:
        groups = collect_groups(
            policy, TransformersEngine(policy), environments, [Start(1, 0), Start(2, 1)], 4,
            SamplingParameters(6, temperature), [0, 1],
        )  # fmt: skip
    finally:
        environments.close()
    turns = [len(episode.turns) for group in groups for episode in group]
    assert 1 in turns and 2 in turns
    assert all(any(episode.success for episode in group) for group in groups)
    return groups


def setting(policy, **settings):
    """An algorithm whose teacher has the initial weights, a student that has moved on, and that student's attempts."""
    config = SDPOConfig(**{"lr": 1.0, "max_grad_norm": 1e9, "teacher": "frozen", "context": "both"} | settings)
    config.check()
    algorithm = make_sdpo(config, policy, Console(quiet=True))
    initial = copy.deepcopy(policy.model).double()
    with torch.no_grad():
        for i, parameter in enumerate(policy.model.parameters()):
            parameter += 0.03 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(i))
    return config, algorithm, initial, sample_groups(policy, config.temperature)


def update(policy, config, algorithm, rows):
    """Loss, the flattened gradient that an update follows, and its metrics; the weights stay."""
    before = [parameter.detach().clone() for parameter in policy.model.parameters()]
    metrics = make_updater(policy, config).update(algorithm, rows)
    gradient = []
    with torch.no_grad():
        for parameter, old in zip(policy.model.parameters(), before, strict=True):
            gradient.append((old - parameter).flatten())
            parameter.copy_(old)
    return metrics["loss"], torch.cat(gradient), metrics


def reference_update(config, student, teacher, rows):
    """The same, computed plainly."""
    per_row = [distillation_losses(config, student, teacher, row.episode, row.signal) for row in rows]
    if config.aggregation == "token":
        loss = torch.cat(per_row).mean()
    elif config.aggregation == "sequence":
        loss = torch.stack([losses.mean() for losses in per_row]).mean()
    else:
        loss = torch.stack([losses.sum() / config.max_new_tokens for losses in per_row]).mean()
    loss.backward()
    return loss.item(), torch.cat([parameter.grad.flatten() for parameter in student.parameters()]).float()


OF_TEACHER = {"top_k_of": "teacher", "top_k": 4}


@pytest.mark.parametrize(
    "settings",
    [
        {"level": "token"},
        {"level": "sequence"},
        {"level": "sequence", "advantage_clip": 0.2, "aggregation": "sequence", "temperature": 0.8},
        {"level": "sequence", "aggregation": "constant", "max_new_tokens": 12},
        {"top_k": 4},
        {"top_k": 4, "tail": False, "divergence": "forward_kl"},
        OF_TEACHER,
        OF_TEACHER | {"tail": False},
        OF_TEACHER | {"divergence": "forward_kl", "aggregation": "sequence"},
        OF_TEACHER | {"divergence": "forward_kl", "tail": False},
        OF_TEACHER | {"divergence": "jsd", "jsd_alpha": 0.3, "temperature": 1.3},
        OF_TEACHER | {"divergence": "jsd", "tail": False},
        OF_TEACHER | {"advantage_clip": 0.2},
        {"top_k": 0, "divergence": "jsd", "context": "demonstration", "reprompt": "paper"},
    ],
    ids=lambda settings: " ".join(f"{name}={value}" for name, value in settings.items()),
)
def test_an_update_is_the_reference_s(settings, policy, one_thread):
    config, algorithm, teacher, groups = setting(policy, **settings)
    rows, metrics = algorithm.assign(groups, step=1)
    assert metrics["learned_fraction"] == 1.0
    expected_loss, expected = reference_update(config, copy.deepcopy(policy.model).double(), teacher, rows)
    assert expected.abs().max() > 1e-3
    for policy.head_is_plain, config.micro_batch_tokens in ((True, 2048), (False, 2048), (True, 1)):
        loss, gradient, metrics = update(policy, config, algorithm, rows)
        assert loss == pytest.approx(expected_loss, rel=1e-3, abs=1e-6)
        torch.testing.assert_close(gradient, expected, atol=2e-5, rtol=2e-3)
    if config.level != "logit":
        assert metrics["divergence"] == pytest.approx(-metrics["token_advantage"], abs=1e-6)


def test_all_of_the_teacher_s_tokens_are_all_tokens(policy):
    config, algorithm, teacher, groups = setting(policy, top_k_of="teacher", top_k=10_000)
    rows, _ = algorithm.assign(groups, step=1)
    config.top_k = 0
    expected_loss, expected = reference_update(config, copy.deepcopy(policy.model).double(), teacher, rows)
    config.top_k = 10_000
    loss, gradient, _ = update(policy, config, algorithm, rows)
    assert loss == pytest.approx(expected_loss, rel=1e-3)
    torch.testing.assert_close(gradient, expected, atol=2e-5, rtol=2e-3)


@pytest.mark.parametrize("settings", [{"level": "sequence"}, OF_TEACHER, OF_TEACHER | {"tail": False}])
def test_a_hybrid_is_the_weighted_sum(settings, policy):
    config, algorithm, _, groups = setting(policy, **settings)
    _, distilled, _ = update(policy, config, algorithm, algorithm.assign(groups, step=1)[0])
    grpo_config = GRPOConfig(lr=1.0, max_grad_norm=1e9)
    grpo = GRPO(grpo_config, policy)
    _, reinforced, _ = update(policy, grpo_config, grpo, grpo.assign(groups, step=1)[0])
    config.grpo_weight = 0.3
    hybrid = make_sdpo(config, policy, Console(quiet=True))
    hybrid.teacher = algorithm.teacher
    _, both, _ = update(policy, config, hybrid, hybrid.assign(groups, step=1)[0])
    torch.testing.assert_close(both, 0.3 * reinforced + 0.7 * distilled, atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize("settings", [{"level": "sequence"}, OF_TEACHER])
def test_a_route_is_the_sum_of_its_two_sides(settings, policy):
    """Some tokens are distilled, others not, within a micro-batch."""
    config, algorithm, teacher, groups = setting(policy, **settings, context="demonstration", route="success")
    rows, metrics = algorithm.assign(groups, step=1)
    assert 0 < metrics["distilled_fraction"] < 1
    _, routed, metrics = update(policy, config, algorithm, rows)
    tokens = sum(row.episode.num_response_tokens for row in rows)
    total = torch.zeros_like(routed)
    student = copy.deepcopy(policy.model).double()
    entropies = []
    for row in rows:
        log_p, own = own_distributions(student, row.episode.prompt_ids, row.episode, 1.0)
        if row.forward:
            entropies.append(-(log_p.exp() * log_p).sum(1).detach())
        if row.signal.prompt is None:
            loss = -row.signal.advantage * log_p.gather(1, own[:, None]).sum()
        else:
            loss = distillation_losses(config, student, teacher, row.episode, row.signal.prompt).sum()
        student.zero_grad()
        (loss / tokens).backward()
        total += torch.cat([parameter.grad.flatten() for parameter in student.parameters()]).float()
    torch.testing.assert_close(routed, total, atol=2e-5, rtol=2e-3)
    # Numbers about all tokens are not touched by what is compared at some.
    assert metrics["entropy"] == pytest.approx(torch.cat(entropies).mean().item(), rel=1e-4)
