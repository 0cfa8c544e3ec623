"""Does this project judge like LiveCodeBench's own grader? python tests/benchmarks/livecodebench_agreement.py

Both judge the edge cases of tests/livecodebench_edge_cases.py and, where ../shared/data is, right and mutated solutions
of 120 real tasks. Prints the agreement and every difference.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from livecodebench_edge_cases import EDGE_CASES  # noqa: E402
from livecodebench_mutants import mutants  # noqa: E402
from official_grader import MISSING, Grading, find_grader, grade  # noqa: E402

from envs.livecodebench.env import LiveCodeBenchEnv  # noqa: E402
from envs.livecodebench.verifier import LiveCodeBenchVerifier  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "livecodebench" / "mbpp_plus_120.jsonl.gz"
TIMEOUT = 3


def edge_cases() -> None:
    official = grade([case.grading for case in EDGE_CASES])
    ours = [case.solved() for case in EDGE_CASES]
    agreeing = sum(map(bool.__eq__, official, ours))
    print(f"edge cases: {agreeing} of {len(EDGE_CASES)} judged alike")
    print(f"{'case':48}{'official':10}{'here':6}documented as")
    for case, one, other in zip(EDGE_CASES, official, ours, strict=True):
        if one != other or case.difference:
            print(f"{case.name:48}{'yes' if one else 'no':10}{'yes' if other else 'no':6}{case.difference or '?'}")


def real_tasks(count: int) -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        references = {row["question_id"]: row["_reference"] for row in map(json.loads, file)}
    tasks, programs = [], []
    for task in LiveCodeBenchEnv(data=DATA).tasks:
        reference = references[task.id]
        for program in (reference, *mutants(reference, count, random.Random(task.id))):
            tasks.append(task)
            programs.append(program)
    gradings = []
    for task, program in zip(tasks, programs, strict=True):
        tests = task.answer_key["tests"]
        inputs, outputs = (tuple(test[key] for test in tests) for key in ("input", "output"))
        gradings.append(Grading(program, inputs, outputs, task.answer_key["entry_point"], TIMEOUT))
    start = time.perf_counter()
    official = grade(gradings)
    middle = time.perf_counter()
    verdicts = LiveCodeBenchVerifier(time_limit=TIMEOUT).verify_many(
        tasks, [f"```python\n{program}\n```" for program in programs]
    )
    end = time.perf_counter()
    ours = [verdict.success for verdict in verdicts]
    right = [program == references[task.id] for task, program in zip(tasks, programs, strict=True)]
    for name, kind in (("right", True), ("mutated", False)):
        pairs = [(a, b) for a, b, is_right in zip(official, ours, right, strict=True) if is_right == kind]
        alike = sum(a == b for a, b in pairs)
        print(
            f"{name} solutions of {len(references)} real tasks: {alike} of {len(pairs)} judged alike; accepted by the "
            f"official grader {sum(a for a, _ in pairs)}, here {sum(b for _, b in pairs)}"
        )
    for task, program, one, verdict in zip(tasks, programs, official, verdicts, strict=True):
        if one != verdict.success:
            print(f"\n{task.id}: official {one}, here {verdict.success}\n{program}\n{verdict.feedback}")
    print(f"time: official {middle - start:.1f} s (stops at a failure), here {end - middle:.1f} s (runs all tests)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=4, help="mutated solutions of each real task")
    options = parser.parse_args()
    if find_grader() is None:
        raise SystemExit(MISSING)
    edge_cases()
    if DATA.exists():
        real_tasks(options.mutants)
    else:
        print(f"no real tasks: {DATA} is not there")


if __name__ == "__main__":
    main()
