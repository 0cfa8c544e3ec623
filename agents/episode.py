"""The record of one attempt at a task: all that the learners, the run folder and the evaluation read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdpo_gym.tasks import Message


@dataclass
class Turn:
    """One response and what came of it."""

    context_ids: list[int]
    """Token ids that the policy read since its previous response: the prompt, or the reply and a new header."""

    response_ids: list[int]
    """The sampled tokens, exactly as they were drawn."""

    logprobs: list[float]
    """The sampler's log-prob of each response token."""

    truncated: bool
    """Whether the token limit cut the response off."""

    text: str
    reward: float = 0.0
    feedback: str = ""
    feedback_kinds: tuple[str, ...] = ()
    """Kinds of the records that the feedback was rendered from, where the environment gives them."""


@dataclass
class Episode:
    """One attempt, of one turn or several; of none where the prompt left no room for a response."""

    task: str
    """The task's id, or what stands for it where an environment names none (its seed)."""

    seed: int
    """Seed that the environment was reset with."""

    messages: tuple[Message, ...]
    """The chat that posed the task."""

    turns: list[Turn] = field(default_factory=list)
    success: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)
    stop_reason: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What the environment says about the task, such as its difficulty."""

    @property
    def reward(self) -> float:
        """Sum of the turns' rewards."""
        return sum(turn.reward for turn in self.turns)

    @property
    def response(self) -> str:
        """The last response's text; "" without a turn."""
        return self.turns[-1].text if self.turns else ""

    @property
    def feedback(self) -> str:
        """The feedback on the last response; "" without a turn."""
        return self.turns[-1].feedback if self.turns else ""

    @property
    def truncated(self) -> bool:
        return any(turn.truncated for turn in self.turns)

    @property
    def prompt_ids(self) -> list[int]:
        return self.turns[0].context_ids

    @property
    def continuation_ids(self) -> list[int]:
        """Everything after the prompt: responses and, between them, what the policy was told."""
        return [token for context, turn in self._after_prompt() for token in (*context, *turn.response_ids)]

    @property
    def loss_mask(self) -> list[bool]:
        """For each token of `continuation_ids`, whether the policy sampled it."""
        return [
            sampled
            for context, turn in self._after_prompt()
            for sampled in [False] * len(context) + [True] * len(turn.response_ids)
        ]

    @property
    def logprobs(self) -> list[float]:
        """The sampler's log-probs of the tokens under the loss mask."""
        return [logprob for turn in self.turns for logprob in turn.logprobs]

    @property
    def num_response_tokens(self) -> int:
        return sum(len(turn.response_ids) for turn in self.turns)

    def _after_prompt(self) -> list[tuple[Sequence[int], Turn]]:
        return [((), self.turns[0]), *((turn.context_ids, turn) for turn in self.turns[1:])]

    def to_json(self) -> dict[str, Any]:
        """What the run folder keeps of it."""
        return {
            "task": self.task,
            "seed": self.seed,
            "success": self.success,
            "reward": self.reward,
            "stop_reason": self.stop_reason,
            "metrics": dict(self.metrics),
            "messages": [dict(message) for message in self.messages],
            "turns": [
                {
                    "response": turn.text,
                    "tokens": len(turn.response_ids),
                    "truncated": turn.truncated,
                    "reward": turn.reward,
                    "feedback": turn.feedback,
                    "feedback_kinds": list(turn.feedback_kinds),
                }
                for turn in self.turns
            ],
        }
