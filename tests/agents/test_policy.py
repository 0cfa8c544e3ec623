"""Loading, chat rendering, scoring and sampling with a small random model."""

import dataclasses
import json

import pytest
import torch
from conftest import save_tiny_model, tiny_gemma3
from safetensors.torch import load_file
from training import run
from transformers import Gemma2Config, Gemma2ForCausalLM, Phi3Config, Phi3ForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from agents.errors import UsageError
from agents.policy.attention import grouped_attention
from agents.policy.load import load_policy
from agents.policy.lora import add_adapters
from agents.policy.next_tokens import next_tokens
from agents.rollouts import has_room
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine, draw, uniform_numbers


def naive_logits(policy, prompt, continuation):
    ids = torch.tensor([[*prompt, *continuation]])
    logits = policy.model(input_ids=ids).logits[0]
    return logits[len(prompt) - 1 : -1]


def chat(text):
    return [{"role": "user", "content": text}]


def test_logits_do_not_depend_on_padding_or_batch(policy):
    prompts = [policy.render(chat(text)) for text in ("short", "a much longer question than the other", "short")]
    continuations = [[10, 20, 30], [40], [50, 60, 70, 80, 90]]
    batched = next_tokens(policy, prompts, continuations).logits()
    alone = torch.cat([naive_logits(policy, p, c) for p, c in zip(prompts, continuations, strict=True)])
    assert batched.shape == (9, policy.model.config.vocab_size)
    torch.testing.assert_close(batched, alone, atol=1e-4, rtol=1e-4)


def test_gradients_through_a_shared_prompt_equal_those_of_separate_rows(policy):
    prompt = policy.render(chat("the same for all"))
    continuations = [[10, 20, 30], [40, 50], [60]]
    next_tokens(policy, [prompt] * 3, continuations).logits().log_softmax(-1)[:, 7].sum().backward()
    shared = [parameter.grad.clone() for parameter in policy.model.parameters()]
    policy.model.zero_grad()
    sum(naive_logits(policy, prompt, c).log_softmax(-1)[:, 7].sum() for c in continuations).backward()
    for gradient, parameter in zip(shared, policy.model.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, atol=1e-4, rtol=1e-3)


def test_sampler_logprobs_are_those_of_the_trainer(policy):
    prompts = [policy.render(chat(text)) for text in ("one", "another question")]
    parameters = SamplingParameters(max_new_tokens=24, temperature=0.7)
    groups = TransformersEngine(policy).sample(prompts, 5, parameters, [3, 4])
    assert [len(group) for group in groups] == [5, 5]
    for prompt, group in zip(prompts, groups, strict=True):
        for response in group:
            logprobs = (naive_logits(policy, prompt, response.token_ids) / 0.7).log_softmax(-1)
            expected = logprobs.gather(-1, torch.tensor(response.token_ids)[:, None]).squeeze(-1)
            torch.testing.assert_close(torch.tensor(response.logprobs), expected, atol=1e-4, rtol=1e-4)
            assert response.truncated == (response.token_ids[-1] not in policy.stop_ids)
            assert not policy.stop_ids & set(response.token_ids[:-1])


def test_a_group_depends_on_its_seed_and_not_on_its_neighbours(policy):
    prompts, seeds = [policy.render(chat(str(i))) for i in range(5)], [3, 1, 4, 1, 5]
    parameters = SamplingParameters(max_new_tokens=12)
    groups = TransformersEngine(policy, max_rows=4).sample(prompts, 3, parameters, seeds)
    together = TransformersEngine(policy).sample(prompts[::-1], 3, parameters, seeds[::-1])[::-1]
    assert [len(group) for group in groups] == [3] * 5
    assert [[r.token_ids for r in group] for group in groups] == [[r.token_ids for r in group] for group in together]
    other = TransformersEngine(policy).sample(prompts, 3, parameters, [9] * 5)
    assert all(a[0].token_ids != b[0].token_ids for a, b in zip(groups, other, strict=True))


UNIFORM = uniform_numbers([0], 1, 20_000)[0]


def test_draw_follows_the_distribution():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().repeat(20_000, 1)
    tokens, logprobs = draw(logits, SamplingParameters(), UNIFORM)
    frequencies = torch.bincount(tokens, minlength=4) / len(tokens)
    torch.testing.assert_close(frequencies, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.015, rtol=0)
    torch.testing.assert_close(logprobs, logits[0].log_softmax(-1)[tokens])


def test_draw_with_top_p_keeps_the_nucleus():
    logits = torch.tensor([0.15, 0.5, 0.05, 0.3]).log().repeat(2_000, 1)
    tokens, logprobs = draw(logits, SamplingParameters(top_p=0.7), UNIFORM[:2_000])
    assert set(tokens.tolist()) == {1, 3}
    expected = torch.tensor([0.0, 0.5 / 0.8, 0.0, 0.3 / 0.8])[tokens]
    torch.testing.assert_close(logprobs.exp(), expected)


