"""What losses need of the next-token distributions, from hidden states, without a [tokens × vocabulary] tensor.

The logits of a few tokens at a time are made, reduced to some numbers each, and dropped; the backward pass is written
by hand. With logits z = h·Wᵀ/τ, p = softmax(z), S the top tokens, ⊥ all others, q_j = p_j/p_⊥ their probabilities among
themselves, upstream gradients a of the log-probs of the sampled token y, of the top tokens and of ⊥, and their sum A:

    dL/dz_j = a_y·1[j = y] + (a_j − A·p_j)·1[j ∈ S] + (a_⊥ − A·p_⊥)·q_j·1[j ∉ S]

Nothing large cancels there, however small the tail is. Where W is frozen, dL/dh follows from the tail's mean row
Σ_j q_j·W_j, which the forward pass keeps: no second pass over the vocabulary. Where it is trained, the logits are made
once more.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

CHUNK_ELEMENTS = 1 << 24
"""Logits that exist at the same time; several float32 arrays of this size do."""

CHUNKS_PER_PRODUCT = 4
"""Chunks whose gradients, in the precision of the matrix products, wait for each other: each addition to the gradient
of the weight reads and writes all of it."""

WEIGHT_ROWS = 1 << 13
"""Rows of the weight's gradient that are added to at a time; two arrays of this size exist besides."""


class HeadStats(NamedTuple):
    """Numbers about the next-token distributions at N positions, float32 at least."""

    logprobs: torch.Tensor
    """(N,) of the given tokens."""

    top_logprobs: torch.Tensor
    """(N, K) of the tokens at `indices`."""

    tail_logprobs: torch.Tensor
    """(N,) of all other tokens together: a sum over them, not the rest to 1, so that it is exact when it is small."""

    entropy: torch.Tensor
    """(N,) in nats; without gradients."""

    indices: torch.Tensor
    """(N, K) int64."""


