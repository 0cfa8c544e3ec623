"""Frozen weights of 4 bits under trained adapters (QLoRA)."""

import pytest
import torch
from conftest import save_tiny_model
from rich.console import Console
from training import contents, make_groups, make_updater, run
from transformers.utils import is_bitsandbytes_available

from agents.errors import UsageError
from agents.grpo.config import GRPOConfig
from agents.policy import load
from agents.policy.load import load_policy, load_trainable
from agents.policy.next_tokens import next_tokens
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig

with_bitsandbytes = pytest.mark.skipif(not is_bitsandbytes_available(), reason="needs the extra [qlora]: bitsandbytes")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Scales are of 64 weights each, so that rows should not be shorter."""
    return save_tiny_model(tmp_path_factory.mktemp("wide") / "model", width=64)


def test_only_adapters_can_be_trained_on_them():
    with pytest.raises(UsageError, match="--quantize 4bit needs --lora-rank"):
        GRPOConfig(quantize="4bit").check()


def test_without_bitsandbytes_the_message_says_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setattr(load, "is_bitsandbytes_available", lambda: False)
    with pytest.raises(UsageError, match=r"pip install 'sdpo-gym\[qlora\]'"):
        run("grpo", model, tmp_path / "run", quantize="4bit", lora_rank=2)


def quantized(model, **settings):
    config = SDPOConfig(device="cpu", precision="fp32", quantize="4bit", lora_rank=2, **settings)
    return config, load_trainable(str(model), config)


@with_bitsandbytes
def test_the_linear_layers_are_stored_in_four_bits_and_compute_nearly_the_same(model):
    _, policy = quantized(model)
    stored = [p for p in policy.model.parameters() if p.dtype == torch.uint8]
    assert len(stored) == 2 * 7 and all(p.requires_grad == ("lora" in n) for n, p in policy.model.named_parameters())
    assert policy.head_is_plain
    full = load_policy(str(model), device="cpu", precision="fp32")
    layer, own = full.model.model.layers[0].mlp.up_proj, policy.model.get_base_model().model.layers[0].mlp.up_proj
    states = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        exact, found = layer(states), own(states)
    assert 0 < (found - exact).norm() < 0.15 * exact.norm()


@with_bitsandbytes
@pytest.mark.parametrize("teacher", ["ema", "frozen", "periodic"])
def test_an_update_is_that_of_adapters_on_the_rounded_weights(teacher, model):
    """Through all layers; and nothing but the adapters changes."""
    settings = {"lr": 0.1, "context": "both", "teacher": teacher}
    config, policy = quantized(model, **settings)
    rounded = load_trainable(str(model), SDPOConfig(device="cpu", precision="fp32", lora_rank=2, **settings))
    linear = {name: layer for name, layer in rounded.model.named_modules() if isinstance(layer, torch.nn.Linear)}
    for name, layer in policy.model.named_modules():
        if hasattr(layer, "weight") and layer.weight.dtype == torch.uint8 and "base_layer" in name:
            linear[name].weight.data = dequantized(layer)
    groups = make_groups(policy, ({0}, {1, 2}))
    trained = []
    for one in (policy, rounded):
        before = {name: parameter.detach().clone() for name, parameter in one.model.named_parameters()}
        algorithm = make_sdpo(config, one, Console(quiet=True))
        updater = make_updater(one, config)
        updater.optimizer = torch.optim.SGD([p for p in one.model.parameters() if p.requires_grad], lr=0.1)
        for step in (1, 2):
            updater.update(algorithm, algorithm.assign(groups, step)[0])
        changes = {name: parameter.detach() - before[name] for name, parameter in one.model.named_parameters()}
        assert {name for name, change in changes.items() if change.any()} == {n for n in changes if "lora" in n}
        trained.append(torch.cat([change.flatten() for name, change in changes.items() if "lora" in name]))
    torch.testing.assert_close(*trained, atol=1e-5, rtol=1e-3)


def dequantized(layer):
    from bitsandbytes.functional import dequantize_4bit

    return dequantize_4bit(layer.weight.data, layer.weight.quant_state)


@pytest.fixture
def stored_quantized(monkeypatch):
    """Every checkpoint is loaded as if a layer were stored in integers."""
    whole = load.AutoModelForCausalLM.from_pretrained

    def from_pretrained(*args, **options):
        model, report = whole(*args, **options)
        layer = model.get_decoder().layers[0].mlp.up_proj
        layer.weight = torch.nn.Parameter(layer.weight.to(torch.int8), requires_grad=False)
        model.is_quantized = True
        return model, report

    monkeypatch.setattr(load.AutoModelForCausalLM, "from_pretrained", from_pretrained)


@pytest.mark.usefixtures("stored_quantized")
def test_weights_that_are_stored_quantized_are_only_used(model):
    policy = load_policy(str(model), device="cpu", precision="fp32")
    assert not any(parameter.requires_grad for parameter in policy.model.parameters())
    for settings in ({}, {"lora_rank": 2}):
        with pytest.raises(UsageError, match="are stored quantized and cannot be trained; take"):
            load_trainable(str(model), SDPOConfig(device="cpu", **settings))


@with_bitsandbytes
def test_a_checkpoint_of_four_bits(model, tmp_path):
    """It is evaluated, adapters are trained on it, and these are evaluated on it."""
    _, policy = quantized(model)
    policy.model.unload().save_pretrained(tmp_path / "stored")
    policy.tokenizer.save_pretrained(tmp_path / "stored")
    stored = load_policy(str(tmp_path / "stored"), device="cpu", precision="fp32")
    assert next_tokens(stored, [[5, 6]], [[7, 8]]).logits().isfinite().all()
    with pytest.raises(UsageError, match="are stored quantized"):
        load_trainable(str(tmp_path / "stored"), SDPOConfig(device="cpu", lora_rank=2))
    _, adapted = quantized(tmp_path / "stored")
    adapted.save(tmp_path / "adapters")
    evaluated = load_policy(str(tmp_path / "adapters"), device="cpu", precision="fp32")
    assert not any(parameter.requires_grad for parameter in evaluated.model.parameters())
    found, expected = (next_tokens(one, [[5, 6]], [[7, 8]]).logits() for one in (evaluated, stored))
    torch.testing.assert_close(found, expected)


@with_bitsandbytes
def test_a_run_goes_on_bit_for_bit(model, tmp_path):
    settings = {"quantize": "4bit", "lora_rank": 2, "save_every": 1, "lr": 1e-2, "context": "both", "eval_tasks": 0}
    whole = run("sdpo", model, tmp_path / "whole", **settings | {"steps": 4})
    parts = run("sdpo", model, tmp_path / "parts", **settings | {"steps": 2})
    run("sdpo", model, parts, **settings | {"steps": 4, "resume": True})
    assert contents(parts, "adapter_model.safetensors") == contents(whole, "adapter_model.safetensors")
    # The adapters are also read without quantisation, merged into the full weights.
    merged = load_policy(str(whole / "checkpoint"), device="cpu", precision="fp32")
    assert all(p.dtype == torch.float32 for p in merged.model.parameters())
    assert next_tokens(merged, [[5, 6]], [[7, 8]]).logits().isfinite().all()
