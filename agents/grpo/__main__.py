"""`python -m agents.grpo`"""

from agents.cli import run_command
from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig
from agents.grpo.presets import PRESETS
from agents.learner import train


def main(config: GRPOConfig) -> None:
    train(config, lambda policy, console: GRPO(config, policy))


if __name__ == "__main__":
    run_command("agents.grpo", GRPOConfig, main, PRESETS)
