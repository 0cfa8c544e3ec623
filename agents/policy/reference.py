"""Weights beside the policy's own: a teacher's, or a reference's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from torch.distributed.tensor import DTensor

from agents.policy.sharding import divided, reshard


class Stateful(Protocol):
    """A part of the state of a training that is saved with it."""

    def state(self) -> dict[str, Any]:
        """Of tensors and plain values."""
        ...

    def load_state(self, state: Mapping[str, Any]) -> None: ...


class ReferenceWeights:
    """Weights that follow a model's, lent to the model itself while they compute.

    They are float32: a moving average in bf16 would lose most of its small increments. Where the model is divided among
    processes, they are divided alike.

    Args:
        model: Whose weights they are at first, as far as they are trained.
        rate: At `update`, θ' ← (1 − rate)·θ' + rate·θ. 0 freezes them.
        every: They follow at one in so many updates only.
    """

    def __init__(self, model: torch.nn.Module, rate: float = 0.0, every: int = 1):
        self._model = model
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.weights = [parameter.detach().float().clone() for parameter in self._parameters]
        self._rate, self._every, self._updates = rate, every, 0

    def state(self) -> dict[str, Any]:
        return {"weights": self.weights, "updates": self._updates}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.weights = [divided(other, own) for own, other in zip(self.weights, state["weights"], strict=True)]
        self._updates = state["updates"]

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Within this context the model computes with these weights. Do not run backward inside."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for i, (parameter, weight) in enumerate(zip(self._parameters, self.weights, strict=True)):
            if isinstance(parameter, DTensor):  # which is gathered from the memory that it had at first
                local, other = parameter.to_local(), weight.to_local()
                kept = local.clone()
                local.copy_(other)
                other.copy_(kept)
            else:
                self.weights[i], parameter.data = parameter.data, weight
        if any(isinstance(parameter, DTensor) for parameter in self._parameters):
            reshard(self._model)

    @torch.no_grad()
    def update(self) -> None:
        """To be called once per rollout batch that changed the model."""
        self._updates += 1
        if self._rate and self._updates % self._every == 0:
            self._follow()

    def _follow(self) -> None:
        for weight, parameter in zip(self.weights, self._parameters, strict=True):
            weight.lerp_(parameter.detach().float(), self._rate)
