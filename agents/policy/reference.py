"""Weights beside the policy's own: a teacher's, or a reference's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch


class ReferenceWeights:
    """Weights that follow a model's, lent to the model itself while they compute.

    They are float32: a moving average in bf16 would lose most of its small increments.

    Args:
        model: Whose weights they are at first, as far as they are trained.
        rate: At each `update`, θ' ← (1 − rate)·θ' + rate·θ. 0 freezes them.
    """

    def __init__(self, model: torch.nn.Module, rate: float = 0.0):
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.weights = [parameter.detach().float().clone() for parameter in self._parameters]
        self._rate = rate

    @torch.no_grad()
    def load(self, weights: Sequence[torch.Tensor]) -> None:
        """Become weights that were saved."""
        self.weights = [other.to(own) for own, other in zip(self.weights, weights, strict=True)]

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Within this context the model computes with these weights. Do not run backward inside."""
        own = [parameter.data for parameter in self._parameters]
        try:
            for parameter, weight in zip(self._parameters, self.weights, strict=True):
                parameter.data = weight
            yield
        finally:
            for parameter, weight in zip(self._parameters, own, strict=True):
                parameter.data = weight

    @torch.no_grad()
    def update(self) -> None:
        """Follow the model; once per rollout batch."""
        if self._rate:
            for weight, parameter in zip(self.weights, self._parameters, strict=True):
                weight.lerp_(parameter.detach().float(), self._rate)
