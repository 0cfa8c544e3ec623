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
"""Logits that exist at the same time; two float32 arrays of this size do."""

CHUNKS_PER_PRODUCT = 4
"""Chunks whose gradients, in the precision of the matrix products, wait for each other: each addition to the gradient
of the weight reads and writes all of it."""

GPU_CHUNK_ELEMENTS, GPU_CHUNKS_PER_PRODUCT = 1 << 25, 2
"""The same on a GPU, which waits for each call."""

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
    chunk_elements: int | None = None,
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
            gradients, `CHUNKS_PER_PRODUCT` times as many may, in `compute_dtype`. None: `CHUNK_ELEMENTS`, or a
            GPU's.

    Returns:
        Numbers with gradients to `hidden` and `weight`.
    """
    dtype = compute_dtype or hidden.dtype
    if indices is None:
        indices = hidden.new_empty((len(hidden), min(top_k, len(weight))), dtype=torch.int64)
        choose = indices.shape[1] > 0
    else:
        choose = False
    elements, chunks = CHUNK_ELEMENTS, CHUNKS_PER_PRODUCT
    if hidden.is_cuda:
        elements, chunks = GPU_CHUNK_ELEMENTS, GPU_CHUNKS_PER_PRODUCT
    rows = max(1, (elements if chunk_elements is None else chunk_elements) // len(weight))
    return HeadStats(*_Head.apply(hidden, weight, token_ids, indices, choose, temperature, dtype, rows, chunks))


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
    def forward(ctx, hidden, weight, token_ids, indices, choose, temperature, dtype, rows, chunks):
        count, top_k = indices.shape
        wide = torch.promote_types(hidden.dtype, torch.float32)
        logprobs, tail_total, tail_mean = (hidden.new_empty(count, dtype=wide) for _ in range(3))
        top = hidden.new_empty((count, top_k), dtype=wide)
        indices = indices.clone() if choose else indices
        keep_mean = hidden.requires_grad and not weight.requires_grad
        mean_row = torch.empty_like(hidden, dtype=wide) if keep_mean else None
        matrix = weight.to(dtype)
        shape = (min(rows, count), len(weight))
        product, masses = hidden.new_empty(shape, dtype=dtype), hidden.new_empty(shape, dtype=wide)
        logits = product if dtype == wide else torch.empty_like(masses)
        for part in _parts(count, rows):
            product, logits, masses = (array[: part.stop - part.start] for array in (product, logits, masses))
            _fill(product, logits, hidden[part].to(dtype), matrix, temperature)
            if choose:
                indices[part] = product.topk(top_k, dim=-1).indices
            top[part] = logits.gather(-1, indices[part])
            logprobs[part] = logits.gather(-1, token_ids[part, None]).squeeze(-1)
            # The tail's probabilities but for a factor, 1 / mass.
            logits.scatter_(-1, indices[part], torch.finfo(wide).min)
            largest = logits.amax(-1, keepdim=True)
            mass = torch.sub(logits, largest, out=masses).exp_().sum(-1, keepdim=True)
            tail_total[part] = (largest + mass.log()).squeeze(-1)
            tail_mean[part] = (logits.mul_(masses).sum(-1, keepdim=True) / mass).squeeze(-1)
            if mean_row is not None:
                mean_row[part] = product.copy_(masses) @ matrix / mass
        if top_k == len(weight):  # there is no tail
            tail_total.fill_(-torch.inf)
        total = torch.cat([top, tail_total[:, None]], dim=-1).logsumexp(-1)
        logprobs -= total
        top -= total[:, None]
        tail = tail_total - total
        # H = −Σ_S p·log p − p_⊥·(Σ q·z − log Σ exp z)
        entropy = -torch.linalg.vecdot(top.exp(), top)
        if top_k < len(weight):
            entropy += tail.exp() * (total - tail_mean)
        ctx.save_for_backward(hidden, weight, token_ids, indices, logprobs, top, tail, tail_total, mean_row)
        ctx.temperature, ctx.dtype, ctx.rows, ctx.chunks = temperature, dtype, rows, chunks
        ctx.mark_non_differentiable(entropy, indices)
        return logprobs, top, tail, entropy, indices

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, from_logprobs, from_top, from_tail, _entropy, _indices):
        hidden, weight, token_ids, indices, logprobs, top, tail, tail_total, mean_row = ctx.saved_tensors
        all_of_them = from_logprobs + from_top.sum(-1) + from_tail
        to_top = (from_top - all_of_them[:, None] * top.exp()) / ctx.temperature
        to_tail = (from_tail - all_of_them * tail.exp()) / ctx.temperature
        to_token = from_logprobs / ctx.temperature
        if mean_row is not None:
            gradient = to_tail[:, None] * mean_row + to_token[:, None] * weight[token_ids]
            # A few positions at a time: (N, K, H) would be as large as what is avoided here.
            few = max(1, ctx.rows * len(weight) // (hidden.shape[1] * max(1, indices.shape[1])))
            for part in _parts(len(hidden), few):
                gradient[part] += (to_top[part, None] @ weight[indices[part]].to(top.dtype)).squeeze(1)
            return gradient.to(hidden.dtype), *[None] * 8
        # The sampled token's terms may nearly cancel: rounded to `dtype` when all is added up.
        is_token = indices == token_ids[:, None]  # (N, K)
        share = torch.where(is_token.any(-1), 0.0, (logprobs - tail).exp())
        to_token += to_tail * share + (to_top * is_token).sum(-1)
        to_token, to_top = to_token.to(ctx.dtype)[:, None], to_top.to(ctx.dtype)
        hidden_gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        weight_gradient = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        matrix = weight.to(ctx.dtype)
        in_place = ctx.dtype == top.dtype
        shares = hidden.new_empty((0 if in_place else min(ctx.rows, len(hidden)), len(weight)), dtype=top.dtype)
        for chunks in _parts(len(hidden), ctx.chunks * ctx.rows):
            inputs = hidden[chunks].to(ctx.dtype)
            changes = hidden.new_empty((len(inputs), len(weight)), dtype=ctx.dtype)
            for chunk in _parts(len(inputs), ctx.rows):
                part = slice(chunks.start + chunk.start, chunks.start + chunk.stop)
                change = changes[chunk]
                logits = change if in_place else shares[: len(change)]
                _fill(change, logits, inputs[chunk], matrix, ctx.temperature)
                logits.sub_(tail_total[part, None]).exp_()  # q; whatever at S
                torch.mul(logits, to_tail[part, None], out=change)
            position = torch.arange(len(inputs), device=inputs.device)[:, None]
            changes[position, indices[chunks]] = to_top[chunks]  # scatter_ would copy all of them on a CPU
            changes[position, token_ids[chunks, None]] = to_token[chunks]
            if hidden_gradient is not None:
                hidden_gradient[chunks] = (changes @ matrix).to(hidden.dtype)
            if weight_gradient is not None:
                for rows in _parts(len(weight), WEIGHT_ROWS):
                    weight_gradient[rows] += changes[:, rows].T @ inputs
        return hidden_gradient, weight_gradient, *[None] * 7


def _parts(count: int, rows: int) -> list[slice]:
    return [slice(first, min(first + rows, count)) for first in range(0, count, rows)]


def _fill(product: torch.Tensor, logits: torch.Tensor, inputs: torch.Tensor, matrix: torch.Tensor, temperature: float):
    """Logits of a few positions, by way of their product in the matrix's precision."""
    torch.mm(inputs, matrix.T, out=product)
    if logits.dtype != product.dtype:
        logits.copy_(product)
    if temperature != 1.0:
        logits.div_(temperature)