def head_stats(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    token_ids: torch.Tensor,
    *,
    top_k: int = 0,
    indices: torch.Tensor | None = None,
    temperature: float = 1.0,
    compute_dtype: torch.dtype | None = None,
    chunk_elements: int = CHUNK_ELEMENTS,
) -> HeadStats:
    """Reduce the distributions softmax(hidden·weightᵀ / temperature).

    Args:
        hidden: (N, H), the inputs of the language model's head.
        weight: (V, H), the head's weight.
        token_ids: (N,) int64, the tokens whose log-probs are asked for.
        top_k: How many of the most probable tokens to take one by one.
        indices: (N, K) int64: take these instead.
        temperature: Divides the logits.
        compute_dtype: Of the matrix products; None: that of `hidden`. Everything else is float32, or float64 if
            `hidden` is.
        chunk_elements: At most so many logits exist at the same time, but those of one position at least. Of their
            gradients, `CHUNKS_PER_PRODUCT` times as many may, in `compute_dtype`.

    Returns:
        Numbers with gradients to `hidden` and `weight`.
    """
    dtype = compute_dtype or hidden.dtype
    if indices is None:
        indices = hidden.new_empty((len(hidden), min(top_k, len(weight))), dtype=torch.int64)
        choose = indices.shape[1] > 0
    else:
        choose = False
    rows = max(1, chunk_elements // len(weight))
    return HeadStats(*_Head.apply(hidden, weight, token_ids, indices, choose, temperature, dtype, rows))


def stats_from_logits(
    logits: torch.Tensor,
    token_ids: torch.Tensor,
    *,
    top_k: int = 0,
    indices: torch.Tensor | None = None,
    temperature: float = 1.0,
) -> HeadStats:
    """The same numbers from logits (N, V), for models whose logits are not a plain product of hidden states."""
    logprobs = (logits.float() if logits.dtype.itemsize < 4 else logits).div(temperature).log_softmax(-1)
    with torch.no_grad():
        if indices is None:
            indices = logprobs.topk(min(top_k, logprobs.shape[-1]), dim=-1).indices
        entropy = -torch.where(logprobs > -torch.inf, logprobs.exp() * logprobs, 0.0).sum(-1)
    tail = logprobs.scatter(-1, indices, -torch.inf).logsumexp(-1)
    chosen = logprobs.gather(-1, token_ids[:, None]).squeeze(-1)
    return HeadStats(chosen, logprobs.gather(-1, indices), tail, entropy, indices)


class _Head(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, token_ids, indices, choose, temperature, dtype, rows):
        count, top_k = indices.shape
        wide = torch.promote_types(hidden.dtype, torch.float32)
        logprobs, tail, tail_total, entropy = (hidden.new_empty(count, dtype=wide) for _ in range(4))
        top = hidden.new_empty((count, top_k), dtype=wide)
        indices = indices.clone() if choose else indices
        keep_mean = hidden.requires_grad and not weight.requires_grad
        mean_row = torch.empty_like(hidden, dtype=wide) if keep_mean else None
        matrix = weight.to(dtype)
        for part in _parts(count, rows):
            logits = _logits(hidden[part], matrix, temperature, wide)
            if choose:
                torch.topk(logits, top_k, dim=-1, out=(top[part], indices[part]))
            else:
                top[part] = logits.gather(-1, indices[part])
            logprobs[part] = logits.gather(-1, token_ids[part, None]).squeeze(-1)
            # The tail's probabilities but for a factor, 1 / mass.
            logits.scatter_(-1, indices[part], torch.finfo(wide).min)
            largest = logits.amax(-1, keepdim=True)
            masses = (logits - largest).exp_()
            mass = masses.sum(-1)
            if top_k == len(weight):  # there is no tail
                masses.zero_()
                tail_total[part] = -torch.inf
            else:
                tail_total[part] = largest.squeeze(-1) + mass.log()
            total = torch.cat([top[part], tail_total[part, None]], dim=-1).logsumexp(-1)
            logprobs[part] -= total
            top[part] -= total[:, None]
            tail[part] = tail_total[part] - total
            if mean_row is not None:
                mean_row[part] = (masses.to(dtype) @ matrix).to(wide) / mass[:, None]
            # H = −Σ_S p·log p − p_⊥·(Σ q·z − log Σ exp z)
            surprise = total - logits.mul_(masses).sum(-1) / mass
            entropy[part] = tail[part].exp() * surprise - torch.linalg.vecdot(top[part].exp(), top[part])
        ctx.save_for_backward(hidden, weight, token_ids, indices, top, tail, tail_total, mean_row)
        ctx.temperature, ctx.dtype, ctx.rows = temperature, dtype, rows
        ctx.mark_non_differentiable(entropy, indices)
        return logprobs, top, tail, entropy, indices

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, from_logprobs, from_top, from_tail, _entropy, _indices):
        hidden, weight, token_ids, indices, top, tail, tail_total, mean_row = ctx.saved_tensors
        all_of_them = from_logprobs + from_top.sum(-1) + from_tail
        to_top = (from_top - all_of_them[:, None] * top.exp()) / ctx.temperature
        to_tail = (from_tail - all_of_them * tail.exp()) / ctx.temperature
        to_token = from_logprobs / ctx.temperature
        if mean_row is not None:
            gradient = to_tail[:, None] * mean_row + to_token[:, None] * weight[token_ids]
            for k in range(indices.shape[1]):  # one at a time: (N, K, H) would be as large as what is avoided here
                gradient += to_top[:, k, None] * weight[indices[:, k]]
            return gradient.to(hidden.dtype), *[None] * 7
        hidden_gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        weight_gradient = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        matrix = weight.to(ctx.dtype)
        is_token = indices == token_ids[:, None]  # (N, K)
        for chunks in _parts(len(hidden), CHUNKS_PER_PRODUCT * ctx.rows):
            changes = hidden.new_empty((len(hidden[chunks]), len(weight)), dtype=ctx.dtype)
            for chunk in _parts(len(changes), ctx.rows):
                part = slice(chunks.start + chunk.start, chunks.start + chunk.stop)
                logits = _logits(hidden[part], matrix, ctx.temperature, top.dtype)
                shares = logits.sub_(tail_total[part, None]).exp_()  # q; whatever at S
                # Rounded to `dtype` when all is added up, as the sampled token's terms may nearly cancel.
                in_tail = to_tail[part] * shares.gather(-1, token_ids[part, None]).squeeze(-1)
                in_top = (to_top[part] * is_token[part]).sum(-1)
                at_token = to_token[part] + torch.where(is_token[part].any(-1), in_top, in_tail)
                change = torch.mul(shares, to_tail[part, None], out=changes[chunk])
                change.scatter_(-1, indices[part], to_top[part].to(ctx.dtype))
                change.scatter_(-1, token_ids[part, None], at_token[:, None].to(ctx.dtype))
            if hidden_gradient is not None:
                hidden_gradient[chunks] = (changes @ matrix).to(hidden.dtype)
            if weight_gradient is not None:
                inputs = hidden[chunks].to(ctx.dtype)
                for rows in _parts(len(weight), WEIGHT_ROWS):
                    weight_gradient[rows] += changes[:, rows].T @ inputs
        return hidden_gradient, weight_gradient, *[None] * 6


def _parts(count: int, rows: int) -> list[slice]:
    return [slice(first, min(first + rows, count)) for first in range(0, count, rows)]


def _logits(hidden: torch.Tensor, matrix: torch.Tensor, temperature: float, wide: torch.dtype) -> torch.Tensor:
    logits = (hidden.to(matrix.dtype) @ matrix.T).to(wide)
    return logits.div_(temperature) if temperature != 1.0 else logits
