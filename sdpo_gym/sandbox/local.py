"""Programs run by worker processes on this machine. Linux only, standard library only."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from sdpo_gym.sandbox.process import WorkerLost, WorkerProcess
from sdpo_gym.sandbox.protocol import IsolationReport, Limits, Program, RunResult, SandboxError

WORKER = Path(__file__).parent / "worker"
MIN_MEMORY_MB = 64
"""What the interpreter itself needs."""


class LocalSandbox:
    """Runs every program in a fresh process, forked from one of a few small servers.

    The servers are started when they are needed, and never forked from this process, which may be large and hold
    secrets. See `isolation` for what is kept from a program and what is not. Safe to use from several threads, and
    after a fork, where the new process starts servers of its own.
    """

    def __init__(self, workers: int | None = None, python: str = sys.executable) -> None:
        """Make a sandbox; no process is started yet.

        Args:
            workers: How many programs run at the same time. None: one per usable CPU.
            python: The interpreter, at least Python 3.10, that runs the programs. They see its standard library only.

        Raises:
            SandboxError: this is not Linux.
            ValueError: `workers` is less than one.
        """
        if sys.platform != "linux":
            raise SandboxError(f"LocalSandbox needs Linux, this is {sys.platform}; use a sandbox in a container")
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self.workers = workers or len(os.sched_getaffinity(0))
        self._command = [python, "-s", "-S", "-B", str(WORKER)]
        self._closed = False
        self._isolation: IsolationReport | None = None
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._make_locks()
        self._close_workers = weakref.finalize(self, _close_workers, self._idle, self._busy)
        _sandboxes.add(self)

    def _make_locks(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self.workers)

    def run(
        self,
        program: Program,
        inputs: Sequence[str],
        limits: Limits = Limits(),
        *,
        stop: Callable[[int, RunResult], bool] | None = None,
    ) -> list[RunResult]:
        """See `Sandbox.run`.

        Raises:
            SandboxError: the sandbox failed, twice in a row, or is closed.
            ValueError: the program, an input or a limit makes no sense.
        """
        _check(program, limits)
        results: list[RunResult] = []
        with self._free:
            started = time.monotonic()
            for index, text in enumerate(inputs):
                left = limits.total_wall_seconds - (time.monotonic() - started)
                if program.mode == "function":
                    _check_arguments(index, text)
                result = RunResult("not_run")
                if left > 0:
                    result = self._run_one(program, text, limits, min(left, limits.wall_limit))
                results.append(result)
                if stop is not None and stop(index, result):
                    break
        return results

    def _run_one(self, program: Program, text: str, limits: Limits, wall_seconds: float) -> RunResult:
        for last_try in (False, True):
            worker = self._take()
            try:
                result = worker.run(program, text, limits, wall_seconds)
            except WorkerLost as error:
                self._drop(worker)
                if last_try:
                    raise SandboxError(f"lost two sandbox workers in a row: {error}") from error
            except BaseException:
                self._drop(worker)  # it may still be at work
                raise
            else:
                self._give_back(worker)
                return result
        raise AssertionError("unreachable")

    def _take(self) -> WorkerProcess:
        with self._lock:
            self._check_open()
            if self._idle:
                worker = self._idle.pop()
                self._busy.add(worker)
                return worker
        worker = WorkerProcess(self._command, _environment())
        with self._lock:
            if not self._closed:
                self._busy.add(worker)
                self._isolation = worker.isolation
                return worker
        worker.close()
        raise SandboxError("this sandbox is closed")

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._busy.discard(worker)
            if not self._closed:
                self._idle.append(worker)

    def _drop(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.close()

    def _check_open(self) -> None:
        if self._closed:
            raise SandboxError("this sandbox is closed")

    @property
    def isolation(self) -> IsolationReport:
        """What is in force. Starts a worker to find out, if none was started yet."""
        if self._isolation is None:
            with self._free:
                self._give_back(self._take())
        assert self._isolation is not None
        return self._isolation

    def close(self) -> None:
        """End all worker processes; runs in other threads raise SandboxError."""
        with self._lock:
            self._closed = True  # from here on, no worker is added
        self._close_workers()

    @property
    def closed(self) -> bool:
        return self._closed

    def _after_fork(self) -> None:
        for worker in (*self._idle, *self._busy):
            worker.forget()
        self._idle.clear()
        self._busy.clear()
        self._make_locks()


def _environment() -> dict[str, str]:
    """The environment of a worker. Its programs get an empty one."""
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]  # some interpreters need it to start
    return env


def _check(program: Program, limits: Limits) -> None:
    if program.mode not in ("stdin", "function"):
        raise ValueError(f"unknown mode {program.mode!r}")
    if program.mode == "function" and not program.entry_point:
        raise ValueError("mode 'function' needs an entry_point")
    if limits.memory_mb < MIN_MEMORY_MB:
        raise ValueError(f"memory_mb must be at least {MIN_MEMORY_MB}, not {limits.memory_mb}")
    if min(limits.cpu_seconds, limits.wall_limit) <= 0 or limits.output_bytes < 0:
        raise ValueError("limits must be positive")


def _check_arguments(index: int, text: str) -> None:
    """Bad arguments are the caller's mistake, and must not look like the program's."""
    try:
        for line in text.split("\n"):
            if line.strip():
                json.loads(line, parse_int=len)  # numbers of any length, without the cost
    except (ValueError, RecursionError) as error:
        raise ValueError(f"input {index} is not one JSON value per line: {error}") from error


def _close_workers(idle: list[WorkerProcess], busy: set[WorkerProcess]) -> None:
    workers = [*idle, *busy]
    idle.clear()
    busy.clear()
    for worker in workers:
        worker.close()


_sandboxes: weakref.WeakSet[LocalSandbox] = weakref.WeakSet()


def _forget_workers() -> None:
    for sandbox in _sandboxes:
        sandbox._after_fork()


os.register_at_fork(after_in_child=_forget_workers)
