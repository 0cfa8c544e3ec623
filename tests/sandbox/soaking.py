"""Many submissions, honest and hostile, through one sandbox, while its workers are killed; and what that leaves."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sandbox.hostile import PROGRAMS
from sandbox.hostile.world import World

from envs.livecodebench.rows import Test
from envs.livecodebench.verifier import LiveCodeBenchVerifier, make_answer_key
from sdpo_gym import Task, Verdict
from sdpo_gym.sandbox import Sandbox, SandboxError

UNPOSED = ({"role": "user", "content": ""},)
SLOW = ("timeout", "memory", "output_limit")
"""Hostile programs that end like this take seconds, and are taken rarely."""

SLOW_SHARE = 0.01
HONEST_SECONDS, HOSTILE_SECONDS = 20.0, 0.15
MEMORY_MB = 256

STDIN = "numbers = [int(x) for x in input().split()]\n"
HONEST = {
    "sum of numbers": (None, STDIN + "print(sum(numbers))"),
    "sum, wrong if large": (None, STDIN + "print(sum(numbers) % 1000)"),
    "sum, crashes if large": (None, STDIN + "n = sum(numbers)\nassert n < 1000, n\nprint(n)"),
    "syntax error": (None, STDIN + "print(sum(numbers)"),
    "prints nothing": (None, STDIN),
    "sum with numpy": (None, "import numpy\n" + STDIN + "print(int(numpy.sum(numbers)))"),
    "sum by recursion": (None, STDIN + "def f(x): return x[0] + f(x[1:]) if x else 0\nprint(f(numbers))"),
    "function": ("total", "def total(numbers): return sum(numbers)"),
    "method": ("total", "class Solution:\n    def total(self, numbers: List[int]): return sum(numbers)"),
    "function that remembers": (
        "total",
        "seen = []\ndef total(n):\n    seen.append(0)\n    return sum(n) + len(seen) - 1",
    ),
    "function that is missing": ("total", "def sum_of(numbers): return sum(numbers)"),
    "function that raises": ("total", "def total(numbers): return {}[len(numbers)]"),
    "function that returns text": ("total", "def total(numbers): return str(sum(numbers))"),
}
NUMBERS = ([1, 2], [3, 4, 5], [0, 0], [700, 800], [9000, 1000, 1])


class Submission(NamedTuple):
    """A program and the task that it is graded on."""

    name: str
    task: Task
    source: str
    honest: bool


@dataclass
class Report:
    """What became of a soak."""

    submissions: int = 0
    honest: int = 0
    seconds: float = 0.0
    kills: int = 0
    sandbox_errors: int = 0
    """Submissions that lost two workers in a row, which is reported and not judged; they were submitted again."""

    wrong: list[str] = field(default_factory=list)
    """Verdicts that differ from a fresh pool's."""

    usage: list[Usage] = field(default_factory=list)
    """At the beginning and at the end of the second half, in which nothing is killed."""


class Usage(NamedTuple):
    """What the host and its workers hold."""

    descriptors: int
    processes: int
    host_mb: float
    worker_mb: float
    """Of the largest worker."""


def make_submissions(world: World, count: int, seed: int = 0) -> list[Submission]:
    """A mix of honest and hostile submissions, the same for each seed."""
    draw = random.Random(seed)
    honest = [_honest(name, *program) for name, program in HONEST.items()]
    hostile = [p for p in PROGRAMS if os.uname().machine == "x86_64" or not p.x86_64_only]
    slow = [p for p in hostile if set(p.observed) & set(SLOW)]
    quick = [p for p in hostile if p not in slow]
    found = []
    for _ in range(count):
        if draw.random() < 0.6:
            found.append(draw.choice(honest))
        else:
            found.append(_hostile(world, draw.choice(slow if draw.random() < 2.5 * SLOW_SHARE else quick)))
    return found


def _honest(name: str, entry_point: str | None, source: str) -> Submission:
    inputs = [str(numbers) if entry_point else " ".join(map(str, numbers)) for numbers in NUMBERS]
    tests = [
        Test(text, str(sum(numbers)), visible=i < 2)
        for i, (text, numbers) in enumerate(zip(inputs, NUMBERS, strict=True))
    ]
    return Submission(name, Task("sum", UNPOSED, make_answer_key(entry_point, tests)), source, honest=True)


