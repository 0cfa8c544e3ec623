"""A text space for prompts and responses in any script."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import CustomSpaceError
from gymnasium.spaces.utils import flatdim, flatten, flatten_space, unflatten
from gymnasium.vector.utils import create_shared_memory

SAMPLED_CHARACTERS = string.digits + string.ascii_letters + string.punctuation + " \n\t"
PADDING = -1


class UnicodeText(spaces.Text):
    """All texts of at most `max_length` Unicode code points.

    `gymnasium.spaces.Text` lists its characters, so that by default it rejects a space or a line break. This space
    accepts every `str` that can be encoded (no lone surrogates). `sample` draws short texts of printable ASCII: uniform
    sampling up to a million characters would be slow and show nothing more.

    Args:
        max_length: Longest text, in code points.
        min_length: Shortest text, in code points.
        sample_length: Longest text that `sample` draws, in code points.
        seed: Seed of the sampling.
    """

    def __init__(
        self,
        max_length: int = 1_000_000,
        *,
        min_length: int = 0,
        sample_length: int = 200,
        seed: int | np.random.Generator | None = None,
    ):
        super().__init__(max_length, min_length=min_length, charset=SAMPLED_CHARACTERS, seed=seed)
        self.sample_length = max(min_length, min(sample_length, max_length))

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Draw a text of at most `sample_length` characters. `mask` and `probability` mean what they do in `Text`."""
        length = self.np_random.integers(self.min_length, self.sample_length + 1)
        if mask is not None:
            return super().sample(mask=(length if mask[0] is None else mask[0], mask[1]))
        if probability is not None:
            return super().sample(probability=(length if probability[0] is None else probability[0], probability[1]))
        return super().sample(mask=(length, None))

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and self.min_length <= len(x) <= self.max_length and not _has_surrogate(x)

    def __repr__(self) -> str:
        return f"UnicodeText({self.min_length}, {self.max_length})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UnicodeText)
            and self.min_length == other.min_length
            and self.max_length == other.max_length
        )


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.int32)


def _text(code_points: np.ndarray) -> str:
    return code_points.astype("<i4").tobytes().decode("utf-32-le")


@flatten_space.register(UnicodeText)
def _flatten_space(space: UnicodeText) -> spaces.Box:
    return spaces.Box(PADDING, 0x10FFFF, shape=(space.max_length,), dtype=np.int32)


@flatdim.register(UnicodeText)
def _flatdim(space: UnicodeText) -> int:
    return space.max_length


@flatten.register(UnicodeText)
def _flatten(space: UnicodeText, x: str) -> np.ndarray:
    flat = np.full(space.max_length, PADDING, dtype=np.int32)
    flat[: len(x)] = _code_points(x)
    return flat


@unflatten.register(UnicodeText)
def _unflatten(space: UnicodeText, x: np.ndarray) -> str:
    return _text(x[x != PADDING])


@create_shared_memory.register(UnicodeText)
def _create_shared_memory(space: UnicodeText, n: int = 1, ctx: Any = None):
    # AsyncVectorEnv reads shared memory once, when it is made, and so would return the same empty texts for ever.
    raise CustomSpaceError("texts cannot be observed through shared memory; pass shared_memory=False to AsyncVectorEnv")
