"""The processes of a run: one, or several that share its work (`accelerate launch`, `torchrun`).

Each process holds the whole model (or a part of it, see agents/policy/sharding.py), samples its share of the groups and
computes its share of the gradients. All know all attempts, so that whatever is decided from them is decided alike
everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed
from accelerate import PartialState
from torch.distributed.tensor import DTensor

from agents.errors import UsageError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Processes:
    """How many there are, and which this one is."""

    index: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: str) -> Processes:
        """Meet the other processes that were launched with this one, if any.

        Args:
            device: `cpu`, or anything else where there may be GPUs.
        """
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        state = PartialState(cpu=device == "cpu" or not torch.cuda.is_available())
        return cls(state.process_index, state.num_processes)

    @property
    def is_main(self) -> bool:
        """Whether this process writes and prints for all."""
        return self.index == 0

    @property
    def mine(self) -> slice:
        """This process's share of a list."""
        return slice(self.index, None, self.count)

    def interleave(self, share: Sequence[Item]) -> list[Item]:
        """The list of which each process has the share `mine`, in its order."""
        shares = self._gather(list(share))
        longest = max(map(len, shares))
        return [part[i] for i in range(longest) for part in shares if i < len(part)]

    def add_up(self, numbers: dict[str, float]) -> dict[str, float]:
        """Sums by name over all processes."""
        totals: dict[str, float] = {}
        for part in self._gather(numbers):
            for name, value in part.items():
                totals[name] = totals.get(name, 0.0) + value
        return totals

    def agree(self, value: Item) -> Item:
        """The main process's value."""
        return self._gather(value)[0]

    def on_main(self, action: Callable[[], Item]) -> Item:
        """What the action returns in the main process, the only one to do it; a UsageError there ends them all."""
        result, error = None, None
        if self.is_main:
            try:
                result = action()
            except UsageError as raised:
                error = raised
        result, error = self.agree((result, error))
        if error is not None:
            raise error if self.is_main else SystemExit(1)  # told once
        return result

    def add_up_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Let every parameter that is trained have the sum of all processes' gradients."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.requires_grad and not isinstance(parameter, DTensor):  # divided ones are added up already
                if parameter.grad is None:  # this process had nothing to learn
                    parameter.grad = torch.zeros_like(parameter)
                torch.distributed.all_reduce(parameter.grad)

    def _gather(self, value: Any) -> list[Any]:
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return values


ALONE = Processes()
