"""A group in one row: the prompt once, then all of its continuations, each of which sees the prompt and itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class TreeRows:
    """B distinct prompts with their continuations, in rows of N tokens."""

    ids: torch.Tensor
    """(B, N) int64."""

    mask: torch.Tensor
    """(B, 1, N, N) bool: which token (third index) reads which (last index)."""

    positions: torch.Tensor
    """(B, N) int64; after the prompt, every continuation counts on from the prompt's end."""

    rows: torch.Tensor
    """(M,) int64. Row and place of the token in front of each of the continuations' M tokens, whose output predicts it;
    continuations one after another."""

    places: torch.Tensor
    """(M,) int64."""


def tree_rows(
    prompts: Sequence[Sequence[int]],
    continuations: Sequence[Sequence[int]],
    pad_id: int,
    device: torch.device,
) -> TreeRows:
    """Lay out continuations after prompts, which have at least one token each. Equal prompts share a row."""
    row_of: dict[tuple[int, ...], int] = {}
    ids: list[list[int]] = []
    branches: list[list[int]] = []  # 0 for the prompt, then a number per continuation
    positions: list[list[int]] = []
    rows: list[int] = []
    places: list[int] = []
    for number, (prompt, continuation) in enumerate(zip(prompts, continuations, strict=True), 1):
        row = row_of.setdefault(tuple(prompt), len(ids))
        if row == len(ids):
            ids.append(list(prompt))
            branches.append([0] * len(prompt))
            positions.append(list(range(len(prompt))))
        start, count = len(ids[row]), len(continuation) - 1  # the last token predicts nothing that is asked for
        rows += [row] * (count + 1)
        places += [len(prompt) - 1, *range(start, start + count)]
        ids[row] += continuation[:-1]
        branches[row] += [number] * count
        positions[row] += range(len(prompt), len(prompt) + count)
    longest = max(map(len, ids))

    def stacked(lists: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
        return torch.tensor([[*values, *[fill] * (longest - len(values))] for values in lists], device=device)

    branch = stacked(branches, -1)
    reads, read = branch[:, :, None], branch[:, None, :]
    earlier = torch.ones(longest, longest, dtype=torch.bool, device=device).tril()
    return TreeRows(
        ids=stacked(ids, pad_id),
        mask=(earlier & ((read == 0) | (read == reads)))[:, None],
        positions=stacked(positions, 0),
        rows=torch.tensor(rows, device=device),
        places=torch.tensor(places, device=device),
    )
