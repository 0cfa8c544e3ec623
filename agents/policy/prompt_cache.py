"""Keys and values of prompts while responses to them are sampled: read once, shared or copied by a prompt's rows."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from agents.policy.attention import SHARED_PROMPTS

FIRST_CAPACITY = 32

RECORDED_CAPACITY = 128
"""Tokens for which a row has room at first: `SharedPrompts`, `RecordedPrompts`."""

MASK_ALIGNMENT = 16
"""Attention kernels on a GPU copy masks whose rows' lengths are no multiples of this."""


class PromptCache(Protocol):
    """Prompts, and the rows that continue them, all by equally many tokens."""

    worth_keeping: float
    """Rows are dropped when at most this share of them goes on: it costs something each time."""

    def read(self, model: PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
        """Append a token (R,) to every row; logits (R, V) of the next one, to be used before the next call."""
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

    worth_keeping = 0.75

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
        self._cache.reorder_cache(rows)
        self._mask = self._mask[rows]


class RecordedPrompts(Cache):
    """As `CopiedPrompts`, with the pass of a token recorded as a CUDA graph, and then replayed for the next ones.

    A GPU waits for Python otherwise: a pass of a small model takes longer to ask for than to compute. The first pass
    after tensors have moved computes as ever, the second is recorded. The weights must stay where they are in memory
    meanwhile. Takes a model of which `Policy.replays_passes` is true.
    """

    worth_keeping = 0.25

    def __init__(self, prompts: DynamicCache, mask: torch.Tensor, prompt_of: torch.Tensor) -> None:
        self._prompt_length = self._length = mask.shape[1]
        self._place = torch.tensor([self._length], device=mask.device)  # of the next token
        self._mask = mask.bool()[prompt_of][:, None, None]
        self._positions = mask.sum(-1, keepdim=True)[prompt_of]
        super().__init__(layers=[_RoomyLayer(layer, prompt_of, self._place) for layer in prompts.layers])
        self._make_room()

    def read(self, model: PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
        if self._length == self._mask.shape[-1]:
            self._make_room()
        self._length += 1
        self._tokens.copy_(tokens[:, None])
        if self._graph is None and self._warm and tokens.is_cuda:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._logits = self._append(model)
        if self._graph is None:
            self._logits, self._warm = self._append(model), True
        else:
            self._graph.replay()
        return self._logits

    def keep(self, rows: torch.Tensor) -> None:
        self._mask, self._positions = self._mask[rows], self._positions[rows]
        for layer in self.layers:
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]
        self._forget()

    def _make_room(self) -> None:
        """For twice as many tokens as have been appended, or the first ones."""
        capacity = self._length + max(RECORDED_CAPACITY, self._length - self._prompt_length)
        more = -(-capacity // MASK_ALIGNMENT) * MASK_ALIGNMENT - self._length
        self._mask = torch.nn.functional.pad(self._mask, (0, more))
        for layer in self.layers:
            layer.keys, layer.values = (
                torch.nn.functional.pad(held, (0, 0, 0, more)) for held in (layer.keys, layer.values)
            )
        self._forget()

    def _forget(self) -> None:
        self._tokens = torch.zeros_like(self._positions)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._logits: torch.Tensor | None = None
        self._warm = False

    def _append(self, model: PreTrainedModel) -> torch.Tensor:
        self._mask.index_fill_(-1, self._place, True)
        logits = model(
            input_ids=self._tokens,
            attention_mask=self._mask,
            position_ids=self._positions,
            past_key_values=self,
            use_cache=True,
        ).logits[:, -1]
        self._place += 1
        self._positions += 1
        return logits


class _RoomyLayer(DynamicLayer):
    """One layer's keys and values (R, key heads, capacity, D), in the values' precision; none yet from `place` on."""

    def __init__(self, prompts: DynamicLayer, prompt_of: torch.Tensor, place: torch.Tensor) -> None:
        super().__init__()
        self.keys = prompts.keys.to(prompts.values.dtype)[prompt_of]
        self.values = prompts.values[prompt_of]
        self._place = place
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys.index_copy_(2, self._place, key_states.to(self.keys.dtype))
        self.values.index_copy_(2, self._place, value_states.to(self.values.dtype))
        return self.keys, self.values


class SharedPrompts(Cache):
    """All rows of a prompt read the same keys and values of it, and have only those of their own tokens to themselves.

    A row's attention to its prompt and to its own tokens is computed apart, that to the prompt for all of the prompt's
    rows in one product, and joined by the logarithms of their normalisers. Takes a model of which
    `Policy.shares_prompts` is true. Arguments as of `CopiedPrompts`.
    """

    worth_keeping = 0.75

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
