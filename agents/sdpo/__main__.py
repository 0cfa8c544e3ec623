"""`python -m agents.sdpo`"""

from agents.cli import run_command
from agents.learner import train
from agents.sdpo.algorithm import SDPO
from agents.sdpo.config import SDPOConfig


def main(config: SDPOConfig) -> None:
    train(config, lambda policy, console: SDPO(config, policy, console))


if __name__ == "__main__":
    run_command("agents.sdpo", SDPOConfig, main)
