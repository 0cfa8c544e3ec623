"""Low-rank adapters: what they train, how they are kept, and the average of their products."""

import copy
import json
import shutil
import warnings

import pytest
import torch
from conftest import save_tiny_model
from local_hub import COMMIT
from peft import IA3Config, LoraConfig, PromptTuningConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from rich.console import Console
from training import contents, make_groups, make_updater, run
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

from agents.errors import UsageError
from agents.policy.load import load_policy, load_trainable
from agents.policy.lora import AVERAGE_RANKS, AdapterAverage, add_adapters, merged_weights, reference_weights
from agents.policy.next_tokens import next_tokens
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig

RANK = 3
CHAT = [{"role": "user", "content": "x"}]


@pytest.fixture
def adapted(policy):
    add_adapters(policy, RANK, 6.0, seed=0)
    return policy


@pytest.fixture(scope="module")
def mixture_folder(tmp_path_factory):
    """A mixture of experts, each layer's in two parameters: what enters them, and what leaves them."""
    folder = save_tiny_model(tmp_path_factory.mktemp("mixture") / "model")
    small = json.loads((folder / "config.json").read_text())
    names = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    sizes = {name: small[name] for name in (*names, "bos_token_id", "eos_token_id", "initializer_range")}
    torch.manual_seed(0)
    config = Qwen3MoeConfig(**sizes, head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16)
    Qwen3MoeForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def adapted_mixture(mixture_folder):
    policy = load_policy(str(mixture_folder), device="cpu", precision="fp32")
    add_adapters(policy, RANK, 6.0, seed=0)
    return policy


def logits(policy):
    with torch.no_grad():
        return next_tokens(policy, [[5, 6, 7]], [[8, 9, 10]]).logits()


def move(policy, seed, size=0.1):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.model.parameters():
            if parameter.requires_grad:
                parameter += size * torch.randn(parameter.shape, generator=generator)


def products(policy):
    """What each adapter adds to its weight."""
    return [
        module.get_delta_weight("default").detach().double()
        for module in policy.model.modules()
        if isinstance(module, LoraLayer)
    ]


def test_adapters_change_nothing_at_first_and_are_all_that_is_trained(policy):
    before = logits(policy)
    base = copy.deepcopy(policy.model.state_dict())
    add_adapters(policy, RANK, 6.0, seed=0)
    assert torch.equal(logits(policy), before)
    assert policy.head_is_plain
    config = SDPOConfig(lr=1e-2, lora_rank=RANK, context="both")
    algorithm = make_sdpo(config, policy, Console(quiet=True))
    rows, _ = algorithm.assign(make_groups(policy, ({0}, {1, 2})), step=1)
    updater = make_updater(policy, config)
    updater.optimizer = torch.optim.AdamW([p for p in policy.model.parameters() if p.requires_grad], lr=1e-2)
    losses = [updater.update(algorithm, rows)["loss"] for _ in range(4)]
    assert losses[-1] < losses[0]
    assert not torch.allclose(logits(policy), before)
    after = policy.model.get_base_model().state_dict()
    for name, weight in base.items():
        assert torch.equal(after.get(name, after.get(name.replace(".weight", ".base_layer.weight"))), weight)


