"""The next-token distributions at the tokens of responses, under a policy's current weights."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from transformers import DynamicCache

from agents.policy.head import HeadStats, head_stats, stats_from_logits
from agents.policy.policy import Policy, left_padded, positions, right_padded
from agents.policy.tree_rows import Prompt, common_roots, tree_lengths, tree_rows

GPU_WAIT = 3 * 10**11
"""Operations that a GPU could have done in a layer until it is asked for the next: of about 1 ms, at 300 TFLOP/s."""

LEAST_LOGIT = -1e30
"""Of tokens that a model rules out with a logit of −inf: as improbable, and with gradients that are 0 and not NaN."""


@dataclass(frozen=True)
class NextTokens:
    """Distributions at N positions, kept as what they are computed from: there is no (N, V) tensor if that can be."""

    states: torch.Tensor
    """(N, H) hidden states; or logits (N, V), where the model's are not a plain product of these."""

    weight: torch.Tensor | None
    """(V, H) of the head; None where `states` are logits."""

    temperature: float
    compute_dtype: torch.dtype

    @property
    def vocabulary(self) -> int:
        return self.states.shape[-1] if self.weight is None else len(self.weight)

    def logits(self) -> torch.Tensor:
        """(N, V) float32, before the temperature."""
        if self.weight is None:
            return self.states.float()
        return (self.states.to(self.compute_dtype) @ self.weight.to(self.compute_dtype).T).float()

    def stats(self, token_ids: torch.Tensor, *, top_k: int = 0, indices: torch.Tensor | None = None) -> HeadStats:
        """See `head_stats`. With a `top_k` of all tokens, or more, they come in their own order."""
        choice = {"top_k": top_k, "indices": indices, "temperature": self.temperature}
        if top_k >= self.vocabulary:
            choice["indices"] = torch.arange(self.vocabulary, device=token_ids.device).expand(len(token_ids), -1)
        if self.weight is None or (choice["indices"] is not None and choice["indices"].shape[1] == self.vocabulary):
            return stats_from_logits(self.logits(), token_ids, **choice)
        return head_stats(self.states, self.weight, token_ids, compute_dtype=self.compute_dtype, **choice)

    def only(self, mask: torch.Tensor) -> NextTokens:
        """The distributions under a mask (N,)."""
        return replace(self, states=self.states[mask])

    def mixed_with(self, other: NextTokens, share: float) -> NextTokens:
        """The geometric mean in which `other` has this share: its logits are the mean of both."""
        if self.weight is None or other.weight is None:
            return NextTokens(self.logits().lerp(other.logits(), share), None, self.temperature, self.compute_dtype)
        # (1 − s)·h·Wᵀ + s·h'·W'ᵀ as one product.
        states = torch.cat([(1 - share) * self.states, share * other.states], dim=-1)
        weight = torch.cat([self.weight, other.weight], dim=-1)
        return NextTokens(states, weight, self.temperature, self.compute_dtype)


def next_tokens(
    policy: Policy,
    prompts: Sequence[Sequence[int]],
    continuations: Sequence[Sequence[int]],
    mask: torch.Tensor | None = None,
    temperature: float = 1.0,
    *,
    as_in_training: bool = False,
) -> NextTokens:
    """Read continuations after prompts.

    Rows whose prompts are equal, or begin alike, share the forward pass of that, gradients included.

    Args:
        prompts: One list of token ids per row.
        continuations: What follows each prompt; at least one token each.
        mask: (sum of the continuations' lengths,) bool: which of their tokens are wanted, rows one after another. None:
            all of them.
        temperature: Divides the logits.
        as_in_training: Without gradients too, read in the way that passes with gradients do, so that low precision
            rounds alike.

    Returns:
        For each token that is wanted, the distribution from which it was, or could have been, drawn.
    """
    model = policy.model

    def read_hidden(keep: int, **inputs) -> torch.Tensor:
        return model.get_decoder()(**inputs).last_hidden_state[:, -keep:]

    def read_logits(keep: int, **inputs) -> torch.Tensor:
        return model(**inputs, logits_to_keep=keep).logits.clamp_min(LEAST_LOGIT)

    forward = read_hidden if policy.head_is_plain else read_logits
    # Layers that fill a cache cannot be computed again; and with one, there may be two passes here, and one elsewhere.
    recomputed = policy.checkpointed and (as_in_training or torch.is_grad_enabled())
    prompts = [tuple(prompt) for prompt in prompts]
    reader = _cheapest_reader(policy, prompts, continuations, in_one_pass=policy.sharded or recomputed)
    with policy.autocast():
        states = reader(policy, prompts, continuations, forward)
    weight = model.get_output_embeddings().weight if policy.head_is_plain else None
    if weight is not None and not torch.is_grad_enabled():
        reused = policy.sharded and weight.requires_grad  # memory, into which the next weights are gathered
        weight = weight.detach().clone() if reused else weight.detach()  # these, whatever the model is lent later
    if mask is not None and not bool(mask.all()):
        states = states[mask]
    return NextTokens(states, weight, temperature, policy.compute_dtype)


