"""Whether an engine that computes by itself has the policy's weights, and tells what we take its log-probs for."""

from __future__ import annotations

import torch

from agents.errors import UsageError
from agents.policy.next_tokens import next_tokens
from agents.policy.policy import Policy
from agents.sampling.engine import SamplingEngine, SamplingParameters

LARGEST_DIFFERENCE = 0.2
"""Nats per token on average. In bf16 it is 0.01 to 0.05; with wrong weights, or before the temperature, above 1."""


@torch.no_grad()
def check_agreement(policy: Policy, engine: SamplingEngine) -> None:
    """Sample a little from an engine and compare its log-probs with the policy's own.

    Raises:
        UsageError: they are others.
    """
    prompt = policy.render([{"role": "user", "content": "Count to ten."}])
    # At a temperature of 1, log-probs before and after the temperature would be the same; vLLM takes no more than 2.
    parameters = SamplingParameters(max_new_tokens=16, temperature=2.0)
    (group,) = engine.sample([prompt], 4, parameters, [0])
    token_ids = torch.tensor([token for response in group for token in response.token_ids], device=policy.device)
    logprobs = torch.tensor([value for response in group for value in response.logprobs], device=policy.device)
    distributions = next_tokens(
        policy, [prompt] * len(group), [response.token_ids for response in group], temperature=parameters.temperature
    )
    difference = float((distributions.stats(token_ids).logprobs - logprobs).abs().mean())
    if not difference <= LARGEST_DIFFERENCE:
        raise UsageError(
            f"the sampling engine's log-probs differ from the model's own by {difference:.2f} nats per token: it has "
            "another model or other weights, computes something else with them, or gives log-probs from before the "
            "temperature (a vLLM server must be started with --logprobs-mode processed_logprobs). If nothing helps, "
            "take --engine transformers"
        )
