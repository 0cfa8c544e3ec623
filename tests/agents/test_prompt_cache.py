"""Keys and values of prompts in sampling: shared or copied, the next token is the same."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    DynamicCache,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from agents.policy.attention import group_queries
from agents.policy.load import load_policy
from agents.policy.lora import add_adapters
from agents.policy.policy import left_padded, positions
from agents.policy.prompt_cache import (
    FIRST_CAPACITY,
    MASK_ALIGNMENT,
    RECORDED_CAPACITY,
    CopiedPrompts,
    RecordedPrompts,
    SharedPrompts,
)

pytestmark = pytest.mark.usefixtures("one_thread")

VOCABULARY = 200


@pytest.fixture(scope="module")
def model(tiny_model):
    loaded = load_policy(str(tiny_model), device="cpu", precision="fp32")
    assert loaded.shares_prompts
    return loaded.model


def after_prompts(model, kind, prompts, prompt_of):
    ids, mask = left_padded(prompts, 0, torch.device("cpu"))
    cache = DynamicCache(config=model.config)
    model(ids, attention_mask=mask, position_ids=positions(mask), past_key_values=cache)
    return kind(cache, mask, prompt_of)


ids = st.integers(1, VOCABULARY - 1)
prompts = st.lists(st.lists(ids, min_size=1, max_size=12), min_size=1, max_size=4)


@settings(max_examples=25)
@given(prompts, st.data())
@torch.no_grad()
def test_the_next_token_is_the_same(model, prompts, data):
    more = data.draw(st.lists(st.integers(0, len(prompts) - 1), max_size=5))
    prompt_of = torch.tensor(data.draw(st.permutations([*range(len(prompts)), *more])))
    kinds = (SharedPrompts, RecordedPrompts, CopiedPrompts)
    caches = [after_prompts(model, kind, prompts, prompt_of) for kind in kinds]
    rows = len(prompt_of)
    for _ in range(data.draw(st.integers(1, 4))):
        for seed in range(data.draw(st.sampled_from([1, 2, FIRST_CAPACITY + 1]))):
            tokens = torch.randint(VOCABULARY, (rows,), generator=torch.Generator().manual_seed(seed))
            shared, recorded, copied = (cache.read(model, tokens) for cache in caches)
            torch.testing.assert_close(shared, copied, atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(recorded, copied, atol=1e-4, rtol=1e-4)
        kept = torch.tensor(data.draw(st.lists(st.integers(0, rows - 1), min_size=1, unique=True)))
        rows = len(kept)
        for cache in caches:
            cache.keep(kept)


@torch.no_grad()
def test_room_is_made_when_it_is_used_up(model):
    recorded, copied = (
        after_prompts(model, kind, [[1, 2, 3], [4, 5]], torch.tensor([0, 1, 1]))
        for kind in (RecordedPrompts, CopiedPrompts)
    )
    count = 2 * RECORDED_CAPACITY + 40
    for token in range(count):
        tokens = torch.tensor([token % 7, token % 11, token % 13]) + 1
        found, expected = recorded.read(model, tokens), copied.read(model, tokens)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert recorded.layers[0].keys.shape[2] <= 2 * (count + MASK_ALIGNMENT)


@torch.no_grad()
def test_prompts_are_held_once_and_no_longer_than_needed(model):
    cache = after_prompts(model, SharedPrompts, [[1, 2, 3], [4, 5, 6]], torch.tensor([0] * 50 + [1] * 50))
    assert all(len(layer.prompt_keys) == len(layer.prompt_values) == 2 for layer in cache.layers)
    cache.read(model, torch.ones(100, dtype=torch.int64))
    cache.keep(torch.arange(50, 60))
    assert all(len(layer.prompt_keys) == 1 and len(layer.keys) == 10 for layer in cache.layers)


SIZES = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 32}


@pytest.mark.parametrize(
    ("make", "shares"),
    [
        (lambda: LlamaForCausalLM(LlamaConfig(**SIZES, **HEADS)), True),
        (lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, **HEADS, head_dim=16)), True),
        (lambda: MistralForCausalLM(MistralConfig(**SIZES, **HEADS, sliding_window=8)), False),
        (lambda: LlamaForCausalLM(LlamaConfig(**SIZES, **HEADS, attn_implementation="eager")), False),
        (lambda: GPT2LMHeadModel(GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=2)), True),
    ],
    ids=["llama", "qwen3", "sliding window", "eager", "gpt2"],
)
def test_whether_a_model_shares_is_found_out(policy, make, shares):
    torch.manual_seed(0)
    other = dataclasses.replace(policy, model=make().eval())
    group_queries(other.model)
    for parameter in other.model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # as in sampling
        found = other.shares_prompts
    assert found == shares


def test_with_adapters(policy):
    add_adapters(policy, 4, 32.0, seed=0)
    assert policy.shares_prompts


def test_not_without_the_attention_that_knows_how(policy):
    policy.model.set_attn_implementation("sdpa")
    assert not policy.shares_prompts
