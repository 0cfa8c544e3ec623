"""The text space."""

import gymnasium
import numpy as np
import pytest
from gymnasium.error import CustomSpaceError
from gymnasium.spaces.utils import flatdim, flatten, unflatten
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.vector.utils import batch_space, create_empty_array
from hypothesis import given
from hypothesis import strategies as st
from toy_env import EvenLengthEnv

from sdpo_gym import UnicodeText


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50))
def test_holds_every_text_that_can_be_encoded(text):
    assert text in UnicodeText(50)


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", 1, None, b"bytes", ["a"], np.array("a")])
def test_holds_nothing_else(value):
    assert value not in UnicodeText()


def test_lengths():
    space = UnicodeText(3, min_length=1)
    assert [len(text) for text in ("", "a", "äöü", "abcd") if text in space] == [1, 3]
    assert "💡" * 3 in space


def test_samples_are_members_short_and_seeded():
    space, same = UnicodeText(seed=1), UnicodeText(seed=1)
    samples = [space.sample() for _ in range(100)]
    assert all(sample in space and len(sample) <= 200 for sample in samples)
    assert samples == [same.sample() for _ in range(100)]
    assert len(set(samples)) > 90
    assert all(1 <= len(UnicodeText(4, min_length=1, seed=i).sample()) <= 4 for i in range(20))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_flatten_and_back(text):
    space = UnicodeText(20)
    flat = flatten(space, text)
    assert flat.shape == (flatdim(space),) and unflatten(space, flat) == text


def test_equality_and_batches():
    assert UnicodeText(5) == UnicodeText(5) != UnicodeText(6)
    batch = batch_space(UnicodeText(), 3)
    assert ("a", "b c", "\n") in batch
    assert len(create_empty_array(UnicodeText(), 3)) == 3


def test_in_gymnasiums_own_vector_environments():
    for vector in (SyncVectorEnv([EvenLengthEnv] * 2), AsyncVectorEnv([EvenLengthEnv] * 2, shared_memory=False)):
        observations, _ = vector.reset(seed=0, options={"task": 1})
        assert tuple(observations) == ("Say beta.", "Say beta.")
        _, rewards, *_ = vector.step(("even", "odd"))
        assert rewards.tolist() == [1.0, 0.0]
        vector.close()


def test_shared_memory_is_refused_with_what_to_do():
    with pytest.raises((CustomSpaceError, gymnasium.error.Error, ValueError, TypeError), match="shared_memory=False"):
        AsyncVectorEnv([EvenLengthEnv] * 2)