def test_adapters_are_made_and_loaded_without_a_warning(policy, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        add_adapters(policy, RANK, 6.0, seed=0)
        policy.save(tmp_path / "saved")
        load_policy(str(tmp_path / "saved"), device="cpu", precision="fp32")


def test_initial_values_depend_on_the_seed_alone(tiny_model):
    downs = []
    for seed in (1, 1, 2):
        torch.rand(3)
        policy = load_policy(str(tiny_model), device="cpu", precision="fp32")
        add_adapters(policy, RANK, 6.0, seed)
        downs.append(next(p for p in policy.model.parameters() if p.requires_grad))
    assert torch.equal(downs[0], downs[1]) and not torch.equal(downs[0], downs[2])


def test_frozen_layers_in_bf16_change_nothing_but_the_memory(tiny_model):
    """Not a bit: neither what is computed, nor the gradients, nor what is sampled."""
    config = SDPOConfig(model=str(tiny_model), lora_rank=RANK, lora_alpha=6.0, device="cpu", precision="bf16")
    policies = [
        load_policy(str(tiny_model), device="cpu", precision="bf16"),
        load_trainable(str(tiny_model), config),
    ]
    add_adapters(policies[0], RANK, 6.0, seed=0)
    found = []
    for policy in policies:
        move(policy, 0)
        tokens = next_tokens(policy, [[5, 6, 7]], [[8, 9, 10]])
        tokens.stats(torch.tensor([8, 9, 10])).logprobs.sum().backward()
        gradients = [p.grad for p in policy.model.parameters() if p.requires_grad]
        sampled = TransformersEngine(policy).sample([[5, 6, 7]], 4, SamplingParameters(12), [0])
        found.append((tokens.logits(), gradients, sampled))
    for a, b in zip(found[0][1], found[1][1], strict=True):
        assert a.dtype == torch.float32 and torch.equal(a, b)
    assert torch.equal(found[0][0], found[1][0])
    sizes = [sum(parameter.nbytes for parameter in policy.model.parameters()) for policy in policies]
    layers = sum(m.base_layer.weight.numel() for m in policies[1].model.modules() if hasattr(m, "base_layer"))
    assert sizes[0] - sizes[1] == 2 * layers > 0


def test_sampling_merges_adapters_for_its_own_time_only(adapted):
    move(adapted, 0)
    before, engine = logits(adapted), TransformersEngine(adapted)
    (group,) = engine.sample([[5, 6, 7]], 4, SamplingParameters(12), [0])
    for response in group:
        stats = next_tokens(adapted, [[5, 6, 7]], [response.token_ids]).stats(torch.tensor(response.token_ids))
        torch.testing.assert_close(torch.tensor(response.logprobs), stats.logprobs.detach(), atol=1e-4, rtol=0)
    with pytest.raises(IndexError):
        engine.sample([[10**9]], 4, SamplingParameters(12), [0])
    assert torch.equal(logits(adapted), before)
    assert next_tokens(adapted, [[5, 6, 7]], [[8, 9]]).states.requires_grad


@pytest.mark.parametrize("kind", ["adapted", "adapted_mixture"])
def test_saved_adapters_are_trained_further_or_merged(kind, request, tmp_path):
    adapted = request.getfixturevalue(kind)
    move(adapted, 0)
    adapted.save(tmp_path / "saved")
    assert not (tmp_path / "saved" / "model.safetensors").exists()
    expected = logits(adapted)
    merged = load_policy(str(tmp_path / "saved"), device="cpu", precision="fp32")
    torch.testing.assert_close(logits(merged), expected, atol=1e-4, rtol=1e-4)
    assert all(parameter.requires_grad for parameter in merged.model.parameters())
    further = load_policy(str(tmp_path / "saved"), device="cpu", precision="fp32", merge_adapters=False)
    assert torch.equal(logits(further), expected)
    add_adapters(further, RANK, 6.0, seed=1)
    assert torch.equal(logits(further), expected)
    with pytest.raises(UsageError, match="rank 3"):
        add_adapters(further, RANK + 1, 6.0, seed=1)


def test_adapters_whose_model_is_gone(tmp_path):
    save_tiny_model(tmp_path / "model")
    policy = load_policy(str(tmp_path / "model"), device="cpu", precision="fp32")
    add_adapters(policy, RANK, 6.0, seed=0)
    policy.save(tmp_path / "saved")
    (tmp_path / "model").rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="adapters for another model"):
        load_policy(str(tmp_path / "saved"))


@pytest.mark.parametrize("content", ["{", "[]", '{"r": 8}'])
def test_adapters_that_do_not_say_for_which_model(content, adapted, tmp_path):
    adapted.save(tmp_path)
    (tmp_path / "adapter_config.json").write_text(content)
    with pytest.raises(UsageError, match="does not say for which model"):
        load_policy(str(tmp_path))


def save_foreign(config, base, folder):
    """Write adapters that peft made for a model."""
    policy = load_policy(str(base), device="cpu", precision="fp32")
    policy.model = get_peft_model(policy.model, copy.deepcopy(config)).eval()
    move(policy, 0)
    policy.save(folder)
    return policy


