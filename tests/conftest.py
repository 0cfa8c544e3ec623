"""What several test modules use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("sdpo-gym", deadline=None)
settings.load_profile("sdpo-gym")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def save_tiny_model(
    folder: Path, *, chat_template: str | None = CHAT_TEMPLATE, seed: int = 0, width: int = 32, tied: bool = False
) -> Path:
    """Write a random two-layer Llama with a byte tokenizer, in the layout of `from_pretrained`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    specials = ["<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*specials, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", bos_token="<|im_start|>")
    fast.chat_template = chat_template
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=1,
        tie_word_embeddings=tied,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def tiny_gemma3():
    """A random Gemma 3 with eyes, whose language model has a config within the model's."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = sizes | {"vocab_size": 258, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 64}
    vision = sizes | {"image_size": 16, "patch_size": 8}
    tokens = {"image_token_index": 200, "boi_token_index": 201, "eoi_token_index": 202, "mm_tokens_per_image": 4}
    config = Gemma3Config(text_config=text, vision_config=vision, bos_token_id=0, eos_token_id=1, **tokens)
    return Gemma3ForConditionalGeneration(config)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """Folder of a random tiny chat model; not to be written to."""
    pytest.importorskip("transformers", reason="no agents without them; pip install 'sdpo-gym[agents]'")
    return save_tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def one_thread():
    """A tiny model is slower with several threads, above all on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def policy(tiny_model):
    """A fresh policy with the tiny model's weights, in float32."""
    from agents.policy.load import load_policy

    return load_policy(str(tiny_model), device="cpu", precision="fp32")
