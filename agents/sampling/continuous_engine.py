"""Sampling with transformers' continuous batching: a row that ends makes room for the next one at once."""

from __future__ import annotations

import contextlib
import copy
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, ContinuousBatchingConfig, GenerationConfig, PreTrainedModel

from agents.errors import UsageError, first_line
from agents.policy.attention import NAME as GROUPED
from agents.policy.lora import adapters_merged, merged_weights
from agents.policy.policy import Policy
from agents.runs.interrupt import held
from agents.runs.seeds import derived_seed
from agents.sampling.agreement import check_agreement
from agents.sampling.engine import Response, SamplingParameters

MOST_TOKENS = 2048
"""Most tokens in one forward pass; longer prompts are read in several."""


class ContinuousEngine:
    """Samples from a `Policy` in this process.

    The log-probs come from the sampling step itself. A policy that computes in bf16 does so by autocast, which the
    paged cache does not know: the engine then holds a bf16 copy of the weights.

    Args:
        policy: Whose weights are used.
        max_rows: Most responses that are drawn at the same time; it bounds the key-value cache.

    Raises:
        UsageError: transformers is too old for it, or does not compute with pages what the policy does.
    """

    def __init__(self, policy: Policy, max_rows: int = 64):
        if not hasattr(ContinuousBatchingConfig(), "page_size"):
            raise UsageError(f"--engine continuous needs transformers 5.19 or newer, not {transformers.__version__}")
        self.policy = policy
        self.max_rows = max_rows
        self._copy: PreTrainedModel | None = None
        if policy.compute_dtype != torch.float32:
            config = copy.deepcopy(policy.model.config)  # into which transformers writes
            with policy.device:
                self._copy = AutoModelForCausalLM.from_config(
                    config, dtype=policy.compute_dtype, attn_implementation="sdpa"
                ).eval()
            self.sync()
        try:
            check_agreement(policy, self)
        except (RuntimeError, ValueError) as error:
            raise UsageError(
                f"transformers' continuous batching does not work with a model of the type "
                f"{policy.model.config.model_type!r} ({first_line(error)}); take --engine transformers"
            ) from error

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        group_size: int,
        parameters: SamplingParameters,
        seeds: Sequence[int],
    ) -> list[list[Response]]:
        """See `SamplingEngine`. All draws come from one stream, so that they depend on all seeds.

        Raises:
            RuntimeError: transformers lost a request.
        """
        outputs = self._generate(prompts, group_size, parameters, derived_seed(*seeds))
        if len(outputs) < len(prompts) * group_size or any(output.error for output in outputs):
            said = next((output.error for output in outputs if output.error), "they are missing")
            raise RuntimeError(f"transformers' continuous batching failed to answer all requests: {said}")
        # They come in the order in which they ended. In that order, a group's first ones would be its shortest.
        outputs.sort(key=lambda output: output.request_id)
        by_prompt: dict[tuple[int, ...], list[Response]] = defaultdict(list)
        for output in outputs:
            ids = list(output.generated_tokens)
            response = Response(ids, list(output.logprobs), truncated=ids[-1] not in self.policy.stop_ids)
            by_prompt[tuple(output.prompt_ids)].append(response)
        return [[by_prompt[tuple(prompt)].pop() for _ in range(group_size)] for prompt in prompts]

    @torch.no_grad()
    def sync(self) -> None:
        if self._copy is not None:
            own = self._copy.state_dict()
            for name, weight in merged_weights(self.policy.model):
                own[name].copy_(weight)

    def close(self) -> None:
        self._copy = None

    def _generate(
        self, prompts: Sequence[Sequence[int]], group_size: int, parameters: SamplingParameters, seed: int
    ) -> list[Any]:
        """One output per response, in the order in which they ended."""
        policy = self.policy
        generation = GenerationConfig(
            max_new_tokens=parameters.max_new_tokens,
            do_sample=True,
            temperature=parameters.temperature,
            top_p=parameters.top_p,
            top_k=0,
            num_return_sequences=group_size,
            eos_token_id=sorted(policy.stop_ids),
            pad_token_id=policy.pad_id,
        )
        rows = min(len(prompts) * group_size, self.max_rows)
        batching = ContinuousBatchingConfig(
            return_logprobs=True,
            seed=seed,
            max_requests_per_batch=rows,
            max_batch_tokens=MOST_TOKENS,
        )
        longest = max(map(len, prompts)) + parameters.max_new_tokens
        batching.num_blocks = rows * math.ceil(longest / batching.page_size)  # else it takes most of the free memory
        # The seed becomes that of torch's global generator.
        devices = [policy.device] if policy.device.type == "cuda" else []
        model = self._copy or policy.model
        merged = contextlib.nullcontext() if self._copy else adapters_merged(policy)
        with torch.random.fork_rng(devices), torch.no_grad(), _paged_attention(model), merged:
            manager = model.init_continuous_batching(generation, batching)
            # Before the start: what is added later joins a batch that depends on the clock, and so do the draws.
            manager.add_requests([list(prompt) for prompt in prompts], max_new_tokens=parameters.max_new_tokens)
            outputs: list[Any] = []
            try:
                with held():
                    manager.start()
                while len(outputs) < len(prompts) * group_size:
                    with held():
                        output = manager.get_result(timeout=1)
                    if output is not None:
                        outputs.append(output)
                    elif not manager.is_running():
                        break
            finally:
                with held():
                    manager.stop(block=True, hard_stop=True)
                    manager.destroy()
        return outputs


@contextlib.contextmanager
def _paged_attention(model: PreTrainedModel) -> Iterator[None]:
    """Let the model use an attention that transformers knows how to read pages with."""
    own = model.config._attn_implementation
    model.set_attn_implementation("sdpa" if own == GROUPED else own)
    try:
        yield
    finally:
        model.set_attn_implementation(own)
