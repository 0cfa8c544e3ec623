"""Attention of single new tokens, where heads share keys and values, or rows those of a prompt."""

from __future__ import annotations

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "sdpa_grouped"

SHARED_PROMPTS = "shared_prompts"
"""Argument of the model that is handed on to the attention: the cache that computes it."""


def group_queries(model: PreTrainedModel) -> None:
    """Let the model sample faster: 1.6 times on a CPU where prompts are equal, so that nothing is masked.

    (With a mask, newer versions of transformers do the same.) Models without SDPA stay as they are.
    """
    if model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(NAME)


def grouped_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **options,
) -> tuple[torch.Tensor, None]:
    """Attention (B, T, heads, D) of queries (B, heads, T, D), as transformers calls it.

    With one token per row (T = 1), the heads that share a key head are looked at as so many tokens of that head. Keys
    and values (B, key heads, S, D) are then read as they are, not first repeated for every head. With `shared_prompts`
    (see `SharedPrompts`), keys and values are those of the rows' own tokens.
    """
    shared = options.get(SHARED_PROMPTS)
    if shared is not None:
        return shared.attend(module.layer_idx, query, key, value, scaling).to(query.dtype), None
    batch, heads, tokens, size = query.shape
    special = any(options.get(name) is not None for name in ("position_bias", "cache", "softcap"))
    if tokens > 1 or heads == key.shape[1] or special:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
    grouped = query.view(batch, key.shape[1], heads // key.shape[1], size)
    result = torch.nn.functional.scaled_dot_product_attention(
        grouped, key, value, attn_mask=attention_mask, scale=scaling
    )
    return result.reshape(batch, 1, heads, size), None


AttentionInterface.register(NAME, grouped_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