def test_a_continued_chat_keeps_the_sampled_tokens(policy):
    """Token by token, the continuation is what the chat template gives, though the response is never re-tokenised."""
    prompt = policy.render(chat("question"))
    response = policy.tokenizer("answer", add_special_tokens=False)["input_ids"]
    reply = {"role": "user", "content": "wrong"}
    whole = policy.render([*chat("question"), {"role": "assistant", "content": "answer"}, reply])
    end = policy.tokenizer.eos_token_id
    for ended in ([*response, end], response):  # with the end of the turn sampled, and cut off before it
        continued = [*prompt, *ended, *policy.render_continuation(reply, ended)]
        assert continued == whole


LONGROPE = {"rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [1.5, 3.0, 6.0, 12.0], "factor": 16.0}


def longrope():
    settings = {"original_max_position_embeddings": 32, "rope_parameters": LONGROPE | {"rope_theta": 1e4}}
    sizes = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "pad_token_id": 0}
    return Phi3ForCausalLM(Phi3Config(**sizes, **settings, intermediate_size=32, max_position_embeddings=512))


@pytest.mark.parametrize(("make", "length"), [(longrope, 32), (tiny_gemma3, 64)], ids=["LongRoPE", "nested config"])
def test_the_context_ends_where_the_model_says(policy, make, length):
    other = dataclasses.replace(policy, model=make().eval())
    assert other.context_length == length
    parameters = SamplingParameters(max_new_tokens=8)
    assert has_room(other, [5] * (length - 8), parameters) and not has_room(other, [5] * (length - 7), parameters)


@pytest.mark.parametrize("masked", [False, True])
def test_grouped_attention_is_attention(policy, masked):
    assert policy.model.config._attn_implementation == "sdpa_grouped"
    module = policy.model.get_decoder().layers[0].self_attn
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(3, heads, count, 8, generator=generator) for heads, count in [(4, 1), (2, 9), (2, 9)]
    )
    mask = torch.rand(3, 1, 1, 9, generator=generator) < 0.7 if masked else None
    found, _ = grouped_attention(module, query, key, value, mask, scaling=0.3)
    expected, _ = sdpa_attention_forward(module, query, key, value, mask, scaling=0.3)
    assert found.shape == expected.shape == (3, 1, 4, 8)
    torch.testing.assert_close(found, expected)


def test_save_and_load(policy, tmp_path):
    policy.save(tmp_path / "saved")
    assert "grouped" not in (tmp_path / "saved" / "config.json").read_text()
    loaded = load_policy(str(tmp_path / "saved"), device="cpu", precision="fp32")
    for a, b in zip(policy.model.parameters(), loaded.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert loaded.render(chat("x")) == policy.render(chat("x"))


def test_a_model_without_chat_template_is_refused(tmp_path):
    save_tiny_model(tmp_path / "model", chat_template=None)
    with pytest.raises(UsageError, match="chat template"):
        load_policy(str(tmp_path / "model"))


def test_a_model_that_never_stops_is_refused(tmp_path):
    folder = save_tiny_model(tmp_path / "model")
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        data = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({k: v for k, v in data.items() if "eos_token" not in k}))
    with pytest.raises(UsageError, match="end-of-sequence"):
        load_policy(str(folder))


def test_tokens_that_only_the_tokenizer_has(policy, tmp_path):
    """They neither fill up rows nor end responses; and a model with no others of these is refused."""
    prompts, responses = [[5, 6, 7], [5]], [[8, 9], [8]]
    expected = next_tokens(policy, prompts, responses).logits()
    policy.tokenizer.add_special_tokens({"pad_token": "[PAD]", "eos_token": "[END]"})
    policy.save(tmp_path)
    loaded = load_policy(str(tmp_path), device="cpu", precision="fp32")
    assert loaded.stop_ids == policy.stop_ids
    torch.testing.assert_close(next_tokens(loaded, prompts, responses).logits(), expected)
    assert len(TransformersEngine(loaded).sample(prompts, 2, SamplingParameters(4), [0, 1])) == 2
    for name in ("config.json", "generation_config.json"):
        settings = json.loads((tmp_path / name).read_text())
        (tmp_path / name).write_text(json.dumps(settings | {"eos_token_id": None}))
    with pytest.raises(UsageError, match="no end-of-sequence token, or none that its embeddings reach to"):
        load_policy(str(tmp_path))


@pytest.mark.parametrize("settings", [{}, {"lora_rank": 2}], ids=["weights", "adapters"])
def test_a_run_in_place_of_its_checkpoint(settings, tiny_model, tmp_path):
    folder = run("grpo", tiny_model, tmp_path / "run", steps=0, eval_tasks=0, **settings)
    with pytest.raises(UsageError, match=f"--model {folder / 'checkpoint'}"):
        load_policy(str(folder))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there(tiny_model):
    with pytest.raises(UsageError, match=r"cannot use the device 'cuda': .* take --device cpu"):
        load_policy(str(tiny_model), device="cuda")


