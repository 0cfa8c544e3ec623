"""Several prompts and their continuations in one row, in which what they begin with stands once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

Prompt = tuple[int, ...]


@dataclass(frozen=True)
class TreeRows:
    """B trees in rows of N tokens: a root, what completes it to a prompt, and continuations of that."""

    ids: torch.Tensor
    """(B, N) int64."""

    mask: torch.Tensor
    """(B, 1, N, N) bool: which token (third index) reads which (last index)."""

    positions: torch.Tensor
    """(B, N) int64; every branch counts on from the end of what it is a branch of."""

    rows: torch.Tensor
    """(M,) int64. Row and place of the token in front of each of the continuations' M tokens, whose output predicts it;
    continuations one after another."""

    places: torch.Tensor
    """(M,) int64."""


@dataclass
class _Tree:
    row: int
    ids: list[int]
    positions: list[int]
    prompts: list[int]
    """For each token, the number of the prompt that it completes or is behind; 0 in the root, and behind it alone."""
    continuations: list[int]
    """For each token, the number of its continuation; 0 in front of continuations."""
    ends: dict[Prompt, int] = field(default_factory=dict)
    """Where each prompt's last token is."""

    def append(self, ids: Sequence[int], first_position: int, prompt: int, continuation: int) -> None:
        self.ids += ids
        self.positions += range(first_position, first_position + len(ids))
        self.prompts += [prompt] * len(ids)
        self.continuations += [continuation] * len(ids)


def tree_rows(
    prompts: Sequence[Prompt],
    continuations: Sequence[Sequence[int]],
    roots: Sequence[Prompt],
    pad_id: int,
    device: torch.device,
) -> TreeRows:
    """Lay out continuations after prompts, which have at least one token each.

    Args:
        roots: What each prompt begins with. Prompts with equal roots share a row.
    """
    trees: dict[Prompt, _Tree] = {}
    rows: list[int] = []
    places: list[int] = []
    for number, (prompt, continuation, root) in enumerate(zip(prompts, continuations, roots, strict=True), 1):
        if root not in trees:
            trees[root] = _Tree(len(trees), [], [], [], [])
            trees[root].append(root, 0, 0, 0)
        tree = trees[root]
        if prompt not in tree.ends:
            tree.append(prompt[len(root) :], len(root), number, 0)
            tree.ends[prompt] = len(tree.ids) - 1 if len(prompt) > len(root) else len(root) - 1
        end, start = tree.ends[prompt], len(tree.ids)
        # The last token predicts nothing that is asked for.
        tree.append(continuation[:-1], len(prompt), tree.prompts[end], number)
        rows += [tree.row] * len(continuation)
        places += [end, *range(start, len(tree.ids))]
    longest = max(len(tree.ids) for tree in trees.values())

    def stacked(name: str, fill: int) -> torch.Tensor:
        lists = [getattr(tree, name) for tree in trees.values()]
        return torch.tensor([values + [fill] * (longest - len(values)) for values in lists], device=device)

    def along_the_branch(numbers: torch.Tensor) -> torch.Tensor:
        read = numbers[:, None, :]
        return (read == 0) | (read == numbers[:, :, None])

    earlier = torch.ones(longest, longest, dtype=torch.bool, device=device).tril()
    mask = earlier & along_the_branch(stacked("prompts", -1)) & along_the_branch(stacked("continuations", -1))
    return TreeRows(
        ids=stacked("ids", pad_id),
        mask=mask[:, None],
        positions=stacked("positions", 0),
        rows=torch.tensor(rows, device=device),
        places=torch.tensor(places, device=device),
    )


def tree_lengths(
    prompts: Sequence[Prompt], continuations: Sequence[Sequence[int]], roots: Sequence[Prompt]
) -> list[int]:
    """How many tokens each tree of `tree_rows` has."""
    lengths = {root: len(root) for root in roots}
    for prompt, root in dict(zip(prompts, roots, strict=True)).items():
        lengths[root] += len(prompt) - len(root)
    for continuation, root in zip(continuations, roots, strict=True):
        lengths[root] += len(continuation) - 1
    return list(lengths.values())


def common_roots(prompts: Sequence[Prompt]) -> list[Prompt]:
    """What each prompt has in common with those that are alike: at least half of the longest of them."""
    roots: dict[Prompt, Prompt] = {}
    alike: list[Prompt] = []
    for prompt in sorted(set(prompts)):
        root = _common([*alike, prompt])
        if alike and 2 * len(root) < max(map(len, [*alike, prompt])):
            alike, root = [], prompt
        alike.append(prompt)
        roots |= dict.fromkeys(alike, root)
    return [roots[prompt] for prompt in prompts]


def _common(prompts: Sequence[Prompt]) -> Prompt:
    """The beginning that sorted prompts share."""
    first, last = prompts[0], prompts[-1]
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]
