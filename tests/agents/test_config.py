"""Settings: each is read by what runs, none only by the check of its value, and those of an update change it."""

import ast
import dataclasses
import functools
import re
from math import inf, nan
from pathlib import Path

import pytest
import torch
from rich.console import Console
from training import make_groups

from agents.config import UpdateConfig, flag
from agents.discovery.config import DiscoveryConfig
from agents.errors import UsageError
from agents.evaluate.chat_client import ServerConfig
from agents.evaluate.config import EvaluateConfig
from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig, PolicyGradientConfig
from agents.policy.load import load_policy, load_trainable
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig, SelfDistillationConfig
from agents.sdpo.presets import PRESETS
from agents.update import Updater

AGENTS = Path(__file__).parents[2] / "agents"
TYPES = (SDPOConfig, GRPOConfig, DiscoveryConfig, EvaluateConfig)


def attributes_read(file):
    tree = ast.parse(file.read_text())
    checks = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "check"
        for inner in ast.walk(node)
    }
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node not in checks}


@pytest.mark.parametrize("config_type", TYPES)
def test_no_setting_is_accepted_and_ignored(config_type):
    read = set().union(*map(attributes_read, AGENTS.rglob("*.py")))
    assert [field.name for field in dataclasses.fields(config_type) if field.name not in read] == []


# A changed value of each setting of an update, and what else has to be set for it to matter.
JSD, EMA, CHOICE = {"divergence": "jsd"}, {"teacher": "ema"}, {"top_k": 3}
OF_ANY_UPDATE = {
    "lora_rank": (2, {}),
    "lora_alpha": (8.0, {"lora_rank": 2}),
    "lr": (0.01, {}),
    "warmup_steps": (5, {}),
    "weight_decay": (0.5, {}),
    "max_grad_norm": (1e-9, {}),  # to where AdamW's epsilon matters
    "minibatches": (4, {}),
    "aggregation": ("sequence", {}),
    "tis_cap": (1.5, {}),
}
OF_SDPO = {
    "reprompt": ("paper", {}),
    "context": ("demonstration", {}),
    "exclude_own_success": (True, {}),
    "max_reprompt_tokens": (100, {}),
    "divergence": ("forward_kl", {}),
    "jsd_alpha": (0.1, JSD),
    "level": ("sequence", {}),
    "top_k": (3, {}),
    "top_k_of": ("teacher", CHOICE),
    "tail": (False, CHOICE),
    "advantage_clip": (0.01, {}),
    "is_clip": (0.5, {}),
    "teacher": ("live", {}),
    "ema_rate": (0.5, EMA),
    "teacher_refresh": (1, {"teacher": "periodic"}),
    "trust_region_mix": (0.9, {"teacher": "trust_region"}),
    "grpo_weight": (0.5, {}),
    "route": ("success", {}),
}
OF_GRPO = {
    "advantage": ("mean_std", {}),
    "ratio": ("sequence", {}),
    "surrogate": ("cispo", {}),
    "clip_low": (0.01, {}),
    "clip_high": (0.01, {}),
    "dual_clip": (1.01, {"clip_low": 0.9}),
    "kl_coef": (0.5, {}),
    "skip_truncated": (True, {}),
}
WITHOUT_EFFECT = {"micro_batch_tokens", "gradient_checkpointing"}  # on the result: they are about memory and time
ELSEWHERE = {"quantize"}  # in test_quantized.py


@functools.cache
def weights_after_updates(model, config_type, settings):
    """From attempts of several lengths that the sampler says it drew with other log-probs, one of them cut off."""
    config = config_type(**{"device": "cpu", "precision": "fp32", "lr": 0.05, "minibatches": 2} | dict(settings))
    if "context" not in dict(settings) and config_type is SDPOConfig:
        config.context = "both"
    config.check()
    groups = make_groups(load_policy(model, device="cpu", precision="fp32"), ({0}, {1, 2}))
    for number, episode in enumerate(groups[0] + groups[1]):
        turn = episode.turns[0]
        turn.response_ids = turn.response_ids[: 3 + number]
        turn.logprobs = [logprob - 0.2 * i for i, logprob in enumerate(turn.logprobs[: 3 + number])]
        turn.truncated = episode is groups[0][1]
    policy = load_trainable(model, config)
    algorithm = GRPO(config, policy) if config_type is GRPOConfig else make_sdpo(config, policy, Console(quiet=True))
    updater = Updater.with_adamw(policy, config)
    for step in (1, 2, 3):
        updater.update(algorithm, algorithm.assign(groups, step)[0])
    return torch.cat([parameter.detach().flatten() for parameter in policy.model.parameters()])


