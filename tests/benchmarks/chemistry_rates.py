"""How many tasks of sdpo/Chemistry-v0 are made and judged per second? python tests/benchmarks/chemistry_rates.py

Tasks per second of this process's CPU time, for each family and level. Verified are groups of four answers to a
task: its own and those of three other tasks. What was read before is forgotten for each group.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from envs.chemistry.answers import posed
from envs.chemistry.env import ChemistryEnv
from envs.chemistry.families import FAMILIES
from envs.chemistry.smiles.read import read_molecule

LEVELS = range(5)
GROUP = 4


def rates(family: str, level: int, split: str, count: int) -> tuple[float, float]:
    """Tasks made and verified per second."""
    env = ChemistryEnv(families=family, levels=level, split=split)
    start = time.process_time()
    tasks = [env.tasks[number] for number in range(count)]
    made = count / (time.process_time() - start)
    solved = 0
    start = time.process_time()
    for i, task in enumerate(tasks):
        read_molecule.cache_clear()
        answers = [posed(tasks[i - shift].answer_key["answer"], "tags") for shift in range(GROUP)]
        solved += sum(verdict.success for verdict in env.verifier.verify_many([task] * GROUP, answers))
    verified = GROUP * count / (time.process_time() - start)
    assert solved >= count
    return made, verified


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=200, help="for each family and level")
    parser.add_argument(
        "--split", default="train", help="making tasks of `test` takes longer: one question in ten is for it"
    )
    options = parser.parse_args()
    made, verified = {}, {}
    for family in FAMILIES:
        found = [rates(family, level, options.split, options.tasks) for level in LEVELS]
        made[family], verified[family] = zip(*found, strict=True)
    for title, table in (("made", made), ("verified", verified)):
        print(f"{title + ' per second':22}" + "".join(f"{f'level {level}':>9}" for level in LEVELS))
        for family, numbers in table.items():
            print(f"{family:22}" + "".join(f"{number:9.0f}" for number in numbers))
        print(f"{'slowest':22}{min(min(numbers) for numbers in table.values()):9.0f}\n")


if __name__ == "__main__":
    main()
