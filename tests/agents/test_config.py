"""Settings: each is read by what runs, and none only by the check of its value."""

import ast
import dataclasses
from pathlib import Path

import pytest

from agents.discovery.config import DiscoveryConfig
from agents.errors import UsageError
from agents.evaluate.config import EvaluateConfig
from agents.grpo.config import GRPOConfig
from agents.sdpo.config import SDPOConfig

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


@pytest.mark.parametrize(
    ("config_type", "settings", "message"),
    [
        (SDPOConfig, {"grpo_weight": 1.5}, "--grpo-weight"),
        (SDPOConfig, {"grpo_weight": 0.5, "route": "success"}, "--route"),
        (SDPOConfig, {"advantage_clip": 0.0}, "--advantage-clip"),
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
