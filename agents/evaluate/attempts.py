"""The record of one attempt as the evaluation keeps it: a line of `samples.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agents.episode import Episode
from sdpo_gym.tasks import Message


@dataclass(frozen=True)
class AttemptTurn:
    """One response and what came of it. None: the model's server does not say."""

    response: str
    tokens: int | None
    prompt_tokens: int | None
    """Tokens that the model read for this response."""

    logprob: float | None
    """Sum of the tokens' log-probs under the sampling distribution."""

    logprob_tokens: int | None
    """Tokens in that sum."""

    truncated: bool
    reward: float
    feedback: str
    feedback_kinds: Sequence[str]


@dataclass(frozen=True)
class Attempt:
    """One attempt at a task."""

    position: int
    """The task's place in the evaluation."""

    sample: int
    """Which of the attempts at the task."""

    task: str
    metadata: Mapping[str, Any]
    messages: Sequence[Message]
    success: bool
    stop_reason: str
    metrics: Mapping[str, float]
    turns: Sequence[AttemptTurn]
    seconds: float = 0.0
    """Share of the evaluation's wall time; the attempts' add up to it."""

    @classmethod
    def from_episode(cls, episode: Episode, position: int, sample: int) -> Attempt:
        turns, read = [], 0
        for turn in episode.turns:
            read += len(turn.context_ids)
            turns.append(
                AttemptTurn(
                    response=turn.text,
                    tokens=len(turn.response_ids),
                    prompt_tokens=read,
                    logprob=sum(turn.logprobs),
                    logprob_tokens=len(turn.logprobs),
                    truncated=turn.truncated,
                    reward=turn.reward,
                    feedback=turn.feedback,
                    feedback_kinds=turn.feedback_kinds,
                )
            )
            read += len(turn.response_ids)
        return cls(
            position=position,
            sample=sample,
            task=episode.task,
            metadata=episode.metadata,
            messages=episode.messages,
            success=episode.success,
            stop_reason=episode.stop_reason,
            metrics=episode.metrics,
            turns=turns,
        )

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Attempt:
        # Older records do not count the tokens with a log-prob.
        turns = [AttemptTurn(**{"logprob_tokens": turn["tokens"], **turn}) for turn in record["turns"]]
        return cls(**{**record, "turns": turns})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def reward(self) -> float:
        return sum(turn.reward for turn in self.turns)

    @property
    def response(self) -> str:
        """The last one; "" without a turn."""
        return self.turns[-1].response if self.turns else ""

    @property
    def truncated(self) -> bool:
        return any(turn.truncated for turn in self.turns)

    @property
    def feedback_kinds(self) -> Sequence[str]:
        """Of the feedback on the last response."""
        return self.turns[-1].feedback_kinds if self.turns else ()

    @property
    def tokens(self) -> int | None:
        return total([turn.tokens for turn in self.turns])

    @property
    def prompt_tokens(self) -> int | None:
        return total([turn.prompt_tokens for turn in self.turns])

    @property
    def logprob(self) -> float | None:
        return total([turn.logprob for turn in self.turns])

    @property
    def logprob_tokens(self) -> int | None:
        return total([turn.logprob_tokens for turn in self.turns])


def total(values: Sequence[float | None]) -> Any:
    """The sum; None if one of the values is not known."""
    return None if None in values else sum(values)
