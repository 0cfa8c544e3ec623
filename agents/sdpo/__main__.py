"""`python -m agents.sdpo`"""

from agents.cli import run_command
from agents.learner import train
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig
from agents.sdpo.presets import PRESETS


def main(config: SDPOConfig) -> None:
    train(config, lambda policy, console: make_sdpo(config, policy, console))


if __name__ == "__main__":
    run_command("agents.sdpo", SDPOConfig, main, PRESETS)