@pytest.mark.parametrize(
    ("config_type", "name"),
    [
        *((config_type, name) for config_type in (SDPOConfig, GRPOConfig) for name in OF_ANY_UPDATE),
        *((SDPOConfig, name) for name in OF_SDPO),
        *((GRPOConfig, name) for name in OF_GRPO),
    ],
)
def test_every_setting_of_an_update_changes_it(config_type, name, tiny_model, one_thread):
    value, others = (OF_ANY_UPDATE | OF_SDPO | OF_GRPO)[name]
    before, after = (
        weights_after_updates(str(tiny_model), config_type, tuple(settings.items()))
        for settings in (others, others | {name: value})
    )
    assert before.shape != after.shape or not torch.equal(before, after)


def test_the_walk_is_over_all_settings():
    def own(config_type):
        bases = {field.name for base in config_type.__bases__ for field in dataclasses.fields(base)}
        return {field.name for field in dataclasses.fields(config_type)} - bases

    assert own(UpdateConfig) == OF_ANY_UPDATE.keys() | WITHOUT_EFFECT | ELSEWHERE
    assert own(SelfDistillationConfig) == OF_SDPO.keys()
    assert own(PolicyGradientConfig) == OF_GRPO.keys()


@pytest.mark.parametrize(
    ("config_type", "settings", "message"),
    [
        (SDPOConfig, {"grpo_weight": 1.5}, "--grpo-weight"),
        (SDPOConfig, {"advantage_clip": 0.0}, "--advantage-clip"),
        (SDPOConfig, {"teacher_refresh": 0}, "--teacher-refresh must be at least 1"),
        (SDPOConfig, {"past_successes": -1}, "--past-successes must be at least 0"),
        (SDPOConfig, {"level": "sequence", "divergence": "jsd"}, "--level sequence knows only --divergence reverse_kl"),
        (GRPOConfig, {"on_collapse": "rollback"}, "--on-collapse rollback needs --save-every and --eval-tasks"),
        (GRPOConfig, {"on_collapse": "rollback", "save_every": 1, "eval_tasks": 0}, "--on-collapse rollback needs"),
        (GRPOConfig, {"lr": inf}, "--lr must be a finite number, not inf"),
        (GRPOConfig, {"weight_decay": inf}, "--weight-decay must be a finite number"),
        (GRPOConfig, {"temperature": inf}, "--temperature must be a finite number"),
        (GRPOConfig, {"engine_timeout": inf}, "--engine-timeout must be a finite number"),
        (GRPOConfig, {"lora_rank": 2, "lora_alpha": inf}, "--lora-alpha must be a finite number"),
        (GRPOConfig, {"success_return": nan}, "--success-return must be a finite number"),
        (GRPOConfig, {"kl_coef": inf}, "--kl-coef must be a finite number"),
        (GRPOConfig, {"tis_cap": nan}, "--tis-cap"),
        (EvaluateConfig, {"model": ("x",), "price_in": inf}, "prices must be finite"),
        (EvaluateConfig, {"model": ("x",), "price_out": nan}, "prices must be finite"),
        (EvaluateConfig, {"model": ("x",), "server": ServerConfig(timeout=inf)}, "--timeout must be a finite number"),
        (EvaluateConfig, {"model": ("x",), "server": ServerConfig(backoff=nan)}, "--backoff must be a finite number"),
        # What would be ignored.
        (SDPOConfig, {"level": "sequence", "top_k": 5}, "--level sequence knows no --top-k;"),
        (SDPOConfig, {"level": "token", "top_k_of": "teacher"}, "--level token knows no --top-k-of"),
        (SDPOConfig, {"level": "token", "tail": False}, "--level token knows no --tail"),
        (SDPOConfig, {"top_k": 0, "top_k_of": "teacher"}, "--top-k 0 knows no --top-k-of"),
        (SDPOConfig, {"top_k": 0, "tail": False}, "--top-k 0 knows no --tail"),
        (SDPOConfig, {"jsd_alpha": 0.1}, "--divergence reverse_kl knows no --jsd-alpha"),
        (SDPOConfig, {"teacher": "frozen", "ema_rate": 0.2}, "--teacher frozen knows no --ema-rate"),
        (SDPOConfig, {"teacher_refresh": 5}, "--teacher ema knows no --teacher-refresh"),
        (SDPOConfig, {"teacher": "live", "trust_region_mix": 0.1}, "--teacher live knows no --trust-region-mix"),
        (SDPOConfig, {"context": "feedback", "exclude_own_success": True}, "--context feedback knows no --exclude-own"),
        (SDPOConfig, {"route": "success", "exclude_own_success": True}, "--route success knows no --exclude"),
        (SDPOConfig, {"top_k": 1, "tail": False}, "--top-k 1 with --no-tail teaches nothing"),
        (GRPOConfig, {"clip_low": 0.1}, "--minibatches 1 knows no --clip-low"),
        (GRPOConfig, {"clip_high": 0.1}, "--minibatches 1 knows no --clip-high"),
        (GRPOConfig, {"dual_clip": 2.0}, "--minibatches 1 knows no --dual-clip"),
        (GRPOConfig, {"ratio": "sequence"}, "--minibatches 1 knows no --ratio"),
        (SDPOConfig, {"context": "feedback", "past_successes": 3}, "--context feedback knows no --past-successes"),
        (GRPOConfig, {"lora_alpha": 8.0}, "--lora-rank 0 knows no --lora-alpha"),
        (GRPOConfig, {"quantize": "4bit", "lora_rank": 2, "shard": True}, "--quantize 4bit knows no --shard"),
        (GRPOConfig, {"surrogate": "cispo", "ratio": "sequence"}, "cispo knows no --ratio"),
        (GRPOConfig, {"kl_coef": -1.0}, "--kl-coef"),
        (GRPOConfig, {"lora_rank": -1}, "--lora-rank"),
        (GRPOConfig, {"extra_batches": -1}, "--extra-batches"),
        (GRPOConfig, {"resume": True}, "--output"),
    ],
)
def test_values_without_sense(config_type, settings, message):
    with pytest.raises(UsageError, match=message):
        config_type(**settings).check()


