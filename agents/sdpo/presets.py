"""The settings of the paper's runs (arXiv 2601.20802, Table 12), for Qwen3-8B and the like.

Where the paper and its authors' code differ, these are the paper's. There are settings among them for another --teacher
than theirs: a configuration made of a preset has that as its `defaults`, as the commands see to.
"""

from typing import Any

_COMMON: dict[str, Any] = {
    "template_arg": ["enable_thinking=false"],
    "tasks_per_step": 32,
    "group_size": 8,
    "max_new_tokens": 8192,
    "max_reprompt_tokens": 10_240,
    "temperature": 1.0,
    "top_p": 1.0,
    "reprompt": "paper",
    "level": "logit",
    "tail": True,
    "aggregation": "token",
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "tis_cap": 2.0,
    "is_clip": 2.0,
    "teacher": "ema",
}

PRESETS: dict[str, dict[str, Any]] = {
    # Section 3: multiple choice and tools, without feedback; one optimizer step per batch.
    "paper-science": _COMMON
    | {
        "context": "demonstration",
        "divergence": "jsd",
        "jsd_alpha": 0.5,
        "top_k": 100,
        "ema_rate": 0.05,
        "lr": 1e-5,
        "warmup_steps": 10,
        "minibatches": 1,
    },
    # Section 4: LiveCodeBench, with feedback where there is no success; an optimizer step per question that has a
    # context. Its questions:
    # --env sdpo/LiveCodeBench-v0 --env-arg preset=sdpo-paper --env-arg split=train --env-arg prompt=sdpo.
    "paper-lcb": _COMMON
    | {
        "context": "demonstration-else-feedback",
        "divergence": "reverse_kl",
        "top_k": 20,
        "ema_rate": 0.01,
        "trust_region_mix": 0.01,
        "lr": 1e-6,
        "warmup_steps": 0,
        "minibatches": 32,
    },
}

TEST_TIME: dict[str, Any] = {
    "template_arg": ["enable_thinking=false"],
    "max_new_tokens": 8192,
    "max_reprompt_tokens": 10_240,
    "reprompt": "paper",
    "context": "feedback",
    "divergence": "reverse_kl",
    "top_k": 20,
    "advantage_clip": 5.0,
    "ema_rate": 0.01,
    "lr": 1e-6,
    "warmup_steps": 0,
    "batch_size": 16,
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "tis_cap": 2.0,
    "teacher": "ema",
    "budget": 2750,
    "seeds": 5,
}
"""Section 5: one question at a time, until the first success."""