def lora(**settings):
    return LoraConfig(
        **{"r": RANK, "lora_alpha": 6, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **settings}
    )


@pytest.mark.parametrize(
    ("config", "trained"),
    [
        (lora(use_dora=True), "lora_"),
        (lora(modules_to_save=["lm_head"]), "lm_head"),
        (lora(trainable_token_indices=[3, 4]), "embed_tokens"),
        (lora(target_modules=["q_proj", "embed_tokens"]), "lora_embedding_A"),
        (IA3Config(target_modules=["q_proj"], feedforward_modules=[], task_type="CAUSAL_LM"), "ia3_l"),
    ],
    ids=["dora", "modules-to-save", "tokens", "embeddings", "ia3"],
)
def test_adapters_of_another_kind_are_only_merged(config, trained, tiny_model, tmp_path):
    expected = logits(save_foreign(config, tiny_model, tmp_path))
    merged = load_policy(str(tmp_path), device="cpu", precision="fp32")
    torch.testing.assert_close(logits(merged), expected, atol=1e-4, rtol=1e-4)
    with pytest.raises(UsageError, match=f"not plain LoRA: .*{trained}.*leave out --lora-rank"):
        load_trainable(str(tmp_path), SDPOConfig(device="cpu", lora_rank=RANK, lora_alpha=6.0))


