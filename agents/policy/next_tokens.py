"""The next-token distributions at the tokens of responses, under a policy's current weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from agents.policy.head import HeadStats, head_stats, stats_from_logits
from agents.policy.policy import Policy, left_padded, positions, right_padded


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
) -> NextTokens:
    """Read continuations after prompts.

    Rows with equal prompts share one forward pass of the prompt: its keys and values are computed once (gradients
    included) and repeated for the rows.

    Args:
        prompts: One list of token ids per row.
        continuations: What follows each prompt; at least one token each.
        mask: (sum of the continuations' lengths,) bool: which of their tokens are wanted, rows one after another. None:
            all of them.
        temperature: Divides the logits.

    Returns:
        For each token that is wanted, the distribution from which it was, or could have been, drawn.
    """
    model = policy.model

    def read_hidden(last: bool, **inputs) -> torch.Tensor:
        hidden = model.get_decoder()(**inputs).last_hidden_state
        return hidden[:, -1:] if last else hidden

    def read_logits(last: bool, **inputs) -> torch.Tensor:
        return model(**inputs, logits_to_keep=int(last)).logits  # 0 keeps all

    states = _read(policy, prompts, continuations, read_hidden if policy.head_is_plain else read_logits)
    weight = model.get_output_embeddings().weight if policy.head_is_plain else None
    if weight is not None and not torch.is_grad_enabled():
        weight = weight.detach()  # these weights, whatever the model is lent later
    if mask is not None and not bool(mask.all()):
        states = states[mask]
    return NextTokens(states, weight, temperature, policy.compute_dtype)


def _read(
    policy: Policy,
    prompts: Sequence[Sequence[int]],
    continuations: Sequence[Sequence[int]],
    forward: Callable[..., torch.Tensor],
) -> torch.Tensor:
    """Outputs (N, ·) of `forward` at the positions in front of the continuations' tokens, rows one after another.

    Args:
        forward: Takes whether only the last position's output is wanted, and what the model takes.
    """
    distinct = list(dict.fromkeys(tuple(prompt) for prompt in prompts))
    prompt_of_row = [distinct.index(tuple(prompt)) for prompt in prompts]
    lengths = [len(continuation) for continuation in continuations]
    prompt_ids, prompt_mask = left_padded(distinct, policy.pad_id, policy.device)  # (U, P)
    expand = torch.tensor(prompt_of_row, device=policy.device)  # (R,)
    with policy.autocast():
        cache = DynamicCache(config=policy.model.config)
        first = forward(
            True,
            input_ids=prompt_ids,
            attention_mask=prompt_mask,
            position_ids=positions(prompt_mask),
            past_key_values=cache,
            use_cache=True,
        )[expand]  # (R, 1, ·)
        if max(lengths) == 1:
            return first.squeeze(1)
        cache.batch_select_indices(expand)
        # The last token of a continuation predicts nothing that is asked for.
        ids, mask = right_padded([row[:-1] for row in continuations], policy.pad_id, policy.device)  # (R, T − 1)
        mask = torch.cat([prompt_mask[expand], mask], dim=-1)
        rest = forward(
            False,
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions(mask)[:, -ids.shape[1] :],
            past_key_values=cache,
            use_cache=True,
        )  # (R, T − 1, ·)
    return torch.cat([torch.cat([first[i], rest[i, : length - 1]]) for i, length in enumerate(lengths)])
