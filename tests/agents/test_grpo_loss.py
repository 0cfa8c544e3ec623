"""GRPO's advantage and clipped loss."""

import pytest
import torch

from agents.grpo.loss import clipped_surrogate, group_advantages

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
    value = clipped_surrogate(logprob, torch.zeros(1), torch.tensor([advantage]), **CLIPS)
    value.sum().backward()
    assert value.item() == pytest.approx(loss)
    assert logprob.grad.item() == pytest.approx(slope * ratio)  # d loss / d log π = slope · r
