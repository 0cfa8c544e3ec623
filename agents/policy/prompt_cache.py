"""Keys and values of prompts while responses to them are sampled: read once, shared or copied by a prompt's rows."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from agents.policy.attention import SHARED_PROMPTS

FIRST_CAPACITY = 32


class PromptCache(Protocol):
    """Prompts, and the rows that continue them, all by equally many tokens."""

    def read(self, model: PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
        """Append a token (R,) to every row; logits (R, V) of the next one."""
        ...

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows alone, (R',) int64."""
        ...


class CopiedPrompts:
    """Every row has the keys and values of its prompt to itself. Works with any model.

    Args:
        prompts: Keys and values of the distinct prompts, left-padded.
        mask: (prompts, P) which of them are no padding.
        prompt_of: (R,) int64, the prompt of each row; every prompt has one.
    """

    def __init__(self, prompts: DynamicCache, mask: torch.Tensor, prompt_of: torch.Tensor) -> None:
        self._cache, self._mask = prompts, mask
        self.keep(prompt_of)

    def read(self, model: PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=-1)
        return model(
            input_ids=tokens[:, None],
            attention_mask=self._mask,
            position_ids=self._mask.sum(-1, keepdim=True) - 1,
            past_key_values=self._cache,
            use_cache=True,
        ).logits[:, -1]

    def keep(self, rows: torch.Tensor) -> None:
        self._cache.batch_select_indices(rows)
        self._mask = self._mask[rows]


class SharedPrompts(Cache):
    """All rows of a prompt read the same keys and values of it, and have only those of their own tokens to themselves.

    A row's attention to its prompt and to its own tokens is computed apart, that to the prompt for all of the prompt's
    rows in one product, and joined by the logarithms of their normalisers. Takes a model of which
    `Policy.shares_prompts` is true. Arguments as of `CopiedPrompts`.
    """

    def __init__(self, prompts: DynamicCache, mask: torch.Tensor, prompt_of: torch.Tensor) -> None:
        super().__init__(layers=[_Layer(layer.keys, layer.values) for layer in prompts.layers])
        self._hidden = ~mask.bool()[:, None, None]
        self._prompt_of = prompt_of
        self._positions = mask.sum(-1)[prompt_of]
        self._arrange()

    def read(self, model: PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
        positions = self._positions[:, None]
        self._positions = self._positions + 1
        return model(
            input_ids=tokens[:, None],
            position_ids=positions,
            past_key_values=self,
            use_cache=True,
            **{SHARED_PROMPTS: self},
        ).logits[:, -1]

    def keep(self, rows: torch.Tensor) -> None:
        prompts, self._prompt_of = self._prompt_of[rows].unique(return_inverse=True)
        self._positions = self._positions[rows]
        for layer in self.layers:
            layer.keep(rows, prompts)
        self._hidden = self._hidden[prompts]
        self._arrange()

    def _arrange(self) -> None:
        """Place rows beside the others of their prompt: (prompts, most rows of one), filled up with the first row."""
        counts = self._prompt_of.bincount()
        rows = self._prompt_of.argsort(stable=True)
        prompts = self._prompt_of[rows]
        number = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[prompts]
        self._row_at = rows.new_zeros(len(counts), int(counts.max()))
        self._row_at[prompts, number] = rows
        self._place_of = torch.empty_like(rows)
        self._place_of[rows] = prompts * self._row_at.shape[1] + number

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None
    ) -> torch.Tensor:
        """Attention (R, 1, heads, D), in float32, of queries (R, heads, 1, D).

        Args:
            key: The rows' own, (R, key heads, T, D), the newest included; `value` likewise.
        """
        rows, heads, _, size = query.shape
        key_heads = key.shape[1]
        prompts, most = self._row_at.shape
        held = self.layers[layer]

        def by_row(together: torch.Tensor) -> torch.Tensor:
            """(prompts, key heads, most · heads of a key head, …) as (R, key heads, heads of a key head, …)."""
            apart = together.view(prompts, key_heads, most, heads // key_heads, -1)
            return apart.transpose(1, 2).flatten(0, 1)[self._place_of]

        with torch.autocast(query.device.type, enabled=False):
            query = query.float().view(rows, key_heads, heads // key_heads, size)
            query = query * (size**-0.5 if scaling is None else scaling)
            together = query[self._row_at].transpose(1, 2).reshape(prompts, key_heads, -1, size)
            scores = (together @ held.prompt_keys.transpose(-1, -2)).masked_fill_(self._hidden, -torch.inf)
            to_prompt, prompt_normaliser = map(by_row, _weighted_mean(scores, held.prompt_values))
            to_itself, own_normaliser = _weighted_mean(query @ key.transpose(-1, -2), value)
            result = torch.lerp(to_itself, to_prompt, torch.sigmoid(prompt_normaliser - own_normaliser))
        return result.view(rows, 1, heads, size)


class _Layer(DynamicLayer):
    """One layer's keys and values in float32: those of the prompts, and of the rows' tokens, with room for more."""

    def __init__(self, prompt_keys: torch.Tensor, prompt_values: torch.Tensor) -> None:
        super().__init__()
        self.prompt_keys, self.prompt_values = prompt_keys.float(), prompt_values.float()
        self._length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self._length == 0:
            rows, heads, _, size = key_states.shape
            self.keys, self.values = key_states.new_empty(2, rows, heads, FIRST_CAPACITY, size, dtype=torch.float32)
        elif self._length == self.keys.shape[2]:
            self.keys, self.values = (torch.cat([held, torch.empty_like(held)], 2) for held in (self.keys, self.values))
        self.keys[:, :, self._length] = key_states[:, :, 0]
        self.values[:, :, self._length] = value_states[:, :, 0]
        self._length += 1
        return self.keys[:, :, : self._length], self.values[:, :, : self._length]

    def keep(self, rows: torch.Tensor, prompts: torch.Tensor) -> None:
        if self._length:
            self.keys, self.values = self.keys[rows], self.values[rows]
        if len(prompts) < len(self.prompt_keys):
            self.prompt_keys, self.prompt_values = self.prompt_keys[prompts], self.prompt_values[prompts]

    def get_seq_length(self) -> int:
        return self.prompt_keys.shape[2] + self._length


def _weighted_mean(scores: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values (…, S, D) weighted by the softmax of scores (…, N, S), and its normaliser's logarithm, (…, N, 1)."""
    normaliser = scores.logsumexp(-1, keepdim=True)
    return (scores - normaliser).exp_() @ values, normaliser