Forward = Callable[..., torch.Tensor]
"""Takes how many positions' outputs are wanted, the last ones, and what the model takes; returns (B, kept, ·)."""


Reader = Callable[[Policy, Sequence[Prompt], Sequence[Sequence[int]], Forward], torch.Tensor]
"""Outputs (N, ·) of `forward` at the positions in front of the continuations' tokens, rows one after another."""


def _cheapest_reader(
    policy: Policy, prompts: Sequence[Prompt], continuations: Sequence[Sequence[int]], *, in_one_pass: bool
) -> Reader:
    """The way to read that costs the fewest operations.

    Trees pad little, but every token of a tree meets every other in its attention. A layer of width H takes about 24·H²
    operations per token in its matrices, and 4·H per pair of tokens in its attention. A GPU waits for each pass.
    """
    width = policy.model.config.get_text_config().hidden_size
    wait = GPU_WAIT // width if policy.device.type == "cuda" else 0

    def cost(rows: int, tokens: int, context: int) -> int:
        return wait + rows * tokens * (24 * width + 4 * context)

    prompt, continuation = max(map(len, prompts)), max(map(len, continuations))
    whole = prompt + continuation
    readers: list[tuple[int, Reader]] = []
    if policy.takes_tree_rows:
        for roots in (list(prompts), common_roots(prompts)):
            lengths = tree_lengths(prompts, continuations, roots)
            operations = cost(len(lengths), max(lengths), max(lengths))
            readers.append((operations, functools.partial(_read_trees, roots=roots)))
    if not in_one_pass and policy.reads_from_cache:
        operations = cost(len(set(prompts)), prompt, prompt) + cost(len(prompts), continuation, whole)
        readers.append((operations, _read_with_cache))
    readers.append((cost(len(prompts), whole, whole), _read_rows))
    return min(readers, key=lambda pair: pair[0])[1]


def _read_trees(
    policy: Policy,
    prompts: Sequence[Prompt],
    continuations: Sequence[Sequence[int]],
    forward: Forward,
    roots: Sequence[Prompt],
) -> torch.Tensor:
    """Prompts with equal roots, and their continuations, in one row."""
    tree = tree_rows(prompts, continuations, roots, policy.pad_id, policy.device)
    first, length = int(tree.places.min()), tree.ids.shape[1]
    outputs = forward(
        length - first, input_ids=tree.ids, attention_mask=tree.mask, position_ids=tree.positions, use_cache=False
    )
    return outputs[tree.rows, tree.places - first]


def _read_rows(
    policy: Policy, prompts: Sequence[Prompt], continuations: Sequence[Sequence[int]], forward: Forward
) -> torch.Tensor:
    """Each continuation with a prompt of its own."""
    rows = [[*prompt, *continuation[:-1]] for prompt, continuation in zip(prompts, continuations, strict=True)]
    ids, mask = right_padded(rows, policy.pad_id, policy.device)
    outputs = forward(ids.shape[1], input_ids=ids, attention_mask=mask, position_ids=positions(mask), use_cache=False)
    return torch.cat(
        [output[len(prompt) - 1 : len(row)] for output, prompt, row in zip(outputs, prompts, rows, strict=True)]
    )


def _read_with_cache(
    policy: Policy, prompts: Sequence[Prompt], continuations: Sequence[Sequence[int]], forward: Forward
) -> torch.Tensor:
    """Each prompt's keys and values are computed once, gradients included, and repeated for its continuations."""
    distinct = list(dict.fromkeys(prompts))
    prompt_of_row = [distinct.index(prompt) for prompt in prompts]
    lengths = [len(continuation) for continuation in continuations]
    prompt_ids, prompt_mask = left_padded(distinct, policy.pad_id, policy.device)  # (U, P)
    expand = torch.tensor(prompt_of_row, device=policy.device)  # (R,)
    cache = DynamicCache(config=policy.model.config)
    first = forward(
        1,
        input_ids=prompt_ids,
        attention_mask=prompt_mask,
        position_ids=positions(prompt_mask),
        past_key_values=cache,
        use_cache=True,
    )[expand]  # (R, 1, ·)
    if max(lengths) == 1:
        return first.squeeze(1)
    cache.reorder_cache(expand)
    # The last token of a continuation predicts nothing that is asked for.
    ids, mask = right_padded([row[:-1] for row in continuations], policy.pad_id, policy.device)  # (R, T − 1)
    mask = torch.cat([prompt_mask[expand], mask], dim=-1)
    rest = forward(
        ids.shape[1],
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions(mask)[:, -ids.shape[1] :],
        past_key_values=cache,
        use_cache=True,
    )  # (R, T − 1, ·)
    return torch.cat([torch.cat([first[i], rest[i, : length - 1]]) for i, length in enumerate(lengths)])
