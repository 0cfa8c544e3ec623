"""How fast are submissions graded, beside LiveCodeBench's own grader? python tests/benchmarks/sandbox_throughput.py

Five problems with 20 tests each, of which right solutions are graded, a process of either grader per CPU, by turns; and
solutions that every test rejects: the official grader ends at the first, as ours does with max_failures=1. The official
grader is NVIDIA's package of it (pip install --no-deps nvidia-livecodebench==26.3, and tqdm); it runs in a process of
its own. Then how long one submission takes on an idle worker.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]

from envs.livecodebench.rows import Test  # noqa: E402
from envs.livecodebench.verifier import LiveCodeBenchVerifier, make_answer_key  # noqa: E402
from sdpo_gym import Task  # noqa: E402
from sdpo_gym.sandbox import LocalSandbox, Program  # noqa: E402

TESTS = 20
OFFICIAL = """
import json, sys, time
from livecodebench.evaluation.compute_code_generation_metrics import evaluate_generations
job = json.load(sys.stdin)
start = time.perf_counter()
results, _ = evaluate_generations(job["samples"], job["codes"], num_process_evaluate=job["processes"], timeout=6)
seconds = time.perf_counter() - start
print(json.dumps([seconds, sum(all(x is True for x in result[0]) for result in results.values())]))
"""


@dataclass(frozen=True)
class Problem:
    """A problem with a right solution, and inputs."""

    name: str
    light: bool
    code: str
    inputs: list[str]
    entry_point: str | None = None


def make_problems() -> list[Problem]:
    rng = random.Random(0)

    def numbers(count: int, most: int) -> list[int]:
        return [rng.randint(1, most) for _ in range(count)]

    def repeat(make) -> list[str]:
        return [make() for _ in range(TESTS)]

    return [
        Problem(
            "sum of odd numbers",
            True,
            "n = int(input())\nprint(sum(x for x in map(int, input().split()) if x % 2))",
            repeat(lambda: f"50\n{' '.join(map(str, numbers(50, 999)))}\n"),
        ),
        Problem(
            "knapsack",
            False,
            "n, w = map(int, input().split())\nbest = [0] * (w + 1)\nfor _ in range(n):\n"
            "    a, b = map(int, input().split())\n    for i in range(w, a - 1, -1):\n"
            "        best[i] = max(best[i], best[i - a] + b)\nprint(best[w])",
            repeat(lambda: "12 900\n" + "".join(f"{rng.randint(1, 90)} {rng.randint(1, 999)}\n" for _ in range(12))),
        ),
        Problem(
            "prime factors",
            True,
            "n = int(input())\nd, found = 2, []\nwhile d * d <= n:\n    while n % d == 0:\n        found.append(d)\n"
            "        n //= d\n    d += 1\nprint(*found, *([n] if n > 1 else []))",
            repeat(lambda: f"{rng.randint(2, 10**6)}\n"),
        ),
        Problem(
            "count pairs",
            True,
            "class Solution:\n    def countPairs(self, nums, k):\n        from collections import Counter\n"
            "        c = Counter(nums)\n        return sum(c[x] * c[x + k] for x in c)",
            repeat(lambda: f"{json.dumps(numbers(60, 30))}\n{rng.randint(1, 9)}"),
            "countPairs",
        ),
        Problem(
            "longest palindrome",
            True,
            "class Solution:\n    def longest(self, s):\n        best = ''\n        for i in range(len(s)):\n"
            "            for j in (i, i + 1):\n                a, b = i, j\n"
            "                while a >= 0 and b < len(s) and s[a] == s[b]:\n                    a, b = a - 1, b + 1\n"
            "                best = max(best, s[a + 1:b], key=len)\n        return best",
            repeat(lambda: json.dumps("".join(rng.choices("ab", k=40)))),
            "longest",
        ),
    ]


def answers(sandbox: LocalSandbox, problem: Problem) -> list[str]:
    """What the solution answers; these are the expected outputs."""
    mode = "function" if problem.entry_point else "stdin"
    results = sandbox.run(Program(problem.code, mode, problem.entry_point), problem.inputs)
    return [json.dumps(result.value) if problem.entry_point else result.stdout for result in results]


def official(jobs: list[tuple[Problem, list[str]]], processes: int, *, right: bool = True) -> float:
    """Submissions per second, of which all or none are right."""
    samples = [
        {"input_output": json.dumps({"inputs": p.inputs, "outputs": expected, "fn_name": p.entry_point})}
        for p, expected in jobs
    ]
    job = {"samples": samples, "codes": [[p.code] for p, _ in jobs], "processes": processes}
    done = subprocess.run([sys.executable, "-c", OFFICIAL], input=json.dumps(job), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the official grader does not run here: {done.stderr[-500:]}")
    seconds, passed = json.loads(done.stdout.splitlines()[-1])
    assert passed == right * len(jobs), f"the official grader passes {passed} of {len(jobs)} solutions"
    return len(jobs) / seconds


def ours(verifier: LiveCodeBenchVerifier, jobs: list[tuple[Problem, list[str]]], *, right: bool = True) -> float:
    """Submissions per second, of which all or none are right."""
    tasks = [make_task(p, expected) for p, expected in jobs]
    start = time.perf_counter()
    verdicts = verifier.verify_many(tasks, [f"```python\n{p.code}\n```" for p, _ in jobs])
    seconds = time.perf_counter() - start
    assert all(verdict.success == right for verdict in verdicts)
    return len(jobs) / seconds


def make_task(problem: Problem, expected: list[str]) -> Task:
    tests = [Test(text, output, visible=True) for text, output in zip(problem.inputs, expected, strict=True)]
    return Task(problem.name, ({"role": "user", "content": ""},), make_answer_key(problem.entry_point, tests))


def print_rates(name: str, theirs: list[float], mine: list[float]) -> None:
    a, b = statistics.median(theirs), statistics.median(mine)
    print(f"{name:36}{a:10.1f}{b:10.1f}{b / a:8.1f}")


def print_latencies(sandbox: LocalSandbox, count: int) -> None:
    inputs = [str(i) for i in range(TESTS)]
    right, wrong = "print(int(input()) + 1)", "print(int(input()) + 2)"
    accept = lambda index, result: result.stdout == f"{index + 1}\n"  # noqa: E731
    kinds = {
        f"{TESTS} tiny tests, all right": lambda: sandbox.run(Program(right, "stdin"), inputs, accept=accept),
        f"{TESTS} tiny tests, a process each": lambda: sandbox.run(Program(right, "stdin"), inputs),
        "first test wrong, then stopped": lambda: sandbox.run(
            Program(wrong, "stdin"), inputs, accept=accept, stop=lambda index, result: True
        ),
    }
    print(f"\n{'one submission, ms':36}{'min':>8}{'p50':>8}{'p90':>8}")
    for name, run in kinds.items():
        times = []
        for _ in range(count):
            start = time.perf_counter()
            run()
            times.append(1e3 * (time.perf_counter() - start))
        times.sort()
        print(f"{name:36}{times[0]:8.1f}{times[count // 2]:8.1f}{times[9 * count // 10]:8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=30, help="of each problem, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    processes = len(os.sched_getaffinity(0))
    with contextlib.closing(LocalSandbox()) as sandbox:
        verifier = LiveCodeBenchVerifier(sandbox)
        problems = [(problem, answers(sandbox, problem)) for problem in make_problems()]
        sets = {problem.name: [(problem, expected)] for problem, expected in problems}
        sets["all light ones"] = [job for job in problems if job[0].light]
        sets["all five"] = problems
        print(f"{processes} processes, {TESTS} tests; submissions per second, median of {options.rounds}")
        print(f"{'':36}{'official':>10}{'ours':>10}{'ratio':>8}")
        for name, jobs in sets.items():
            repeated = jobs * options.submissions
            theirs, mine = [], []
            for _ in range(options.rounds):
                theirs.append(official(repeated, processes))
                mine.append(ours(verifier, repeated))
            print_rates(name, theirs, mine)
        wrong = [(problem, ['"other"'] * TESTS) for problem, _ in sets["all light ones"]] * options.submissions
        theirs = [official(wrong, processes, right=False) for _ in range(options.rounds)]
        for name, most in (("light ones, all tests fail", None), ("the same with max_failures=1", 1)):
            strict = LiveCodeBenchVerifier(sandbox, max_failures=most)
            print_rates(name, theirs, [ours(strict, wrong, right=False) for _ in range(options.rounds)])
        print_latencies(sandbox, 10 * options.submissions)


if __name__ == "__main__":
    main()