def test_limits_may_be_infinite():
    SDPOConfig(max_grad_norm=inf, tis_cap=inf, is_clip=inf, advantage_clip=inf).check()


@pytest.mark.parametrize("config_type", [SDPOConfig, GRPOConfig])
def test_the_page_on_the_learners_names_every_option(config_type):
    page = (AGENTS.parent / "docs" / "learners.md").read_text()
    names = [flag(field.name) for field in dataclasses.fields(config_type)]
    assert [name for name in names if not re.search(rf"`{name}[` ]", page)] == []


@pytest.mark.parametrize("teacher", ["frozen", "periodic", "live", "trust_region"])
def test_what_a_preset_says_is_not_held_against_a_flag(teacher):
    """`paper-lcb` has a rate for the moving average; another teacher then needs no word about it."""
    preset = PRESETS["paper-lcb"]
    config = SDPOConfig(**preset | {"teacher": teacher})
    with pytest.raises(UsageError, match="--ema-rate"):
        config.check()
    config.defaults = SDPOConfig(**preset)
    config.check()


def test_clips_are_for_several_minibatches_and_a_preset_s_are_no_one_s_choice():
    GRPOConfig(minibatches=2, clip_low=0.1, clip_high=0.1, dual_clip=2.0, ratio="sequence").check()
    config = GRPOConfig(clip_low=0.1)
    config.defaults = GRPOConfig(minibatches=4, clip_low=0.1)
    config.check()
