"""A policy: a causal language model, its tokenizer, and how chats become token ids."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from jinja2 import TemplateError
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from agents.errors import UsageError, first_line
from agents.policy.prompt_cache import CopiedPrompts, PromptCache, RecordedPrompts, SharedPrompts
from agents.policy.tree_rows import tree_rows
from sdpo_gym.tasks import Message

Precision = Literal["auto", "bf16", "fp32"]

LARGEST_ROUNDING = 2e-3
"""Nats per token by which log-probs may differ on average where the same is computed in another way."""

LARGEST_ROUNDING_4BIT = 0.1
"""The same for layers of 4 bits, which may compute in bf16 even without autocast."""

_REPLY = "\u241freply\u241f"  # stands for a reply while the chat template is rendered around it


@dataclass
class Policy:
    """A language model with float32 weights, computing in `compute_dtype` by autocast. Dropout is always off."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    compute_dtype: torch.dtype
    stop_ids: frozenset[int]
    """Tokens that end a response."""

    checkpointed: bool = False
    """Whether layers compute their activations again for the backward pass."""

    sharded: bool = False
    """Whether the weights are divided among processes."""

    template_args: Mapping[str, Any] = field(default_factory=dict)
    """What the chat template is told besides the chat."""

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def pad_id(self) -> int:
        """A token to fill up rows with; always masked out."""
        pad = self.tokenizer.pad_token_id
        # One that was added to the tokenizer alone is none that the model could read.
        return pad if pad in range(self.model.get_input_embeddings().weight.shape[0]) else min(self.stop_ids)

    @property
    def context_length(self) -> int:
        """The most tokens, prompt and response together, that the model takes.

        With LongRoPE, those for which it has one set of factors: beyond, a token's probability depends on how long the
        longest row beside it is.
        """
        config = self.model.config.get_text_config()
        rope = getattr(config, "rope_parameters", None) or {}
        if rope.get("rope_type") == "longrope":
            return rope["original_max_position_embeddings"]
        return getattr(config, "max_position_embeddings", None) or 1 << 30

    @functools.cached_property
    def head_is_plain(self) -> bool:
        """Whether logits are hidden states times the output embeddings' weight, and nothing else; tried out."""
        head = self.model.get_output_embeddings()
        if not isinstance(head, torch.nn.Linear) or head.bias is not None:
            return False
        ids = torch.tensor([[self.pad_id, min(self.stop_ids)]], device=self.device)
        with torch.no_grad():
            hidden = self.model.get_decoder()(input_ids=ids).last_hidden_state
            return torch.allclose(head(hidden), self.model(input_ids=ids).logits, rtol=1e-3, atol=1e-3)

    @functools.cached_property
    def takes_tree_rows(self) -> bool:
        """Whether the model lets a mask say which token reads which, and positions say where it stands; tried out.

        Recurrent layers and windows do not, nor do attention kernels that take no mask of truth values.
        """
        config = self.model.config.get_text_config()
        kinds = set(getattr(config, "layer_types", None) or ())
        if kinds - {"full_attention"} or (not kinds and getattr(config, "sliding_window", None)):
            return False
        prompt, continuations = (self.pad_id, *sorted(self.stop_ids)), [[1, 2, 3], [2, 0]]
        tree = tree_rows([prompt] * 2, continuations, [prompt] * 2, self.pad_id, self.device)
        decoder = self.model.get_decoder()
        try:
            with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
                together = decoder(
                    input_ids=tree.ids, attention_mask=tree.mask, position_ids=tree.positions, use_cache=False
                ).last_hidden_state[tree.rows, tree.places]
                alone = [
                    decoder(input_ids=torch.tensor([[*prompt, *ids]], device=self.device)).last_hidden_state[0]
                    for ids in continuations
                ]
        except (RuntimeError, TypeError, ValueError, IndexError):
            return False
        return torch.allclose(together, torch.cat([states[len(prompt) - 1 : -1] for states in alone]), 1e-3, 1e-3)

    @functools.cached_property
    def shares_prompts(self) -> bool:
        """Whether rows may share the keys and values of a prompt while they are sampled; tried out.

        Not on a GPU, where that is slower.
        """
        return self.device.type == "cpu" and self.takes_tree_rows and self._samples_right(SharedPrompts)

    @functools.cached_property
    def replays_passes(self) -> bool:
        """Whether a GPU can record the pass of a token in sampling and replay it for the next ones; tried out."""
        return self.device.type == "cuda" and self.takes_tree_rows and self._samples_right(RecordedPrompts)

    @functools.cached_property
    def samples_from_cache(self) -> bool:
        """Whether rows can be sampled token by token after a cache of their prompts; tried out.

        Some recurrent models forget it, or remember the padding.
        """
        return self.shares_prompts or self.replays_passes or self._samples_right(CopiedPrompts)

    @functools.cached_property
    def reads_from_cache(self) -> bool:
        """Whether continuations can be read at once after a cache of their prompts, gradients included; tried out.

        Recurrent layers change their state in place, so that there may be no backward pass.
        """

        def read(cache: DynamicCache, mask: torch.Tensor, prompt_of: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
            cache.reorder_cache(prompt_of)
            whole = torch.cat([mask[prompt_of], torch.ones_like(rows)], dim=-1)
            places = positions(whole)[:, -rows.shape[1] :]
            output = self.model(rows, attention_mask=whole, position_ids=places, past_key_values=cache, use_cache=True)
            return output.logits[:, -1]

        return self._continues_right(read) and not any(
            hasattr(layer, "recurrent_states") for layer in DynamicCache(config=self.model.config).layers
        )

    def _samples_right(self, kind: Callable[[DynamicCache, torch.Tensor, torch.Tensor], PromptCache]) -> bool:
        def read(cache: DynamicCache, mask: torch.Tensor, prompt_of: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
            context = kind(cache, mask, prompt_of)
            return [context.read(self.model, tokens) for tokens in rows.T][-1]

        return self._continues_right(read)

    def _continues_right(
        self, read: Callable[[DynamicCache, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    ) -> bool:
        """Whether a way of reading rows (R, T) after prompts in a cache gives the logits (R, V) at their end that they
        have by themselves.

        Args:
            read: Takes the cache, the prompts' mask (prompts, P), the prompt of each row (R,), and the rows.
        """
        prompts, rows = [list(range(10)), [1, 2]], [[1, 2, 1, 4], [3, 0, 2, 5], [2, 2, 3, 6]]
        prompt_of = torch.tensor([0, 1, 0], device=self.device)
        ids, mask = left_padded(prompts, self.pad_id, self.device)
        try:
            with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
                cache = DynamicCache(config=self.model.config)
                self.model(
                    ids, attention_mask=mask, position_ids=positions(mask), past_key_values=cache, use_cache=True
                )
                together = read(cache, mask, prompt_of, torch.tensor(rows, device=self.device))
                alone = [
                    self.model(torch.tensor([prompts[prompt] + row], device=self.device)).logits[0, -1]
                    for prompt, row in zip(prompt_of.tolist(), rows, strict=True)
                ]
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError):
            return False
        difference = together.float().log_softmax(-1) - torch.stack(alone).float().log_softmax(-1)
        four_bits = getattr(self.model, "is_loaded_in_4bit", False)
        return float(difference.abs().mean()) <= (LARGEST_ROUNDING_4BIT if four_bits else LARGEST_ROUNDING)

    def try_out(self) -> None:
        """Find out now what the model can do: without autocast, and while all of its weights are at hand."""
        _ = self.head_is_plain, self.takes_tree_rows, self.shares_prompts, self.replays_passes
        _ = self.samples_from_cache, self.reads_from_cache

    def autocast(self) -> contextlib.AbstractContextManager:
        if self.compute_dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.compute_dtype)

    def render(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of the chat, followed by the header of the assistant's turn.

        Raises:
            UsageError: the model's chat template refuses the chat, such as one with a system message.
        """
        return self._apply_template(messages, return_dict=True)["input_ids"]

    def render_continuation(self, reply: Message, response_ids: Sequence[int]) -> list[int]:
        """Token ids that follow a sampled response when `reply` is the user's next message.

        The response's own tokens are kept as they were sampled; only what the chat template puts after them (the end of
        the turn, unless sampled, the reply and the assistant's header) is tokenised.

        Raises:
            UsageError: see `render`; or the template leaves out what the assistant said before.
        """
        # Some templates refuse empty messages.
        chat = [{"role": "user", "content": "."}, {"role": "assistant", "content": _REPLY}, reply]
        _, said, after = self._apply_template(chat, tokenize=False).partition(_REPLY)
        if not said:
            raise UsageError(
                "the model's chat template leaves out the assistant's earlier messages, so that episodes of several "
                "turns are not possible. Take another model, or an option of the environment (--env-arg) that ends "
                "episodes after one turn"
            )
        ids = self.tokenizer(after, add_special_tokens=False)["input_ids"]
        if response_ids and response_ids[-1] in self.stop_ids and ids and ids[0] == response_ids[-1]:
            return ids[1:]
        return ids

    def _apply_template(self, messages: Sequence[Message], **options: bool) -> Any:
        chat = [dict(message) for message in messages]
        try:
            return self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, **options, **self.template_args)
        except TemplateError as error:
            roles = ", ".join(dict.fromkeys(message["role"] for message in chat))
            raise UsageError(
                f"the model's chat template refuses a chat of the roles {roles}: {first_line(error)}. Take another "
                "model, or an option of the environment (--env-arg) that gives chats of other roles"
            ) from error

    def decode(self, response_ids: Sequence[int]) -> str:
        return self.tokenizer.decode(list(response_ids), skip_special_tokens=True)

    def save(self, folder: Path, weights: dict[str, torch.Tensor] | None = None) -> None:
        """Write weights and tokenizer in the layout of `from_pretrained`.

        Args:
            weights: By name; by default the model's.
        """
        self.model.save_pretrained(folder, state_dict=weights)
        self.tokenizer.save_pretrained(folder)


def left_padded(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack rows of token ids so that they end together: ids and attention mask, both (B, longest row)."""
    longest = max(len(row) for row in rows)
    ids = [[pad_id] * (longest - len(row)) + list(row) for row in rows]
    mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def right_padded(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack rows of token ids so that they begin together: ids and attention mask, both (B, longest row)."""
    longest = max(len(row) for row in rows)
    ids = [list(row) + [pad_id] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def positions(mask: torch.Tensor) -> torch.Tensor:
    """Position ids (B, T) that count a row's own tokens from 0."""
    return (mask.cumsum(-1) - 1).clamp_min(0)
