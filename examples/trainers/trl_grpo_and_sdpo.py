"""Train with TRL on an environment of this project: GRPO, or SDPO with the environment's feedback.

pip install -e '.[trl]'
python examples/trainers/trl_grpo_and_sdpo.py --method sdpo --model Qwen/Qwen3-0.6B
"""

import argparse

import torch
from trl import GRPOConfig, GRPOTrainer
from trl.experimental.sdpo import SDPOConfig, SDPOTrainer

from sdpo_gym.integrations.trl import EnvironmentReward, make_dataset
from sdpo_gym.integrations.trl_sdpo import FeedbackTeacherContext

ENV = "sdpo/LiveCodeBench-v0"
ENV_ARGS = {"difficulty": "trivial", "split": "train"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=["grpo", "sdpo"], default="sdpo")
    parser.add_argument("--model", default="HuggingFaceTB/SmolLM2-135M-Instruct")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--output", default="runs/trl")
    arguments = parser.parse_args()

    shared = {
        "output_dir": arguments.output,
        "max_steps": arguments.steps,
        "per_device_train_batch_size": 8,
        "num_generations": 8,
        "max_completion_length": 128,
        "learning_rate": 1e-5,
        "logging_steps": 1,
        "report_to": [],
        "use_cpu": not torch.cuda.is_available(),
        "bf16": torch.cuda.is_available(),
    }
    reward = EnvironmentReward(ENV, ENV_ARGS)
    common = {"model": arguments.model, "reward_funcs": reward, "train_dataset": make_dataset(ENV, ENV_ARGS)}
    if arguments.method == "grpo":
        trainer = GRPOTrainer(args=GRPOConfig(**shared), **common)
    else:
        # The paper's loss. TRL's own defaults are the sampled token alone, and no feedback.
        config = SDPOConfig(
            distillation_mode="topk_logits",
            distillation_topk=20,
            distillation_add_tail=True,
            distillation_alpha=0.5,
            include_environment_feedback=True,
            max_prompt_length=None,
            **shared,
        )
        trainer = SDPOTrainer(args=config, **common)
        trainer.teacher_context_builder = FeedbackTeacherContext(trainer, reward)
    trainer.train()
    trainer.save_model()


if __name__ == "__main__":
    main()
