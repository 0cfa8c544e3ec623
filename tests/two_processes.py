"""Training runs that are done by one process and by two."""

import sys
from pathlib import Path

import torch
from training import run

REMEMBERING = {"top_k_of": "teacher", "top_k": 20, "past_successes": 2, "curriculum": "uncertain"}
RUNS = {
    # Three groups for two processes.
    "sdpo": ("sdpo", {"tasks_per_step": 3, "micro_batch_tokens": 60, "grpo_weight": 0.3} | REMEMBERING),
    # One group, of which a process gets none.
    "grpo": ("grpo", {"tasks_per_step": 1, "minibatches": 2, "group_size": 3, "steps": 3}),
    "lora": ("grpo", {"lora_rank": 2, "advantage": "leave_one_out", "gradient_checkpointing": True}),
}


def run_all(model: Path, output: Path) -> None:
    for name, (algorithm, settings) in RUNS.items():
        run(algorithm, model, output / name, **settings)
    settings = RUNS["sdpo"][1] | {"save_every": 1}
    run("sdpo", model, output / "resumed", **settings, steps=1)
    run("sdpo", model, output / "resumed", **settings, resume=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_all(Path(sys.argv[1]), Path(sys.argv[2]))
