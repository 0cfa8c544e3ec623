"""Training runs that are done by one process and by two, which each have the whole model or a part of it."""

import sys
from pathlib import Path
from unittest.mock import patch

import torch
from training import run

from agents.collapse import CollapseGuard
from agents.policy.load import load_policy
from agents.policy.sharding import gathered, shard
from agents.processes import Processes

REMEMBERING = {"top_k_of": "teacher", "top_k": 20, "past_successes": 2, "curriculum": "uncertain"}
RUNS = {
    # Three groups for two processes; of one attempt at a time, and not always at the same time, they ask the teacher.
    "sdpo": (
        "sdpo",
        {"tasks_per_step": 3, "micro_batch_tokens": 60, "route": "success", "gradient_checkpointing": True}
        | {
            "eval_tasks": 5,
            "eval_samples": 3,
        }  # two processes with 8 environments each: two groups in each, not 5 in all
        | REMEMBERING,
    ),
    # Nine contexts, no two the same: the teacher reads two at a time, those of four attempts here, of five there.
    "feedback": (
        "sdpo",
        {"env": "toy/Echo-v0", "context": "feedback", "teacher": "trust_region", "micro_batch_tokens": 70}
        | {"tasks_per_step": 3, "group_size": 3, "steps": 1},
    ),
    # One group, of which a process gets none.
    "grpo": ("grpo", {"tasks_per_step": 1, "minibatches": 2, "group_size": 3, "steps": 3}),
    "lora": ("grpo", {"lora_rank": 2, "advantage": "leave_one_out", "gradient_checkpointing": True}),
}


def run_all(model: Path, output: Path, *, shard: bool = False) -> None:
    for name, (algorithm, settings) in RUNS.items():
        run(algorithm, model, output / name, **settings, shard=shard)
    settings = RUNS["sdpo"][1] | {"save_every": 1}
    run("sdpo", model, output / "resumed", **settings, steps=1)
    run("sdpo", model, output / "resumed", **settings, shard=shard, resume=True)
    with patch.object(CollapseGuard, "check", lambda guard, metrics: "it has collapsed"):
        run("grpo", model, output / "rolled-back", on_collapse="rollback", save_every=1, shard=shard)


def divide(model: Path) -> None:
    """Each process keeps about half of the weights, and gets all of them back when it needs them."""
    processes = Processes.join("cpu")
    policy = load_policy(str(model), device="cpu", precision="fp32")
    expected = {name: weight.detach().clone() for name, weight in policy.model.named_parameters()}
    shard(policy, processes)
    total = sum(weight.numel() for weight in expected.values())
    own = sum(parameter.to_local().numel() for parameter in policy.model.parameters())
    assert 0.45 * total < own < 0.55 * total
    assert processes.add_up({"own": own}) == {"own": total}
    with gathered(policy.model):
        assert all(torch.equal(weight, expected[name]) for name, weight in policy.model.named_parameters())


if __name__ == "__main__":
    torch.set_num_threads(1)
    model, output = map(Path, sys.argv[1:])
    run_all(model, output)
    run_all(model, output / "sharded", shard=True)
    divide(model)
