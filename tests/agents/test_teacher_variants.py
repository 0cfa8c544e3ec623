"""Clipped advantages, the trust-region teacher and the periodic one."""

import copy

import pytest
import torch

from agents.episode import Episode, Turn
from agents.policy.lora import add_adapters
from agents.policy.next_tokens import next_tokens
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine
from agents.sdpo.config import SelfDistillationConfig
from agents.sdpo.distillation import SelfDistillation
from agents.sdpo.loss import clip_teacher, distribution_divergence, sampled_token_loss
from agents.update import Updater

STUDENT = torch.tensor([[0.5, 0.3, 0.15, 0.05]])
TEACHER = torch.tensor([[0.2, 0.5, 0.2, 0.1]])


@pytest.mark.parametrize("clip", [0.1, 0.4, 5.0, float("inf")])
def test_the_gradient_is_the_policy_gradient_of_clipped_advantages(clip):
    logits = STUDENT.log().clone().requires_grad_()
    student = logits.log_softmax(-1)
    distribution_divergence(student, clip_teacher(student, TEACHER.log(), clip), "reverse_kl").sum().backward()
    advantages = (TEACHER / STUDENT).log().clamp(-clip, clip)
    expected = -STUDENT * (advantages - (STUDENT * advantages).sum())
    torch.testing.assert_close(logits.grad, expected, atol=1e-6, rtol=1e-5)


def test_the_sampled_token_has_a_clipped_advantage():
    logprobs = torch.tensor([-1.0, -1.0, -1.0], requires_grad=True)
    teacher = torch.tensor([-9.0, -1.5, 2.0])
    sampled_token_loss(logprobs, clip_teacher(logprobs, teacher, 2.0)).sum().backward()
    assert logprobs.grad.tolist() == [2.0, 0.5, -2.0]


def divergence(policy, base, teacher, mix=0.0):
    """Mean divergence of a student that has moved away from its teacher's initial weights."""
    with torch.no_grad():
        for parameter, weights in zip(policy.model.parameters(), base, strict=True):
            parameter.copy_(weights)
    config = SelfDistillationConfig(teacher=teacher, trust_region_mix=mix, context="feedback", top_k=0, lr=1.0)
    algorithm = SelfDistillation(config, policy)
    with torch.no_grad():
        for i, parameter in enumerate(policy.model.parameters()):
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(i))
    prompt = policy.render([{"role": "user", "content": "Say it."}])
    ((response,),) = TransformersEngine(policy).sample([prompt], 1, SamplingParameters(8), [0])
    turn = Turn(prompt, response.token_ids, response.logprobs, response.truncated, "x", 0.0, "Not that.")
    rows, _ = algorithm.assign([[Episode("t", 0, ({"role": "user", "content": "Say it."},), [turn])]], 1)
    optimizer = torch.optim.SGD(policy.model.parameters(), lr=0.0)
    return Updater(policy, optimizer, config).update(algorithm, rows)["divergence"]


def test_the_trust_region_lies_between_the_initial_weights_and_the_students(policy):
    base = [parameter.detach().clone() for parameter in policy.model.parameters()]
    frozen, live = divergence(policy, base, "frozen"), divergence(policy, base, "live")
    assert divergence(policy, base, "trust_region", 0.0) == pytest.approx(frozen, rel=1e-4)
    assert divergence(policy, base, "trust_region", 1.0) == pytest.approx(live, rel=1e-4)
    assert abs(frozen - live) > 1e-3
    assert divergence(policy, base, "trust_region", 0.5) != pytest.approx(frozen, rel=1e-2)


@pytest.mark.parametrize("adapters", [False, True])
def test_the_periodic_teacher_is_a_copy_taken_now_and_then(adapters, policy):
    """It answers as the student did at its start, and after every third update; a saved one goes on counting."""
    if adapters:
        add_adapters(policy, rank=2, alpha=4.0, seed=0)
    config = SelfDistillationConfig(teacher="periodic", teacher_refresh=3)

    def logits():
        with torch.no_grad():
            return next_tokens(policy, [[5, 6, 7]], [[8, 9, 10]]).logits()

    algorithm, students = SelfDistillation(config, policy), [logits()]
    for update in range(1, 8):
        with torch.no_grad():
            for i, parameter in enumerate(p for p in policy.model.parameters() if p.requires_grad):
                noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(100 * update + i))
                parameter += 0.1 * noise
        students.append(logits())
        algorithm.after_update()
        if update == 5:
            saved = copy.deepcopy([part.state() for part in algorithm.stateful()])
            algorithm = SelfDistillation(config, policy)
            for part, state in zip(algorithm.stateful(), saved, strict=True):
                part.load_state(state)
        with algorithm.teacher.applied():
            assert torch.equal(logits(), students[update // 3 * 3])
        assert torch.equal(logits(), students[update]) and not torch.equal(students[update], students[update - 1])
