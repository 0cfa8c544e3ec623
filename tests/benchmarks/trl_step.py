"""A step of this project's learners beside one of TRL's, at equal settings: rollouts and update, in one process.

    pip install trl==1.16.0 datasets      # for this benchmark alone
    python tests/benchmarks/trl_step.py   # [--prompt-tokens 200 --max-new-tokens 60 --lora-rank 0 --learners SDPO]

Both train the same model from the same prompts, with as many responses of at most as many tokens, in bf16 autocast
where the hardware has it. A response succeeds if the number of its characters is even, so that about half of them do,
and the teacher has demonstrations. Each one's first step, in which memory is allocated, does not count. TRL's settings
are those of its GRPO, and of its SDPO with the paper's loss (top 100 tokens and a tail).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

import gymnasium  # noqa: E402
import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from rich.console import Console  # noqa: E402
from transformers import TrainerCallback  # noqa: E402
from trl import GRPOConfig as TRLGRPOConfig  # noqa: E402
from trl import GRPOTrainer  # noqa: E402
from trl.experimental.sdpo import SDPOConfig as TRLSDPOConfig  # noqa: E402
from trl.experimental.sdpo import SDPOTrainer  # noqa: E402

from agents.grpo.algorithm import GRPO  # noqa: E402
from agents.grpo.config import GRPOConfig  # noqa: E402
from agents.learner import train  # noqa: E402
from agents.policy.load import load_policy  # noqa: E402
from agents.sdpo.algorithm import make_sdpo  # noqa: E402
from agents.sdpo.config import SDPOConfig  # noqa: E402
from sdpo_gym import Task, TaskList, TextEnv, Verdict, Verifier  # noqa: E402

GROUPS, GROUP_SIZE, TASKS = 4, 8, 32


class EvenLength(Verifier):
    def verify(self, task: Task, response: str) -> Verdict:
        success = len(response) % 2 == 0
        return Verdict(float(success), success, "" if success else "The number of characters is odd.")


class Questions(TextEnv):
    def __init__(self, questions: list[str]):
        tasks = [Task(str(i), ({"role": "user", "content": text},), None) for i, text in enumerate(questions)]
        super().__init__(TaskList(tasks), EvenLength())


def make_questions(policy, tokens: int) -> list[str]:
    """Texts whose prompts have about so many tokens."""
    texts = []
    for number in range(TASKS):
        text = f"Question {number}: tell a story about all of these."
        while len(policy.render([{"role": "user", "content": text}])) < tokens:
            text += f" Thing {len(text) * 7919 % 1000}, which is known for its {len(text) * 104729 % 100} parts."
        texts.append(text)
    return texts


def ours(name: str, options: argparse.Namespace, model: str, output: str) -> tuple[list[float], float, float]:
    """Seconds of each step, and means of the responses' length and of the seconds that sampling them took."""
    settings = {
        "env": "benchmark/Questions-v0", "model": model, "output": Path(output) / "ours", "steps": options.steps + 1,
        "tasks_per_step": GROUPS, "group_size": GROUP_SIZE, "max_new_tokens": options.max_new_tokens, "lr": 1e-6,
        "eval_tasks": 0, "lora_rank": options.lora_rank,
    }  # fmt: skip
    console = Console(quiet=True)
    if name == "GRPO":
        config = GRPOConfig(**settings)
        train(config, lambda policy, _: GRPO(config, policy), console)
    else:
        config = SDPOConfig(**settings, preflight_tasks=0)
        train(config, lambda policy, console: make_sdpo(config, policy, console), console)
    records = [json.loads(line) for line in (Path(output) / "ours" / "metrics.jsonl").read_text().splitlines()]
    seconds = [sum(value for key, value in record.items() if key.endswith("_seconds")) for record in records]
    lengths, sampling = ([record[key] for record in records[1:]] for key in ("response_tokens", "sample_seconds"))
    return seconds[1:], statistics.mean(lengths), statistics.mean(sampling)


class Clock(TrainerCallback):
    """Seconds of each step, and what TRL says of the responses' length."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.lengths: list[float] = []

    def on_step_begin(self, args, state, control, **kwargs):
        self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        self.seconds.append(time.perf_counter() - self.started)

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.lengths += [value for key, value in (logs or {}).items() if key == "completions/mean_length"]


def theirs(
    name: str, options: argparse.Namespace, model: str, output: str, questions: list[str]
) -> tuple[list[float], float]:
    settings = {
        "output_dir": output, "max_steps": options.steps + 1, "per_device_train_batch_size": GROUP_SIZE,
        "gradient_accumulation_steps": GROUPS, "num_generations": GROUP_SIZE, "learning_rate": 1e-6,
        "max_completion_length": options.max_new_tokens, "logging_steps": 1, "report_to": [], "save_strategy": "no",
        "use_cpu": not torch.cuda.is_available(), "bf16": options.bf16, "disable_tqdm": True,
        "gradient_checkpointing": False,
    }  # fmt: skip
    clock = Clock()
    arguments = {
        "model": model,
        "reward_funcs": lambda completions, **_: [float(len(c[0]["content"]) % 2 == 0) for c in completions],
        "train_dataset": Dataset.from_list([{"prompt": [{"role": "user", "content": text}]} for text in questions]),
        "callbacks": [clock],
    }
    if options.lora_rank:
        arguments["peft_config"] = LoraConfig(
            r=options.lora_rank, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
        )
    if name == "GRPO":
        trainer = GRPOTrainer(args=TRLGRPOConfig(**settings, model_init_kwargs={"dtype": "float32"}), **arguments)
    else:
        loss = {"distillation_mode": "topk_logits", "distillation_topk": 100, "distillation_add_tail": True}
        trainer = SDPOTrainer(
            args=TRLSDPOConfig(
                **settings, **loss, max_prompt_length=None, dont_reprompt_on_self_success=False,
                model_init_kwargs={"dtype": "float32"},
            ),
            **arguments,
        )  # fmt: skip
    trainer.train()
    return clock.seconds[1:], statistics.mean(clock.lengths[1:] or [float("nan")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--prompt-tokens", type=int, default=200)
    parser.add_argument("--max-new-tokens", type=int, default=60)
    parser.add_argument("--lora-rank", type=int, default=0)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--learners", nargs="+", choices=["GRPO", "SDPO"], default=["GRPO", "SDPO"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        policy = load_policy(options.model)
        options.bf16 = policy.compute_dtype == torch.bfloat16
        questions = make_questions(policy, options.prompt_tokens)
        policy.save(Path(folder) / "model")
        del policy
        gymnasium.register("benchmark/Questions-v0", entry_point=lambda **_: Questions(questions))
        model = str(Path(folder) / "model")
        print(f"{GROUPS} prompts of {options.prompt_tokens} tokens, {GROUP_SIZE} responses each; seconds per step")
        for name in options.learners:
            mine, length, sampling = ours(name, options, model, f"{folder}/{name}")
            other, their_length = theirs(name, options, model, f"{folder}/{name}-trl", questions)
            print(
                f"{name}: ours {statistics.median(mine):.2f} ({sampling:.2f} sampling, {length:.0f} tokens each), "
                f"TRL {statistics.median(other):.2f} ({their_length:.0f}), "
                f"ratio {statistics.median(other) / statistics.median(mine):.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
