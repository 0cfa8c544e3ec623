"""How long 1,055 problems take to load, and how much memory: python tests/benchmarks/livecodebench_loading.py

Writes a file of rows with private tests as large as LiveCodeBench's (a few MB on average, some above 50 MB, packed),
and measures `make`, `reset` and `step` in fresh processes: first without an index of the file, then with one, and, for
comparison, what it takes to parse all rows.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import os
import pickle
import random
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

ROWS = 1055

MEASURE = """
import json, sys, time

def memory_mb(field="VmRSS"):
    for line in open("/proc/self/status"):
        if line.startswith(field):
            return int(line.split()[1]) / 1024

import gymnasium, sdpo_gym, envs.livecodebench.env
numbers = {"imported_mb": memory_mb()}

def measure(name, function):
    start = time.perf_counter()
    result = function()
    numbers[name + "_s"] = time.perf_counter() - start
    numbers[name + "_mb"] = memory_mb()
    numbers[name + "_peak_mb"] = memory_mb("VmHWM")
    return result

env = measure("make", lambda: gymnasium.make("sdpo/LiveCodeBench-v0", data=sys.argv[1]))
measure("reset", lambda: env.reset(seed=0))
program = "```\\nprint(max(input().split(), key=int))\\n```"
info = measure("step", lambda: env.step(program))[4]
numbers["tests"], numbers["solved"] = info["metrics"]["tests_total"], info["metrics"]["solved"]
largest = {"task": sys.argv[2]}
measure("reset_to_the_largest", lambda: env.reset(options=largest))
measure("another_make", lambda: gymnasium.make("sdpo/LiveCodeBench-v0", data=sys.argv[1]))
measure("30_resets", lambda: [env.reset(seed=seed) for seed in range(30)])
numbers["problems"] = env.unwrapped.num_tasks
print(json.dumps(numbers))
"""

PARSE = """
import json, sys, time
start = time.perf_counter()
rows = [json.loads(line) for line in open(sys.argv[1], "rb")]
seconds = time.perf_counter() - start
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"parse_s": seconds, "mb": peak}))
"""


def packed_tests(rng: random.Random, size: int) -> str:
    """About `size` characters of private tests: the largest of some numbers, packed as LiveCodeBench does."""
    tests, left = [], size
    while left > 0 or not tests:
        count = min(max(left // 40, 1), 20_000)
        numbers = [rng.randrange(10**9) for _ in range(count)]
        tests.append({"input": " ".join(map(str, numbers)), "output": str(max(numbers)), "testtype": "stdin"})
        left -= int(6.2 * count) + 20  # what a number takes when packed
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests)), 1)).decode()


def write_rows(path: Path, gigabytes: float) -> tuple[str, float]:
    """Write the file; returns the id of the problem with the largest tests, and about how large they are in bytes."""
    rng = random.Random(0)
    sizes = [rng.lognormvariate(0, 1.3) for _ in range(ROWS)]
    scale = gigabytes * 1e9 / sum(sizes)
    largest = max(range(ROWS), key=lambda i: sizes[i])
    packed: dict[int, str] = {}
    with open(path, "w", encoding="utf-8") as file:
        for i, size in enumerate(sizes):
            step = round(4 * math.log(size))  # rows of about equal size share their tests, which saves time here
            if step not in packed:
                packed[step] = packed_tests(rng, int(math.exp(step / 4) * scale))
            row = {
                "question_title": f"Largest {i}",
                "question_content": "Print the largest of the numbers in the line. " * 40,
                "platform": "atcoder",
                "question_id": f"problem_{i}",
                "contest_id": "1",
                "contest_date": "2024-01-01T00:00:00",
                "starter_code": "",
                "difficulty": "easy",
                "public_test_cases": json.dumps([{"input": "1 3 2", "output": "3", "testtype": "stdin"}]),
                "private_test_cases": packed[step],
                "metadata": "{}",
            }
            file.write(json.dumps(row) + "\n")
    return f"problem_{largest}", sizes[largest] * scale


def run(code: str, *arguments: str, **variables: str) -> dict[str, float]:
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=4.4, help="size of the file (release v6: about 4.4)")
    parser.add_argument("--parse", action="store_true", help="also parse all rows, for which they must fit in memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        largest, size = write_rows(path, options.gigabytes)
        print(f"{ROWS} rows, {path.stat().st_size / 1e9:.2f} GB; the largest problem has {size / 1e6:.0f} MB")
        cache = {"SDPO_GYM_CACHE": str(Path(folder) / "cache")}
        runs = {title: run(MEASURE, str(path), largest, **cache) for title in ("no index", "index")}
        print(f"{'':24}" + "".join(f"{title:>12}" for title in runs))
        for key in runs["index"]:
            print(f"{key:24}" + "".join(f"{numbers[key]:12.3f}" for numbers in runs.values()))
        if options.parse:
            numbers = run(PARSE, str(path))
            print(f"all rows parsed: {numbers['parse_s']:.1f} s, {numbers['mb']:.0f} MB")


if __name__ == "__main__":
    main()
