"""What a sampling engine offers: token ids in, token ids and their log-probs out, in groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SamplingParameters:
    """How responses are drawn."""

    max_new_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0


@dataclass(frozen=True)
class Response:
    """One sampled response."""

    token_ids: list[int]
    """The sampled tokens, the end-of-turn token included unless `truncated`."""

    logprobs: list[float]
    """Log-probability of each token under the distribution that it was drawn from (after temperature and top-p)."""

    truncated: bool
    """Whether the token limit cut the response off."""


class SamplingEngine(Protocol):
    """Draws responses from a policy. Nothing is detokenised and tokenised again on the way."""

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        group_size: int,
        parameters: SamplingParameters,
        seeds: Sequence[int],
    ) -> list[list[Response]]:
        """Draw `group_size` responses to each prompt.

        Args:
            prompts: Token ids.
            seeds: One per prompt. It decides the draws, whatever other prompts are sampled beside this one; where an
                engine cannot keep to that, all seeds together do.
        """
        ...

    def sync(self) -> None:
        """Take over the policy's weights as they are now. Call it whenever they have changed."""
        ...

    def close(self) -> None:
        """Give back what the engine holds."""
        ...
