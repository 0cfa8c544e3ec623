"""The settings of the SDPO paper's baselines (arXiv 2601.20802, Table 13), for Qwen3-8B and the like."""

from typing import Any

_COMMON: dict[str, Any] = {
    "template_arg": ["enable_thinking=false"],
    "tasks_per_step": 32,
    "group_size": 8,
    "max_new_tokens": 8192,
    "temperature": 1.0,
    "top_p": 1.0,
    "advantage": "mean",
    "clip_low": 0.2,
    "clip_high": 0.28,
    "dual_clip": 3.0,
    "kl_coef": 0.0,
    "aggregation": "token",
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "tis_cap": 2.0,
}

PRESETS: dict[str, dict[str, Any]] = {
    "paper": _COMMON | {"lr": 1e-6, "minibatches": 4},
    "paper-on-policy": _COMMON | {"lr": 1e-5, "minibatches": 1},
}
