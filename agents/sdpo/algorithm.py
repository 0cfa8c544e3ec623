"""SDPO as the learner's loop runs it: its signal, after a pre-flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from rich.console import Console

from agents.evaluate.evaluation import Evaluation
from agents.policy.policy import Policy
from agents.policy.reference import Stateful
from agents.rollouts import Collector, Group
from agents.sdpo.config import SDPOConfig
from agents.sdpo.distillation import SelfDistillation
from agents.sdpo.hybrid import Hybrid
from agents.sdpo.preflight import measure_gaps, report_gaps
from agents.sdpo.reprompt import TeacherContext
from agents.sdpo.successes import PastSuccesses


class SDPO(SelfDistillation):
    """Self-distillation in the learner's loop: with the pre-flight before it, and a memory of successes."""

    name = "sdpo"

    def __init__(self, config: SDPOConfig, policy: Policy, console: Console):
        super().__init__(config, policy)
        self.console = console
        self.past_successes = PastSuccesses(config.past_successes)

    def no_signal(self) -> str:
        kind = self.config.context
        missing = {
            "demonstration": "no success to show the teacher (where there is feedback, try --context both)",
            "feedback": "no feedback on a failure to show the teacher",
        }
        return f"there was {missing.get(kind, 'neither a success nor feedback to show the teacher')}"

    def stateful(self) -> list[Stateful]:
        return [*super().stateful(), self.past_successes]

    def contexts(self, group: Group, rng: np.random.Generator) -> list[TeacherContext | None]:
        return super().contexts(group, rng, self.past_successes.draw(group[0].task, rng))

    def remember(self, groups: Sequence[Group]) -> None:
        self.past_successes.add(groups)

    def before_training(self, evaluation: Evaluation, collector: Collector) -> dict:
        """The pre-flight."""
        config = self.config
        if not config.preflight_tasks:
            return {}
        self.console.print("pre-flight: the model attempts the tasks again, shown what its teacher would be shown …")
        kinds = list(dict.fromkeys([config.context, "demonstration", "feedback"]))
        gaps = measure_gaps(
            collector,
            evaluation,
            style=config.reprompt,
            kinds=kinds,
            exclude_own_success=config.exclude_own_success,
            num_tasks=config.preflight_tasks,
            max_prompt_tokens=self.max_prompt_tokens(config.max_new_tokens),
        )
        report_gaps(gaps, config.context, config.reprompt, self.console)
        return {"gaps": [asdict(gap) for gap in gaps if gap.attempts]}


class HybridSDPO(SDPO, Hybrid):
    """The same with GRPO in it."""

    def no_signal(self) -> str:
        return f"{super().no_signal()}, and all attempts at a task got the same reward"


def make_sdpo(config: SDPOConfig, policy: Policy, console: Console) -> SDPO:
    """The algorithm that the settings ask for."""
    return (HybridSDPO if config.is_hybrid else SDPO)(config, policy, console)
