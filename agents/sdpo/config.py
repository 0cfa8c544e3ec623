"""Settings of SDPO."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from agents.config import LearnerConfig, UpdateConfig, flag
from agents.errors import UsageError
from agents.sdpo.loss import Divergence
from agents.sdpo.reprompt import ContextKind, RepromptStyle


@dataclass
class SelfDistillationConfig(UpdateConfig):
    """Settings of SDPO's signal and loss."""

    reprompt: RepromptStyle = "chat"
    """How the teacher is shown its context. `paper`: after the question, in the same message (paper, Table 2).
    `chat`: a demonstration as an earlier answer of its own, confirmed before the question is asked again. `repeat`:
    the same, but it is asked to give that answer again, and the question stands there once."""

    context: ContextKind = "demonstration"
    """What the teacher is shown: a successful attempt of the same group, the feedback on the attempt in question,
    both, or the feedback only where no attempt succeeded. Attempts without a context are not learned from."""

    exclude_own_success: bool = False
    """Never show the teacher the very response that it scores; then a group's only success is not learned from."""

    max_reprompt_tokens: int = 10_240
    """Longest teacher prompt; demonstration and feedback are cut to fit, nothing else is."""

    divergence: Divergence = "reverse_kl"
    """KL(student ‖ teacher), KL(teacher ‖ student), or the Jensen-Shannon divergence between them."""

    jsd_alpha: float = 0.5
    """The teacher's weight in the mixture of the Jensen-Shannon divergence."""

    level: Literal["logit", "token", "sequence"] = "logit"
    """Compare whole next-token distributions (`logit`), or only the probabilities of the sampled tokens (reverse KL
    only): each token by itself (`token`), or by their mean over the response (`sequence`)."""

    top_k: int = 100
    """Compare the k most probable tokens one by one, all others as one. 0: every token by itself."""

    top_k_of: Literal["student", "teacher"] = "student"
    """Whose most probable tokens are compared."""

    tail: bool = True
    """Count the tokens beyond the top k as one. Without it, both sides are renormalised over the top k."""

    advantage_clip: float = math.inf
    """The teacher's log-probs are moved to within so many nats of the student's, token by token."""

    is_clip: float = 2.0
    """Cap of the importance weight between the current policy and the one at the start of the batch."""

    teacher: Literal["ema", "frozen", "periodic", "live", "trust_region"] = "ema"
    """Teacher's weights: a moving average of the student's (`ema`), the initial ones (`frozen`), a copy of the
    student's that is taken anew now and then (`periodic`), or the student's own (`live`). `trust_region` mixes the
    predictions of the initial and the student's own."""

    ema_rate: float = 0.05
    """How far the moving average follows the student after each rollout batch; 0 freezes it, 1 copies the student."""

    teacher_refresh: int = 10
    """The periodic teacher is a new copy of the student after every so many rollout batches that were learned from."""

    trust_region_mix: float = 0.05
    """The student's weight in the trust-region teacher: q ∝ initial^(1 − weight) · student^weight."""

    grpo_weight: float = 0.0
    """λ of the sum λ·GRPO + (1 − λ)·SDPO; 0 is SDPO alone, and then (unless routed) only attempts with a context
    count."""

    route: Literal["none", "success"] = "none"
    """`success`: attempts that succeeded learn by GRPO, as do those without a context; all others by SDPO, or with
    --grpo-weight by the sum."""

    @property
    def is_hybrid(self) -> bool:
        return self.grpo_weight > 0 or self.route != "none"

    def check(self) -> None:
        super().check()
        self._above_zero("jsd_alpha", "is_clip", "advantage_clip")
        self._at_least(top_k=0, max_reprompt_tokens=0, teacher_refresh=1)
        if not self.jsd_alpha < 1:
            raise UsageError(f"--jsd-alpha must be less than 1, not {self.jsd_alpha}; the ends are the two KLs")
        for name in ("ema_rate", "trust_region_mix", "grpo_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{flag(name)} must be between 0 and 1, not {getattr(self, name)}")
        if self.level != "logit" and self.divergence != "reverse_kl":
            raise UsageError(f"--level {self.level} knows only --divergence reverse_kl, not {self.divergence}")
        if self.level != "logit":
            self._rules_out("level", "top_k", "top_k_of", "tail")
        if not self.top_k:
            self._rules_out("top_k", "top_k_of", "tail")
        if self.divergence != "jsd":
            self._rules_out("divergence", "jsd_alpha")
        own = {"ema": "ema_rate", "periodic": "teacher_refresh", "trust_region": "trust_region_mix"}
        self._rules_out("teacher", *(setting for teacher, setting in own.items() if teacher != self.teacher))
        if self.context == "feedback":
            self._rules_out("context", "exclude_own_success")
        if self.route == "success":  # successes learn by GRPO
            self._rules_out("route", "exclude_own_success")
        if self.level == "logit" and self.top_k == 1 and not self.tail:
            raise UsageError(
                "--top-k 1 with --no-tail teaches nothing: a single token, renormalised, has probability 1 on both "
                "sides; raise --top-k or leave out --no-tail"
            )


@dataclass
class SDPOConfig(SelfDistillationConfig, LearnerConfig):
    """Train a language model with SDPO (Self-Distillation Policy Optimization) on any text environment.

    The model, shown a successful attempt at the same task or the feedback on a failed one, is its own teacher.
    """

    past_successes: int = 0
    """Keep so many of the latest successes at each task. Where no attempt of a group succeeds, the teacher is shown one
    of them as the demonstration, drawn at random."""

    preflight_tasks: int = 16
    """Evaluation tasks on which, before training, the teacher is compared with the student. 0: no comparison."""

    def check(self) -> None:
        super().check()
        self._at_least(preflight_tasks=0, past_successes=0)
        if self.context == "feedback":
            self._rules_out("context", "past_successes")

    def check_tasks(self, num_tasks: int | None) -> None:
        super().check_tasks(num_tasks)
        if self.past_successes and num_tasks is None:
            raise self._needs_numbered_tasks("--past-successes")
