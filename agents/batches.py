"""How attempts are divided into minibatches, one optimizer step each, and into micro-batches, one pass each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeVar

from agents.algorithm import Row
from agents.episode import Episode

Item = TypeVar("Item")


def divided_rows(rows: Sequence[Row], attempts: Sequence[Episode], parts: int) -> list[list[Row]]:
    """The rows of each part of a batch of attempts; parts without any are left out.

    The attempts are divided, not the rows: however few of them count, a part has those of the same questions.
    """
    row_of = {id(row.episode): row for row in rows}
    divided_batch = [
        [row_of[id(attempt)] for attempt in part if id(attempt) in row_of] for part in split(attempts, parts)
    ]
    return [part for part in divided_batch if part]


def split(items: Sequence[Item], parts: int) -> list[Sequence[Item]]:
    """Divide a sequence into at most `parts` runs of nearly equal length."""
    bounds = [round(i * len(items) / parts) for i in range(parts + 1)]
    return [items[a:b] for a, b in itertools.pairwise(bounds) if b > a]


def micro_batches(rows: Sequence[Row], max_tokens: int) -> list[list[Row]]:
    """Divide rows into batches for the student's passes; see `batches_within`."""
    prompts = [row.episode.prompt_ids for row in rows]
    lengths = [len(row.episode.continuation_ids) for row in rows]
    return [[rows[i] for i in batch] for batch in batches_within(prompts, lengths, max_tokens)]


def batches_within(prompts: Sequence[Sequence[int]], lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Divide rows into batches of at most `max_tokens` tokens, padding included, or of a single row.

    Rows with equal prompts stay together and share the forward pass of the prompt, so that it counts once. Short ones
    come first, so that little is padded.

    Args:
        prompts: One list of token ids per row.
        lengths: Of the rows' continuations.

    Returns:
        The rows' indices, batch by batch.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        groups.setdefault(tuple(prompts[i]), []).append(i)
    batches: list[list[int]] = []
    distinct = longest = 0  # prompts and continuation in the last batch
    for prompt in sorted(groups, key=len):  # so that it is the longest of its batch
        new = 1
        for i in groups[prompt]:
            distinct, longest = distinct + new, max(longest, lengths[i])
            if batches and distinct * len(prompt) + (len(batches[-1]) + 1) * longest <= max_tokens:
                batches[-1].append(i)
            else:
                batches.append([i])
                distinct, longest = 1, lengths[i]
            new = 0
    return batches
