"""Batches of attempts, divided into minibatches and micro-batches."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.algorithm import Row
from agents.batches import micro_batches, split
from agents.episode import Episode, Turn

ROWS = st.lists(st.tuples(st.text("ab", min_size=1, max_size=6), st.integers(1, 9)), max_size=12)


def row_of(prompt, length):
    ids = [1] * length
    return Row(Episode("", 0, (), [Turn(list(map(ord, prompt)), ids, [0.0] * length, False, "")]), None)


def test_split_and_micro_batches_keep_every_row_once():
    rows = [row_of(prompt, length) for prompt in ("What is it?", "And what is that?") for length in (2, 4, 6, 8)]
    for parts in (1, 2, 3, 8, 20):
        assert [row for part in split(rows, parts) for row in part] == rows
        assert len(split(rows, parts)) == min(parts, 8)
    for tokens in (1, 50, 100, 200, 100_000):
        assert [row for batch in micro_batches(rows, tokens) for row in batch] == rows
    assert len(micro_batches(rows, 100_000)) == 1


@given(ROWS, st.integers(1, 120))
def test_micro_batches_are_as_full_as_the_limit_allows(described, limit):
    def tokens(batch):
        prompts = {tuple(row.episode.prompt_ids) for row in batch}
        return len(prompts) * max(map(len, prompts)) + len(batch) * max(len(row.episode.logprobs) for row in batch)

    rows = [row_of(*row) for row in described]
    batches = micro_batches(rows, limit)
    assert all(len(batch) == 1 or tokens(batch) <= limit for batch in batches)
    assert all(tokens([*batch, following[0]]) > limit for batch, following in itertools.pairwise(batches))
    order = [row for batch in batches for row in batch]
    assert sorted(map(id, order)) == sorted(map(id, rows))
    # Equal prompts stand beside each other.
    assert len(list(itertools.groupby(row.episode.prompt_ids for row in order))) == len({p for p, _ in described})


@pytest.mark.parametrize("limit", [1, 1000, 10**9])
def test_micro_batches_look_at_each_row_once(limit, monkeypatch):
    looks = []
    ids = Episode.continuation_ids
    monkeypatch.setattr(Episode, "continuation_ids", property(lambda self: looks.append(self) or ids.fget(self)))
    micro_batches([row_of("a" * (i % 9 + 1), 10) for i in range(100)], limit)
    assert len(looks) == 100
