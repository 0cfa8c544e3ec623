"""Advantages and losses of policy gradients, against numbers and derivatives worked out by hand."""

import math

import pytest
import torch

from agents.grpo.loss import (
    clipped_surrogate,
    clipped_weights,
    group_advantages,
    kl_to_reference,
    sequence_log_ratio,
)

CLIPS = {"clip_low": 0.2, "clip_high": 0.28, "dual_clip": 3.0}


def test_advantages_are_centred_and_not_scaled():
    assert group_advantages([1.0, 0.0, 0.0, 1.0]) == [0.5, -0.5, -0.5, 0.5]
    assert group_advantages([1.0, 0.0, 0.0, 0.0]) == [0.75, -0.25, -0.25, -0.25]
    assert group_advantages([1.0, 1.0]) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "slope"),
    [
        (1.0, 0.5, -0.5, -0.5),
        (1.2, 0.5, -0.6, -0.5),  # within 1 + 0.28
        (1.5, 0.5, -0.64, 0.0),  # above it
        (0.5, 0.5, -0.25, -0.5),  # a positive advantage is not clipped from below
        (0.9, -0.5, 0.45, 0.5),
        (0.5, -0.5, 0.4, 0.0),  # below 1 − 0.2
        (2.0, -0.5, 1.0, 0.5),
        (4.0, -0.5, 1.5, 0.0),  # dual clip: 3·|A|
    ],
)
def test_clipping(ratio, advantage, loss, slope):
    logprob = torch.tensor([ratio]).log().requires_grad_()
    value = clipped_surrogate(logprob, torch.tensor([advantage]), **CLIPS)
    value.sum().backward()
    assert value.item() == pytest.approx(loss)
    assert logprob.grad.item() == pytest.approx(slope * ratio)  # d loss / d log π = slope · r


def test_advantages_divided_by_the_standard_deviation():
    assert group_advantages([1.0, 0.0, 0.0, 1.0], "mean_std") == pytest.approx([1, -1, -1, 1], rel=1e-5)
    assert group_advantages([0.1] * 3, "mean_std") == [0.0] * 3


def test_advantages_beside_the_others():
    """RLOO: 1 − mean(0, 0, 0), and 0 − mean(1, 0, 0)."""
    assert group_advantages([1.0, 0.0, 0.0, 0.0], "leave_one_out") == pytest.approx([1, -1 / 3, -1 / 3, -1 / 3])


def test_the_ratio_of_a_sequence():
    log_ratio = torch.tensor([0.1, 0.3, -0.2, 0.0, 0.8], requires_grad=True)
    rows = torch.tensor([0, 0, 2, 2, 2])
    found = sequence_log_ratio(log_ratio, rows)
    torch.testing.assert_close(found, torch.tensor([0.2, 0.2, 0.2, 0.2, 0.2]))
    # GSPO's objective of the second response, its tokens' losses averaged: exp(mean)/length at each token.
    (gradient,) = torch.autograd.grad(found[2:].exp().mean(), log_ratio)
    torch.testing.assert_close(gradient[2:], torch.full((3,), math.exp(0.2) / 3))
    assert gradient[:2].tolist() == [0, 0]


def test_cispo_clips_weights_and_no_gradients():
    log_ratio = torch.tensor([math.log(0.5), 0.0, math.log(3.0), math.log(3.0)], requires_grad=True)
    advantages = torch.tensor([1.0, -1.0, 1.0, -2.0])
    (gradient,) = torch.autograd.grad(clipped_weights(log_ratio, advantages, clip_high=0.28).sum(), log_ratio)
    torch.testing.assert_close(gradient, torch.tensor([-0.5, 1.0, -1.28, 2.56]))


def test_kl_to_the_reference():
    """Not negative, zero where equal; its mean under the policy is the KL divergence."""
    policy, reference = (torch.tensor(p, dtype=torch.float64).log() for p in ([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]))
    estimates = kl_to_reference(policy, reference)
    assert (estimates > 0).all() and kl_to_reference(policy, policy).tolist() == [0, 0, 0]
    torch.testing.assert_close((policy.exp() * estimates).sum(), (policy.exp() * (policy - reference)).sum())
