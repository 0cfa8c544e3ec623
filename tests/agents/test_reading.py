"""Prompts that are read once for a whole group, activations that are computed again: nothing changes but the cost."""

import dataclasses

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Lfm2Config,
    Lfm2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen3NextConfig,
    Qwen3NextForCausalLM,
    RwkvConfig,
    RwkvForCausalLM,
)

from agents.errors import UsageError
from agents.policy.checkpointing import checkpoint_layers
from agents.policy.next_tokens import next_tokens
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine

TOKENS = st.lists(st.integers(2, 250), min_size=1, max_size=12)
GROUPS = st.lists(st.tuples(TOKENS, st.lists(TOKENS, min_size=1, max_size=4)), min_size=1, max_size=3)
ALIKE = st.lists(st.tuples(TOKENS, st.lists(st.lists(st.integers(2, 250), max_size=12), min_size=1, max_size=3)))


def read(policy, groups, *, trees, checkpointed=False):
    """Log-probs of a token everywhere, and the gradient of their sum."""
    policy.takes_tree_rows = trees
    policy.checkpointed = checkpointed
    prompts = [prompt for prompt, continuations in groups for _ in continuations]
    continuations = [continuation for _, group in groups for continuation in group]
    policy.model.zero_grad()
    logprobs = next_tokens(policy, prompts, continuations).logits().log_softmax(-1)[:, 7]
    logprobs.sum().backward()
    return logprobs.detach(), torch.cat([p.grad.flatten() for p in policy.model.parameters()])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=GROUPS, alike=ALIKE, order=st.randoms(use_true_random=False))
def test_all_ways_of_reading_agree(policy, groups, alike, order):
    groups += [([*root, *rest], [root[:3], rest[:4] or [9]]) for root, rests in alike for rest in rests]
    order.shuffle(groups)
    naive = torch.cat(
        [
            policy.model(input_ids=torch.tensor([prompt + continuation])).logits[0, len(prompt) - 1 : -1]
            for prompt, group in groups
            for continuation in group
        ]
    ).log_softmax(-1)[:, 7]
    expected, gradient = read(policy, groups, trees=False)
    torch.testing.assert_close(expected, naive.detach(), atol=1e-4, rtol=1e-4)
    for ways in ({"trees": True}, {"trees": True, "checkpointed": True}, {"trees": False, "checkpointed": True}):
        found, found_gradient = read(policy, groups, **ways)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found_gradient, gradient, atol=1e-3, rtol=1e-3)


def shapes_of_inputs(policy, groups):
    """Shapes of the token ids that the model is given."""
    shapes = []
    policy.try_out()
    handle = policy.model.get_decoder().register_forward_pre_hook(
        lambda module, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    read(policy, groups, trees=policy.takes_tree_rows, checkpointed=policy.checkpointed)
    handle.remove()
    return shapes


def test_a_tree_is_used_where_it_is_cheaper(policy):
    assert policy.takes_tree_rows
    prompt = list(range(2, 202))
    assert shapes_of_inputs(policy, [(prompt, [[5] * 20, [6] * 60, [7] * 3])]) == [(1, 200 + 19 + 59 + 2)]
    # What is alike in prompts is read once.
    alike = [(prompt + [20 + i] * 40, [[5] * 20, [6] * 10]) for i in range(4)]
    assert shapes_of_inputs(policy, alike) == [(1, 200 + 4 * (40 + 19 + 9))]
    differing = [(prompt[:20] + [20 + i] * 40, [[5] * 20] * 2) for i in range(4)]
    assert shapes_of_inputs(policy, differing) == [(4, 60), (8, 19)]
    # Long responses would all meet each other in the attention of a tree.
    assert shapes_of_inputs(policy, [([2, 3], [[5] * 300, [6] * 300])]) == [(1, 2), (2, 299)]


SMALL = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 32}


def llama(**settings):
    return LlamaForCausalLM(LlamaConfig(**SMALL, **HEADS, **settings))


def mistral():
    return MistralForCausalLM(MistralConfig(**SMALL, **HEADS, sliding_window=8))


@pytest.mark.parametrize(
    ("make", "takes_trees"),
    [
        (llama, True),
        (lambda: llama(attn_implementation="eager"), False),
        (mistral, False),
        (lambda: BloomForCausalLM(BloomConfig(vocab_size=300, hidden_size=32, n_layer=2, n_head=2)), False),
        (lambda: MambaForCausalLM(MambaConfig(**SMALL, state_size=4)), False),
    ],
    ids=["llama", "masks that are added", "sliding window", "positions by distance", "recurrent"],
)
def test_models_that_take_no_trees_are_noticed(policy, make, takes_trees):
    torch.manual_seed(0)
    other = dataclasses.replace(policy, model=make().eval())
    for parameter in other.model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    assert other.takes_tree_rows == takes_trees
    prompt, continuations = [5, 6, 7, 8] * 4, [[9, 10, 11], [12, 13]]
    found = next_tokens(other, [prompt] * 2, continuations).logits()
    alone = [other.model(input_ids=torch.tensor([prompt + c])).logits[0, len(prompt) - 1 : -1] for c in continuations]
    torch.testing.assert_close(found, torch.cat(alone), atol=1e-4, rtol=1e-4)


