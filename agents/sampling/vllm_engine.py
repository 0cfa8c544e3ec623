"""Sampling with vLLM in this process. It holds a copy of the weights, which is renewed after each update."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Sequence
from typing import Any

import torch

from agents.errors import UsageError, first_line
from agents.policy.lora import merged_weights
from agents.policy.policy import Policy
from agents.runs.seeds import derived_seed
from agents.sampling.agreement import check_agreement
from agents.sampling.engine import Response, SamplingParameters


class VLLMEngine:
    """Samples with vLLM, on the device that it finds, in the type that the policy computes in.

    vLLM reads only the model's configuration from a file. The weights go from the policy into it, adapters merged.

    Args:
        policy: Whose weights are used, as they are at each `sync`; the first is here.
        max_rows: Most responses that are drawn at the same time.
        memory: Fraction of the GPU's memory for vLLM's weights and key-value cache.

    Raises:
        UsageError: vLLM is not installed, cannot run the model, or does not compute what the policy does.
    """

    def __init__(self, policy: Policy, max_rows: int = 64, memory: float = 0.4):
        # vLLM takes no objects but from its own process. Both are read when vLLM is imported or started.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        try:
            import vllm
            from vllm.exceptions import VLLMError
        except ImportError as error:
            raise UsageError(f"--engine vllm needs vLLM: pip install 'sdpo-gym[vllm]' ({first_line(error)})") from error
        self.policy = policy
        self._parameters_type, self._error_type = vllm.SamplingParams, VLLMError
        with tempfile.TemporaryDirectory() as folder:
            policy.model.config.save_pretrained(folder)
            try:
                self._llm: Any = vllm.LLM(
                    folder,
                    load_format="dummy",
                    skip_tokenizer_init=True,
                    generation_config="vllm",
                    logprobs_mode="processed_logprobs",
                    dtype=str(policy.compute_dtype).removeprefix("torch."),
                    max_model_len=-1,
                    max_num_seqs=max_rows,
                    gpu_memory_utilization=memory,
                    enforce_eager=policy.device.type == "cpu",
                    seed=0,
                )
            except (ValueError, RuntimeError, VLLMError) as error:
                raise UsageError(
                    f"vLLM cannot run the model: {first_line(error)}. If memory is what it lacks, change "
                    "--engine-memory or --sampling-rows, or take --engine transformers"
                ) from error
        self.sync()
        check_agreement(policy, self)

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        group_size: int,
        parameters: SamplingParameters,
        seeds: Sequence[int],
    ) -> list[list[Response]]:
        """See `SamplingEngine`.

        Raises:
            UsageError: a prompt is too long for vLLM's memory, or a setting is none of its.
        """
        inputs = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        try:
            settings = [
                self._parameters_type(
                    n=group_size,
                    seed=first_seed(seed),
                    temperature=parameters.temperature,
                    top_p=parameters.top_p,
                    max_tokens=parameters.max_new_tokens,
                    stop_token_ids=sorted(self.policy.stop_ids),
                    logprobs=0,
                    detokenize=False,
                )
                for seed in seeds
            ]
            outputs = self._llm.generate(inputs, settings, use_tqdm=False)
        except (ValueError, self._error_type) as error:
            raise UsageError(f"vLLM refuses a prompt or setting: {first_line(error)}") from error
        return [[_response(completion) for completion in output.outputs] for output in outputs]

    def sync(self) -> None:
        self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": merged_weights(self.policy.model)})
        self._llm.reset_prefix_cache()  # keys and values of the old weights

    def close(self) -> None:
        self._llm = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def first_seed(seed: int) -> int:
    """vLLM's seed for a group (62 bits). It counts on from there, a seed per response: groups' must be far apart."""
    return derived_seed(seed) >> 1


def _response(completion: Any) -> Response:
    ids = list(completion.token_ids)
    logprobs = [entry[token].logprob for entry, token in zip(completion.logprobs, ids, strict=True)]
    if completion.finish_reason not in ("stop", "length"):
        raise RuntimeError(f"vLLM ended a response for the reason {completion.finish_reason!r}")
    return Response(ids, logprobs, truncated=completion.finish_reason == "length")
