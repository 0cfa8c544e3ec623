"""From settings to a sampling engine."""

from __future__ import annotations

import importlib.util

from agents.config import SamplingConfig
from agents.errors import UsageError
from agents.policy.policy import Policy
from agents.processes import ALONE, Processes
from agents.sampling.continuous_engine import ContinuousEngine
from agents.sampling.engine import SamplingEngine
from agents.sampling.transformers_engine import TransformersEngine
from agents.sampling.vllm_engine import VLLMEngine
from agents.sampling.vllm_server_engine import VLLMServerEngine


def make_engine(policy: Policy, config: SamplingConfig, processes: Processes = ALONE) -> SamplingEngine:
    """The engine that the settings ask for, with the policy's weights as they are now. Close it after use.

    Args:
        processes: Those of the run, each of which makes an engine.

    Raises:
        UsageError: it cannot be had here.
    """
    name = config.engine
    four_bits = getattr(policy.model, "is_loaded_in_4bit", False)
    if name == "auto":
        fits = policy.device.type == "cuda" and processes.count == 1 and not four_bits
        name = "vllm" if fits and importlib.util.find_spec("vllm") else "transformers"
    if name in ("continuous", "vllm") and four_bits:
        raise UsageError(f"--engine {name} cannot take over weights of 4 bits; use transformers or vllm-server")
    if name == "vllm" and processes.count > 1:
        raise UsageError(f"--engine vllm works in one process, not in {processes.count}; use vllm-server")
    if name == "continuous":
        return ContinuousEngine(policy, config.sampling_rows)
    if name == "vllm":
        return VLLMEngine(policy, config.sampling_rows, config.engine_memory)
    if name == "vllm-server":
        return VLLMServerEngine(
            policy, config.engine_url, config.engine_folder, config.engine_timeout, config.sampling_rows, processes
        )
    return TransformersEngine(policy, config.sampling_rows)