def lfm2():
    return Lfm2ForCausalLM(Lfm2Config(**SMALL, **HEADS, layer_types=["conv", "full_attention"]))


def qwen3_next():
    sizes = {"linear_num_key_heads": 2, "linear_num_value_heads": 2, "moe_intermediate_size": 16, "num_experts": 2}
    sizes |= {"linear_key_head_dim": 8, "linear_value_head_dim": 8, "shared_expert_intermediate_size": 16}
    layers = ["linear_attention", "full_attention"]
    return Qwen3NextForCausalLM(
        Qwen3NextConfig(**SMALL, **HEADS, **sizes, head_dim=16, num_experts_per_tok=1, layer_types=layers)
    )


def with_random_model(policy, make):
    torch.manual_seed(0)
    other = dataclasses.replace(policy, model=make().eval())
    for parameter in other.model.parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.3)
    return other


@pytest.mark.parametrize("make", [lfm2, qwen3_next, mistral], ids=["lfm2", "qwen3_next", "mistral"])
def test_hybrid_models_are_sampled_from_and_read(policy, make):
    other = with_random_model(policy, make)
    prompts = [list(range(5, 40)), [7, 8, 9]]
    groups = TransformersEngine(other).sample(prompts, 3, SamplingParameters(max_new_tokens=12), [0, 1])
    rows = [(prompt, response) for prompt, group in zip(prompts, groups, strict=True) for response in group]
    token_ids = torch.tensor([token for _, response in rows for token in response.token_ids])
    distributions = next_tokens(other, [prompt for prompt, _ in rows], [response.token_ids for _, response in rows])
    logprobs = distributions.stats(token_ids).logprobs
    sampled = torch.tensor([value for _, response in rows for value in response.logprobs])
    torch.testing.assert_close(logprobs, sampled, atol=1e-3, rtol=1e-3)
    logprobs.sum().backward()
    gradient = torch.cat([p.grad.flatten() for p in other.model.parameters() if p.grad is not None])
    assert gradient.isfinite().all() and gradient.any()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: MambaForCausalLM(MambaConfig(**SMALL, state_size=4)), "mamba"),
        (lambda: RwkvForCausalLM(RwkvConfig(**SMALL, attention_hidden_size=32)), "rwkv"),
    ],
    ids=["mamba", "rwkv"],
)
def test_models_that_forget_their_prompts_are_not_sampled_from(policy, make, kind):
    other = with_random_model(policy, make)
    with pytest.raises(UsageError, match=f"'{kind}'.*--engine vllm-server"):
        TransformersEngine(other)
    prompts, continuations = [[5, 6, 7, 8] * 4] * 3 + [[9, 10]], [[11, 12, 13], [14, 15], [16], [17, 18]]
    found = next_tokens(other, prompts, continuations).logits()
    rows = zip(prompts, continuations, strict=True)
    alone = [other.model(input_ids=torch.tensor([p + c])).logits[0, len(p) - 1 : -1] for p, c in rows]
    torch.testing.assert_close(found, torch.cat(alone), atol=1e-4, rtol=1e-4)


def bytes_kept(policy, **ways):
    """Of activations, for the backward pass."""
    kept = {}
    weights = {parameter.data_ptr() for parameter in policy.model.parameters()}

    def pack(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.nbytes
        return tensor

    policy.takes_tree_rows = ways["trees"]
    policy.checkpointed = ways["checkpointed"]
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = next_tokens(policy, [list(range(2, 50))] * 3, [[5, 6, 7] * 5] * 3).logits()
        total = sum(kept.values())
        logits.sum().backward()
    return total


@pytest.mark.parametrize("trees", [True, False])
def test_checkpointing_keeps_less(policy, trees):
    before = bytes_kept(policy, trees=trees, checkpointed=False)
    checkpoint_layers(policy.model)
    assert bytes_kept(policy, trees=trees, checkpointed=True) < before / 2


def test_checkpointing_computes_the_same(policy):
    groups = [([5, 6, 7, 8], [[9, 10, 11], [12, 13]]), ([20, 21], [[22, 23, 24]])]
    plain = read(policy, groups, trees=True)
    prompts, parameters = [[5, 6, 7]], SamplingParameters(max_new_tokens=6)
    sampled = TransformersEngine(policy).sample(prompts, 3, parameters, [0])
    checkpoint_layers(policy.model)
    for trees in (True, False):
        found = read(policy, groups, trees=trees, checkpointed=True)
        torch.testing.assert_close(found[0], plain[0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(found[1], plain[1], atol=1e-4, rtol=1e-4)
    assert TransformersEngine(policy).sample(prompts, 3, parameters, [0]) == sampled


def test_a_model_without_layers_to_checkpoint():
    with pytest.raises(UsageError, match="Linear does not support gradient checkpointing"):
        checkpoint_layers(torch.nn.Linear(2, 2))