def test_an_adapter_on_the_head_is_sampled_with(tiny_model, tmp_path):
    save_foreign(lora(target_modules=["q_proj", "lm_head"]), tiny_model, tmp_path)
    policy = load_trainable(str(tmp_path), SDPOConfig(device="cpu", precision="fp32", lora_rank=RANK, lora_alpha=6.0))
    (group,) = TransformersEngine(policy).sample([[5, 6, 7]], 4, SamplingParameters(12), [0])
    for response in group:
        stats = next_tokens(policy, [[5, 6, 7]], [response.token_ids]).stats(torch.tensor(response.token_ids))
        torch.testing.assert_close(torch.tensor(response.logprobs), stats.logprobs.detach(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("lora_rank", [0, RANK])
@pytest.mark.parametrize(
    ("config", "message"),
    [
        (lora(target_modules=["q_proj", "lm_head"]), "share one weight"),
        (lora(target_modules=["q_proj", "embed_tokens"]), "share one weight"),
        (PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2), "are PROMPT_TUNING, which cannot be merged"),
    ],
    ids=["head", "embeddings", "prompt"],
)
def test_adapters_that_cannot_be_merged_are_refused(config, message, lora_rank, tmp_path):
    base = save_tiny_model(tmp_path / "model", tied=True)
    save_foreign(config, base, tmp_path / "saved")
    settings = {"lora_rank": lora_rank, "lora_alpha": 6.0} if lora_rank else {}
    with pytest.raises(UsageError, match=message):
        load_trainable(str(tmp_path / "saved"), SDPOConfig(device="cpu", **settings))


def test_adapters_of_a_model_of_another_size(tmp_path):
    base = save_tiny_model(tmp_path / "model")
    save_foreign(lora(), base, tmp_path / "saved")
    save_tiny_model(base, width=64)
    with pytest.raises(UsageError, match=f"the adapters in {tmp_path / 'saved'} do not fit the model '{base}'"):
        load_policy(str(tmp_path / "saved"))


def test_adapters_without_a_tokenizer_have_that_of_their_model(adapted, tmp_path):
    adapted.model.save_pretrained(tmp_path)
    assert load_policy(str(tmp_path)).render(CHAT) == adapted.render(CHAT)


def test_the_tokenizer_of_adapters_counts(tmp_path):
    """Its chat template, and its end of a turn."""
    base = save_tiny_model(tmp_path / "model")
    policy = save_foreign(lora(), base, tmp_path / "saved")
    save_tiny_model(base, chat_template=None)
    policy.tokenizer.eos_token = "!"
    policy.tokenizer.save_pretrained(tmp_path / "saved")
    loaded = load_policy(str(tmp_path / "saved"))
    assert loaded.render(CHAT) == policy.render(CHAT)
    assert loaded.stop_ids == policy.stop_ids | {policy.tokenizer.eos_token_id}


def test_adapters_on_the_hub(adapted, tmp_path, monkeypatch):
    move(adapted, 0)
    repository = tmp_path / "models--user--adapters"
    adapted.save(repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    merged = load_policy("user/adapters", device="cpu", precision="fp32")
    torch.testing.assert_close(logits(merged), logits(adapted), atol=1e-4, rtol=1e-4)
    settings = SDPOConfig(device="cpu", precision="fp32", lora_rank=RANK, lora_alpha=6.0)
    further = load_trainable("user/adapters", settings)
    trained = {name for name, parameter in further.model.named_parameters() if parameter.requires_grad}
    assert trained == {name for name, parameter in adapted.model.named_parameters() if parameter.requires_grad}
    for policy in (merged, further):
        move(policy, 1)
        policy.save(tmp_path / "saved")
        loaded = load_policy(str(tmp_path / "saved"), device="cpu", precision="fp32")
        torch.testing.assert_close(logits(loaded), logits(policy), atol=1e-4, rtol=1e-4)
        shutil.rmtree(tmp_path / "saved")


def test_the_frozen_reference_is_the_model_without_adapters(policy):
    before = logits(policy)
    add_adapters(policy, RANK, 6.0, seed=0)
    reference = reference_weights(policy.model)
    move(policy, 0)
    own = logits(policy)
    with reference.applied():
        torch.testing.assert_close(logits(policy), before)
    assert torch.equal(logits(policy), own) and not torch.allclose(own, before)


@pytest.mark.parametrize("kind", ["adapted", "adapted_mixture"])
@pytest.mark.parametrize(("steps", "tolerance"), [(AVERAGE_RANKS - 1, 1e-5), (25, 0.02)])
def test_the_average_is_that_of_the_products(steps, tolerance, kind, request):
    """Exact until the rank is used up; then as near as the rank allows, for weights that move as in training."""
    policy = request.getfixturevalue(kind)
    move(policy, 0)
    average = reference_weights(policy.model, 0.2)
    assert isinstance(average, AdapterAverage)
    start = logits(policy)
    with average.applied():
        assert torch.equal(logits(policy), start)
    expected = products(policy)
    for step in range(steps):
        move(policy, step + 1, size=0.02)
        average.update()
        expected = [0.8 * old + 0.2 * new for old, new in zip(expected, products(policy), strict=True)]
    own = sum(parameter.numel() for parameter in policy.model.parameters() if parameter.requires_grad)
    assert sum(weight.numel() for weight in average.weights) <= AVERAGE_RANKS * own
    with average.applied():
        assert torch.isfinite(logits(policy)).all()
        for found, wanted in zip(products(policy), expected, strict=True):
            assert (found - wanted).norm() <= tolerance * wanted.norm()


def test_experts_are_merged_under_their_own_names(adapted_mixture, mixture_folder):
    move(adapted_mixture, 0)
    merged = load_policy(str(mixture_folder), device="cpu", precision="fp32")
    before = logits(merged)
    merged.model.load_state_dict(dict(merged_weights(adapted_mixture.model)))
    torch.testing.assert_close(logits(merged), logits(adapted_mixture), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(logits(merged), before, atol=1e-2)


@pytest.mark.parametrize("algorithm", ["grpo", "sdpo"])
def test_a_run_with_adapters_goes_on_bit_for_bit(algorithm, tiny_model, tmp_path):
    settings = {"lora_rank": 2, "save_every": 1, "eval_every": 2, "lr": 1e-2}
    settings |= {"context": "both", "preflight_tasks": 0} if algorithm == "sdpo" else {"kl_coef": 0.1}
    whole = run(algorithm, tiny_model, tmp_path / "whole", **settings | {"steps": 4})
    parts = run(algorithm, tiny_model, tmp_path / "parts", **settings | {"steps": 2})
    run(algorithm, tiny_model, parts, **settings | {"steps": 4, "resume": True})
    weights = "adapter_model.safetensors"
    assert contents(parts, weights) == contents(whole, weights)
