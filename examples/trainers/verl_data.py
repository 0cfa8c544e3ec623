"""Write questions for verl, the SDPO authors' fork or SkyRL: training is rewarded by visible tests, validation by all.

pip install -e '.[parquet]'
python examples/trainers/verl_data.py data/
"""

import argparse
from pathlib import Path

from sdpo_gym.integrations.parquet import write_parquet

ENV = "sdpo/LiveCodeBench-v0"
ENV_ARGS = {"difficulty": ["trivial", "basic", "easy"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=1, help="responses that an episode allows (default: %(default)s)")
    arguments = parser.parse_args()

    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, split in (("train", "train"), ("validation", "test")):
        env_args = ENV_ARGS | {"split": split, "max_turns": arguments.turns}
        file = arguments.folder / f"{name}.parquet"
        count = write_parquet(file, ENV, env_args, split=name, episodes=arguments.turns > 1)
        print(f"{file}: {count} questions")


if __name__ == "__main__":
    main()
