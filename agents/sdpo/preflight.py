"""Before training: does the teacher's context make the model better? If not, SDPO has nothing to teach.

The final gain of self-distillation grows with this initial gap between teacher and student.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from agents.evaluate.evaluation import EVALUATION_SEED, Evaluation, evaluation_starts
from agents.rollouts import Collector
from agents.runs.seeds import derived_seed
from agents.sdpo.reprompt import ContextKind, RepromptStyle, choose_contexts, teacher_prompt

ATTEMPTS_PER_TASK = 4
"""Of the student's attempts at a task, the contexts of so many are tried."""


@dataclass(frozen=True)
class Gap:
    """Success with and without a context, on the same tasks."""

    context: ContextKind
    attempts: int
    """Attempts of the teacher."""

    student: float
    teacher: float

    @property
    def gap(self) -> float:
        return self.teacher - self.student


def measure_gaps(
    collector: Collector,
    evaluation: Evaluation,
    *,
    style: RepromptStyle,
    kinds: Sequence[ContextKind],
    exclude_own_success: bool,
    num_tasks: int,
    max_prompt_tokens: int,
) -> list[Gap]:
    """Let the model attempt evaluation tasks again, shown the contexts that its first attempts give.

    Tasks without a context are left out on both sides. As demonstrations exist only where the student succeeded, the
    tasks that are left are its easier ones; it is compared on these.
    """
    at_once = collector.groups_at_once(1)
    groups = evaluation.groups[:num_tasks]
    starts = evaluation_starts(collector.environments.num_tasks, len(evaluation.groups))
    gaps = []
    for kind in kinds:
        rng = np.random.default_rng(EVALUATION_SEED)
        attempts = []
        for start, group in zip(starts, groups, strict=False):
            contexts = choose_contexts(group, kind, exclude_own_success=exclude_own_success, rng=rng)
            student = float(np.mean([episode.success for episode in group]))
            for context in contexts[:ATTEMPTS_PER_TASK]:
                prompt = context and teacher_prompt(
                    collector.policy, style, group[0].messages, context, max_prompt_tokens
                )
                if prompt:
                    attempts.append((start, prompt.ids, student))
        successes: list[bool] = []
        for first in range(0, len(attempts), at_once):
            batch = attempts[first : first + at_once]
            taught = collector.collect(
                [start for start, _, _ in batch],
                1,
                [derived_seed(EVALUATION_SEED, kind, first + i) for i in range(len(batch))],
                [prompt for _, prompt, _ in batch],
            )
            successes += [group[0].success for group in taught]
        if attempts:
            student = float(np.mean([rate for _, _, rate in attempts]))
            gaps.append(Gap(kind, len(attempts), student, float(np.mean(successes))))
        else:
            gaps.append(Gap(kind, 0, float("nan"), float("nan")))
    return gaps


def report_gaps(gaps: Sequence[Gap], chosen: ContextKind, style: RepromptStyle, console: Console) -> None:
    """Print the gaps, and a warning if the chosen context's is not positive."""
    table = Table(title=f"Pre-flight: success of student and teacher ({style} reprompt)")
    for heading in ("teacher is shown", "attempts", "student", "teacher", "gap"):
        table.add_column(heading, justify="left" if heading == "teacher is shown" else "right")
    for gap in gaps:
        numbers = [f"{gap.student:.2f}", f"{gap.teacher:.2f}", f"{gap.gap:+.2f}"] if gap.attempts else ["–"] * 3
        table.add_row(gap.context + (" (chosen)" if gap.context == chosen else ""), str(gap.attempts), *numbers)
    console.print(table)
    mine = next(gap for gap in gaps if gap.context == chosen)
    if not mine.attempts:
        console.print(
            f"[bold yellow]warning:[/] there was nothing to show the teacher with --context {chosen}; "
            "unless that changes, nothing will be learned"
        )
    elif mine.gap <= 0:
        console.print(
            f"[bold yellow]warning:[/] shown its context ({chosen}), the model does no better than without "
            f"({mine.teacher:.2f} against {mine.student:.2f}). SDPO would teach it nothing good: try another --context "
            "or --reprompt, or use agents.grpo"
        )