@pytest.mark.parametrize("length", [0, 200, -10])
@pytest.mark.parametrize("name", ["model.safetensors", "adapter_model.safetensors"])
def test_weights_that_were_cut_off(name, length, tiny_model, tmp_path):
    policy = load_policy(str(tiny_model), device="cpu", precision="fp32")
    if name.startswith("adapter"):
        add_adapters(policy, 2, 4.0, seed=0)
    policy.save(tmp_path / "saved")
    file = tmp_path / "saved" / name
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(UsageError, match=f"the weights of '{tmp_path / 'saved'}' are damaged or cut off"):
        load_policy(str(tmp_path / "saved"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "tokenizer.json").unlink(),
            r"its tokenizer cannot be loaded \(.*from one of: \(1\) .*\)$",
        ),
        (lambda folder: (folder / "model.safetensors").unlink(), "its model cannot be loaded .*model.safetensors"),
        (lambda folder: (folder / "config.json").write_text('{"a"'), "config.json' is not a valid JSON"),
    ],
    ids=["tokenizer", "weights", "config"],
)
def test_what_a_folder_lacks(change, message, tmp_path):
    folder = save_tiny_model(tmp_path / "model")
    change(folder)
    with pytest.raises(UsageError, match=f"^{folder} is a folder, but .*{message}"):
        load_policy(str(folder))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"num_hidden_layers": 3}, "they lack 9 tensors, such as model.layers.2.input_layernorm.weight"),
        (
            {"intermediate_size": 48},
            "they have 6 tensors of another shape, such as model.layers.0.mlp.down_proj.weight",
        ),
    ],
)
def test_weights_of_another_config(setting, message, tmp_path):
    folder = save_tiny_model(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | setting))
    with pytest.raises(UsageError, match=f"^the weights of '{folder}' do not fit its config.json: {message}"):
        load_policy(str(folder))


def test_weights_that_are_shared_are_not_missing(tmp_path):
    folder = save_tiny_model(tmp_path / "model", tied=True)
    head = load_policy(str(folder), device="cpu", precision="fp32").model.get_output_embeddings()
    assert "lm_head.weight" not in load_file(folder / "model.safetensors") and head.weight.std() > 0.1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smolm2", "there is no model 'smolm2'; did you mean 'smollm2'"),
        ("SmolLM2", "did you mean 'smollm2'"),
        ("openai:gpt", "'openai:gpt' is a model behind a server, which only agents.evaluate can use"),
    ],
)
def test_names_that_the_hub_is_not_asked_for(name, message):
    with pytest.raises(UsageError, match=message):
        load_policy(name)


@pytest.mark.parametrize("name", ["./no/such/folder", "nobody/no-such-model"])
def test_unknown_models_are_refused(name):
    with pytest.raises(UsageError, match=r"no-such-model|no/such/folder"):
        load_policy(name)


IDS = [[5, 6, 7, 8]]


class TestHead:
    def test_hidden_states_stand_for_logits_where_that_is_all_there_is_to_it(self, policy):
        assert policy.head_is_plain
        found = next_tokens(policy, [[3, 4]], IDS)
        assert found.states.shape == (4, policy.model.config.hidden_size)
        torch.testing.assert_close(found.logits(), naive_logits(policy, [3, 4], IDS[0]), atol=1e-4, rtol=1e-4)

    def test_a_model_that_changes_its_logits_is_noticed(self, policy):
        config = Gemma2Config(
            vocab_size=policy.model.config.vocab_size,
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            final_logit_softcapping=0.5,
            pad_token_id=0,
        )
        torch.manual_seed(0)
        capped = dataclasses.replace(policy, model=Gemma2ForCausalLM(config).eval())
        assert not capped.head_is_plain
        found = next_tokens(capped, [[3, 4]], IDS)
        assert found.weight is None and found.vocabulary == config.vocab_size
        torch.testing.assert_close(found.logits(), naive_logits(capped, [3, 4], IDS[0]), atol=1e-4, rtol=1e-4)
        ids = torch.tensor(IDS[0])
        expected = found.logits().log_softmax(-1).gather(-1, ids[:, None])[:, 0]
        torch.testing.assert_close(found.stats(ids, top_k=3).logprobs, expected)

    def test_mixed_predictions(self, policy):
        one, other = (next_tokens(policy, [prompt], IDS, temperature=0.7) for prompt in ([3, 4], [9, 9, 9]))
        mixed, ids = one.mixed_with(other, 0.3), torch.tensor(IDS[0])
        expected = (one.logits().lerp(other.logits(), 0.3) / 0.7).log_softmax(-1)
        torch.testing.assert_close(mixed.stats(ids).logprobs, expected.gather(-1, ids[:, None])[:, 0])
