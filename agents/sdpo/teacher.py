"""The teacher's weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

import torch

TeacherKind = Literal["ema", "frozen", "live", "trust_region"]


class Teacher:
    """Weights beside the student's, lent to the student's own model while the teacher computes.

    They are float32: a moving average in bf16 would lose most of its small increments.

    Args:
        model: The student.
        kind: `ema`: θ' ← (1 − rate)·θ' + rate·θ at each `update`; `frozen` and `trust_region`: as they are now;
            `live`: the student's own.
        rate: Of the moving average, between 0 and 1.
    """

    def __init__(self, model: torch.nn.Module, kind: TeacherKind, rate: float):
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._weights: list[torch.Tensor] | None = None
        if kind != "live":
            self._weights = [parameter.detach().float().clone() for parameter in self._parameters]
        self._rate = rate if kind == "ema" else 0.0

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Within this context the model computes with the teacher's weights. Do not run backward inside."""
        if self._weights is None:
            yield
            return
        students = [parameter.data for parameter in self._parameters]
        try:
            for parameter, weight in zip(self._parameters, self._weights, strict=True):
                parameter.data = weight
            yield
        finally:
            for parameter, student in zip(self._parameters, students, strict=True):
                parameter.data = student

    @torch.no_grad()
    def update(self) -> None:
        """Follow the student; once per rollout batch."""
        if self._weights is not None and self._rate:
            for weight, parameter in zip(self._weights, self._parameters, strict=True):
                weight.lerp_(parameter.detach().float(), self._rate)
