"""Sampling with the policy's own transformers model: a prompt is read once for its group."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import DynamicCache

from agents.errors import UsageError
from agents.policy.lora import adapters_merged
from agents.policy.policy import Policy, left_padded, positions
from agents.policy.prompt_cache import CopiedPrompts, PromptCache, RecordedPrompts, SharedPrompts
from agents.sampling.engine import Response, SamplingParameters


class TransformersEngine:
    """Samples from a `Policy` in this process.

    Args:
        policy: Whose weights are used, as they are at each call.
        max_rows: Most responses that are drawn at the same time; it bounds the key-value cache. Larger groups are drawn
            in parts, each of which reads the prompt.

    Raises:
        UsageError: the model cannot be sampled from in this way.
    """

    def __init__(self, policy: Policy, max_rows: int = 64):
        if not policy.samples_from_cache:
            raise UsageError(
                f"a model of the type {policy.model.config.model_type!r} cannot be sampled from with --engine "
                "transformers: tried out, it did not go on after prompts in a cache as it does after the same prompts "
                "without one. Take --engine vllm-server, or another model"
            )
        self.policy = policy
        self.max_rows = max_rows

    @torch.no_grad()
    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        group_size: int,
        parameters: SamplingParameters,
        seeds: Sequence[int],
    ) -> list[list[Response]]:
        responses: list[list[Response]] = []
        prompts_at_once = max(1, self.max_rows // group_size)
        with self.policy.autocast(), adapters_merged(self.policy):  # once: weights are cast and merged here
            for start in range(0, len(prompts), prompts_at_once):
                batch = slice(start, start + prompts_at_once)
                # Drawn for whole groups, so that their division changes no draw.
                uniform = uniform_numbers(seeds[batch], group_size, parameters.max_new_tokens)
                rows = [tuple(prompt) for prompt in prompts[batch] for _ in range(group_size)]
                flat = []
                for first in range(0, len(rows), self.max_rows):  # several times where a group alone has more rows
                    part = slice(first, first + self.max_rows)
                    flat += self._sample_rows(rows[part], uniform[part].to(self.policy.device), parameters)
                responses += [flat[i : i + group_size] for i in range(0, len(flat), group_size)]
        return responses

    def sync(self) -> None:
        """The weights are the policy's own."""

    def close(self) -> None:
        """Nothing is held between calls."""

    def _sample_rows(
        self, prompts: Sequence[tuple[int, ...]], uniform: torch.Tensor, parameters: SamplingParameters
    ) -> list[Response]:
        """A response to each of R prompts; equal ones are read once.

        Args:
            uniform: (R, `max_new_tokens`) random numbers in [0, 1), float64.
        """
        policy = self.policy
        distinct = list(dict.fromkeys(prompts))
        place = {prompt: i for i, prompt in enumerate(distinct)}
        expand = torch.tensor([place[prompt] for prompt in prompts], device=policy.device)  # (R,)
        ids, mask = left_padded(distinct, policy.pad_id, policy.device)  # (distinct prompts, P)
        cache = DynamicCache(config=policy.model.config)
        output = policy.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions(mask),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = output.logits[expand, -1]  # (R, V)
        context = _prompt_cache(policy)(cache, mask, expand)

        count = len(expand)
        token_ids: list[list[int]] = [[] for _ in range(count)]
        logprobs: list[list[float]] = [[] for _ in range(count)]
        stop = torch.tensor(sorted(policy.stop_ids), device=policy.device)
        rows = torch.arange(count, device=policy.device)  # which response each row of the cache belongs to
        running = torch.ones(count, dtype=torch.bool, device=policy.device)  # (rows of the cache,)
        for position in range(parameters.max_new_tokens):
            tokens, token_logprobs = draw(logits.float(), parameters, uniform[rows, position])
            for row, token, logprob, alive in zip(
                rows.tolist(), tokens.tolist(), token_logprobs.tolist(), running.tolist(), strict=True
            ):
                if alive:
                    token_ids[row].append(token)
                    logprobs[row].append(logprob)
            running &= ~torch.isin(tokens, stop)
            alive = int(running.sum())
            if alive == 0 or position == parameters.max_new_tokens - 1:
                break
            if alive <= context.worth_keeping * len(running):
                kept = running.nonzero().squeeze(-1)
                context.keep(kept)
                tokens, rows, running = tokens[kept], rows[kept], running[kept]
            logits = context.read(policy.model, tokens)
        return [
            Response(ids, logs, truncated=ids[-1] not in policy.stop_ids)
            for ids, logs in zip(token_ids, logprobs, strict=True)
        ]


def _prompt_cache(policy: Policy) -> Callable[[DynamicCache, torch.Tensor, torch.Tensor], PromptCache]:
    if policy.replays_passes and not policy.sharded:
        return RecordedPrompts
    return SharedPrompts if policy.shares_prompts else CopiedPrompts


def uniform_numbers(seeds: Sequence[int], group_size: int, count: int) -> torch.Tensor:
    """Numbers (prompts · group_size, count) in [0, 1), float64; those of a prompt depend on its seed alone."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.cat([torch.rand(group_size, count, dtype=torch.float64, generator=g) for g in generators])


def draw(
    logits: torch.Tensor, parameters: SamplingParameters, uniform: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw one token per row of `logits` (B, V), float32, by inverting the distribution function.

    Args:
        uniform: (B,) random numbers in [0, 1), float64.

    Returns:
        Token ids (B,) int64 and their log-probs (B,) float32 after temperature and top-p.
    """
    logprobs = torch.log_softmax(logits / parameters.temperature, dim=-1)
    if parameters.top_p < 1.0:
        ordered, order = logprobs.sort(dim=-1, descending=True)
        mass_before = ordered.exp().cumsum(-1) - ordered.exp()
        ordered = ordered.masked_fill(mass_before >= parameters.top_p, -torch.inf)
        logprobs = torch.full_like(logprobs, -torch.inf).scatter(-1, order, ordered).log_softmax(-1)
    # torch.multinomial draws a random number per vocabulary entry, which on a CPU takes a fifth of the whole sampling
    # time of a small model.
    cumulative = logprobs.exp().cumsum(-1, dtype=torch.float64)  # (B, V)
    tokens = torch.searchsorted(cumulative, uniform[:, None] * cumulative[:, -1:], right=True)  # (B, 1)
    tokens = tokens.clamp_max(logits.shape[-1] - 1)
    return tokens.squeeze(-1), logprobs.gather(-1, tokens).squeeze(-1)