def _hostile(world: World, program: object) -> Submission:
    tests = [Test("1", "2", visible=True), *(Test("2", str(answer), visible=False) for answer in world.answers)]
    key = make_answer_key("f" if program.mode == "function" else None, tests)
    return Submission(program.name, Task("twice", UNPOSED, key), program.text(world.targets), honest=False)


def grade(sandbox: Sandbox, submission: Submission) -> Verdict:
    """The verdict on a submission."""
    seconds = HONEST_SECONDS if submission.honest else HOSTILE_SECONDS
    verifier = LiveCodeBenchVerifier(sandbox, time_limit=seconds, memory_mb=MEMORY_MB)
    return verifier.verify(submission.task, f"```python\n{submission.source}\n```")


def soak(
    sandbox: Sandbox, fresh: Sandbox, submissions: Sequence[Submission], threads: int = 2, seed: int = 0
) -> Report:
    """Grade the submissions, the first half while workers are killed, and compare with what another sandbox says.

    Of honest submissions all must be equal, of hostile ones the success: what else they do may depend on luck.
    """
    report = Report(len(submissions), sum(s.honest for s in submissions))
    expected = {s.name: grade(fresh, s) for s in {s.name: s for s in submissions if s.honest}.values()}
    lock, peace = threading.Lock(), threading.Lock()

    def one(submission: Submission) -> None:
        try:
            verdict = grade(sandbox, submission)
        except SandboxError:
            with lock:
                report.sandbox_errors += 1
            with peace:  # slow ones would lose all their workers for ever
                verdict = grade(sandbox, submission)
        right = verdict == expected[submission.name] if submission.honest else not verdict.success
        if not right:
            with lock:
                report.wrong.append(f"{submission.name}: {verdict}")

    started = time.monotonic()
    half = len(submissions) // 2
    with ThreadPoolExecutor(threads) as pool:
        with _Killer(sandbox, seed, peace) as killer:
            list(pool.map(one, submissions[:half]))
        report.kills = killer.kills
        warm = half + (len(submissions) - half) // 4  # workers that were started last have now seen many programs
        list(pool.map(one, submissions[half:warm]))
        report.usage.append(usage())
        list(pool.map(one, submissions[warm:]))
        report.usage.append(usage())
    report.seconds = time.monotonic() - started
    return report


class _Killer:
    """Kills a random worker now and then, in a thread, unless somebody else holds `peace`."""

    def __init__(self, sandbox: Sandbox, seed: int, peace: threading.Lock) -> None:
        self._peace = peace
        self.kills = 0
        self._draw = random.Random(seed)
        self._inner = "namespace" in sandbox.isolation.processes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> _Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._draw.uniform(0.05, 0.6)):
            with self._peace, contextlib.suppress(ProcessLookupError):
                if found := workers(inner=self._inner):
                    os.kill(self._draw.choice(found), signal.SIGKILL)
                    self.kills += 1


def workers(*, inner: bool) -> list[int]:
    """This process's workers; with `inner`, also those that are children of others, in namespaces of their own."""
    outer = [pid for pid in children(os.getpid()) if _is_worker(pid)]
    return outer + [child for pid in outer if inner for child in children(pid) if _is_first(child)]


def usage() -> Usage:
    """What this process and its workers hold now."""
    seen = unseen = {os.getpid()}
    while unseen := {child for pid in unseen for child in children(pid)} - seen:
        seen = seen | unseen
    memory = [_memory_mb(pid) for pid in workers(inner=True)]
    return Usage(len(os.listdir("/proc/self/fd")), len(seen), _memory_mb(os.getpid()), max(memory, default=0.0))


def children(pid: int) -> list[int]:
    """The processes that it has started, by whichever of its threads."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def _is_worker(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"sandbox/worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _is_first(pid: int) -> bool:
    """Whether it is process 1 of a namespace."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return line.split()[2:] == ["1"]
    return False


def _memory_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0
