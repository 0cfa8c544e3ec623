"""Progress of long work: bars, and beneath them what the last step was like."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta

import psutil
import torch
from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

GIB = 2**30


class ProgressDisplay(Progress):
    """Bars with description, count, elapsed and remaining time and, in the field `note`, a few words.

    Whatever is printed to the console meanwhile appears above. Without a terminal the bars are printed once, at the
    end.
    """

    def __init__(self, console: Console):
        self._numbers: list[str] = []
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            # The speed is that of all steps: one alone may take longer than any window.
            speed_estimate_period=math.inf,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self._numbers:
            yield Columns(self._numbers, padding=(0, 2))

    def step_done(self, bar: TaskID, step: int, numbers: Mapping[str, str]) -> None:
        """Move a bar to `step` and show the numbers of that step; without a terminal, print them in a line."""
        self.update(bar, completed=step)
        words = [f"{name} {number}" for name, number in numbers.items()]
        if self.console.is_terminal:
            self._numbers = words
            self.refresh()
        else:
            task = self.tasks[self.task_ids.index(bar)]
            if task.time_remaining:
                words.append(f"left {timedelta(seconds=int(task.time_remaining))}")
            self.console.print(f"step {step}/{task.total}", *words, sep="  ", highlight=False, soft_wrap=True)


def training_numbers(metrics: Mapping[str, float]) -> dict[str, str]:
    """What to show of the metrics of a training step."""
    responses = metrics["responses"]
    sampling, grading, learning = (metrics[f"{name}_seconds"] for name in ("sample", "grade", "update"))
    numbers = {
        "success": f"{metrics['success_rate']:.2f}",
        "reward": f"{metrics['reward']:.2f}",
        "length": f"{metrics['response_tokens']:.0f}",
        "loss": f"{metrics['loss']:.4f}" if "loss" in metrics else "–",
        "tokens/s": f"{metrics['response_tokens'] * responses / max(sampling, 1e-9):.0f}",
        "graded/s": f"{responses / grading:.0f}" if grading else "–",
        "seconds": f"{sampling + grading + learning:.1f}",
    }
    if not metrics["learned_fraction"]:
        numbers["learned"] = f"0 of {responses}"
    return numbers | memory()


def memory() -> dict[str, str]:
    """Memory of this process, in GiB: resident, and allocated on the GPU at most so far if there is one."""
    used = {"memory": f"{psutil.Process().memory_info().rss / GIB:.1f} GiB"}
    if torch.cuda.is_initialized():
        total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
        used["GPU"] = f"{torch.cuda.max_memory_allocated() / GIB:.1f} of {total / GIB:.0f} GiB"
    return used
