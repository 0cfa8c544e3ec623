"""What happens otherwise on a GPU than on a CPU. Skipped where there is none."""

import copy

import pytest
import torch
from transformers import DynamicCache

from agents.policy.head import head_stats, stats_from_logits
from agents.policy.load import load_policy
from agents.policy.lora import add_adapters
from agents.policy.next_tokens import next_tokens
from agents.policy.policy import left_padded, positions
from agents.policy.prompt_cache import RECORDED_CAPACITY, CopiedPrompts, RecordedPrompts
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

PROMPTS = [[5, 6, 7, 8, 9], [10, 11]]


def load(tiny_model, precision="fp32"):
    return load_policy(str(tiny_model), device="cuda", precision=precision)


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("top_k", [0, 7])
def test_the_fused_head(trained, top_k):
    torch.manual_seed(0)
    hidden = torch.randn(33, 8, device="cuda", requires_grad=True)
    weight = torch.randn(50, 8, device="cuda", requires_grad=trained)
    token_ids = torch.randint(50, (33,), device="cuda")
    exact_hidden, exact_weight = (x.detach().double().requires_grad_(x.requires_grad) for x in (hidden, weight))
    stats = head_stats(hidden, weight, token_ids, top_k=top_k, temperature=0.7, chunk_elements=200)
    exact = stats_from_logits(exact_hidden @ exact_weight.T, token_ids, indices=stats.indices, temperature=0.7)
    for found in (stats, exact):
        (found.logprobs.sum() + (found.top_logprobs**2).sum() + 0.3 * found.tail_logprobs.sum()).backward()
    pairs = [*zip(stats, exact, strict=True), (hidden.grad, exact_hidden.grad)]
    if trained:
        pairs.append((weight.grad, exact_weight.grad))
    for found, expected in pairs:
        assert (found.double() - expected.double()).norm() <= 1e-5 * (1 + expected.double().norm())


@torch.no_grad()
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_recorded_pass_is_what_it_would_be(tiny_model, precision):
    policy = load(tiny_model, precision)
    assert policy.replays_passes and not policy.shares_prompts
    ids, mask = left_padded(PROMPTS, policy.pad_id, policy.device)
    prompt_of = torch.tensor([0, 1, 0, 1, 1], device="cuda")
    with policy.autocast():
        caches = []
        for make in (CopiedPrompts, RecordedPrompts):
            cache = DynamicCache(config=policy.model.config)
            policy.model(ids, attention_mask=mask, position_ids=positions(mask), past_key_values=cache)
            caches.append(make(cache, mask, prompt_of))
        rows = len(prompt_of)
        for kept, count in (([4, 0, 2], 5), ([1], RECORDED_CAPACITY + 5), ([0], 5)):
            for _ in range(count):
                tokens = torch.randint(1, 200, (rows,), device="cuda")
                copied, recorded = (cache.read(policy.model, tokens) for cache in caches)
                tolerance = 1e-4 if precision == "fp32" else 5e-2
                torch.testing.assert_close(recorded, copied, atol=tolerance, rtol=tolerance)
            rows = len(kept)
            for cache in caches:
                cache.keep(torch.tensor(kept, device="cuda"))


@pytest.mark.parametrize("rank", [0, 4])
def test_sampling_with_recorded_passes(tiny_model, rank):
    """The same tokens as without, after updates too; their log-probs are those of the trainer."""
    policy = load(tiny_model)
    if rank:
        add_adapters(policy, rank, 32.0, seed=0)
    without = copy.copy(policy)
    without.replays_passes = False
    assert policy.replays_passes
    for _ in range(2):
        with torch.no_grad():
            for parameter in policy.model.parameters():
                if parameter.requires_grad:
                    parameter += 0.05 * torch.randn_like(parameter)
        groups, plain = (
            TransformersEngine(each).sample(PROMPTS, 6, SamplingParameters(20), [1, 2]) for each in (policy, without)
        )
        for group, other, prompt in zip(groups, plain, PROMPTS, strict=True):
            assert [response.token_ids for response in group] == [response.token_ids for response in other]
            for response in group:
                tokens = torch.tensor(response.token_ids, device="cuda")
                with torch.no_grad():
                    expected = next_tokens(policy, [prompt], [response.token_ids]).stats(tokens).logprobs
                torch.testing.assert_close(torch.tensor(response.logprobs), expected.cpu(), atol=1e-4, rtol=1e-4)


def test_prompts_and_responses_are_read_in_one_pass(tiny_model):
    """As a GPU waits for each, even where two would cost fewer operations."""
    policy = load(tiny_model)
    passes = []
    policy.model.get_decoder().register_forward_pre_hook(lambda *_: passes.append(1))
    assert policy.takes_tree_rows and policy.head_is_plain
    passes.clear()
    prompts = [list(range(1, 40))] * 8
    next_tokens(policy, prompts, [[1, 2, 3]] * 4 + [[1] * 150] * 4)
    assert len(passes) == 1
