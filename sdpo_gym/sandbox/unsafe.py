"""Programs run without any isolation, on every platform: for programs that one would run oneself."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdpo_gym.sandbox.claims import read_claim
from sdpo_gym.sandbox.forks import tell_of_forks
from sdpo_gym.sandbox.local import find_python
from sdpo_gym.sandbox.protocol import (
    Accept,
    IsolationReport,
    Limits,
    Program,
    RunResult,
    Sandbox,
    SandboxError,
    Stop,
    check_input,
    check_request,
)
from sdpo_gym.sandbox.worker import wire

RUNNER = Path(__file__).with_name("unsafe_runner.py")
LOOK_SECONDS = 0.05
"""How often the output of a running program is measured."""

_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "LANG")


class UnsafeSandbox(Sandbox):
    """Runs programs as ordinary processes of this user, one per input. **Nothing is kept from them.**

    Wall time and output are limited, and memory where the platform has address-space limits; CPU time is not. Never run
    a model's programs in it on a machine that matters.
    """

    def __init__(self, workers: int | None = None, python: str = sys.executable) -> None:
        """Make a sandbox, and warn.

        Args:
            workers: How many programs run at the same time. None: one per CPU.
            python: The interpreter, at least Python 3.10, that runs the programs.

        Raises:
            ValueError: `workers` is less than one.
        """
        self.workers = (os.cpu_count() or 1) if workers is None else workers
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        logging.getLogger("sdpo_gym").warning(
            "UnsafeSandbox isolates nothing: programs can read and delete this user's files and use the network"
        )
        self._python = find_python(python)
        self._closed = False
        self._busy: set[subprocess.Popen[bytes]] = set()
        self._make_locks()
        tell_of_forks(self)

    def run(
        self,
        program: Program,
        inputs: Sequence[str],
        limits: Limits = Limits(),
        *,
        stop: Stop | None = None,
        accept: Accept | None = None,
    ) -> list[RunResult]:
        """See `Sandbox.run`. Every input gets a process of its own, `accept` or not.

        Raises:
            SandboxError: the interpreter does not start, or the sandbox is closed.
            ValueError: the program, an input or a limit makes no sense.
        """
        check_request(program, limits)
        results: list[RunResult] = []
        with self._free:
            deadline = time.monotonic() + limits.total_wall_seconds
            for index, text in enumerate(inputs):
                check_input(program, index, text)
                left = deadline - time.monotonic()
                result = RunResult("not_run")
                if left > 0:
                    result = self._run_once(program, text, limits, min(left, limits.wall_limit))
                if accept is not None and result.status == "ok":
                    accept(index, result)
                results.append(result)
                if stop is not None and stop(index, result):
                    break
        return results

    @property
    def isolation(self) -> IsolationReport:
        """None at all."""
        return IsolationReport(notes=("programs run as ordinary processes of this user",))

    def close(self) -> None:
        """End the programs that run; their runs raise SandboxError."""
        with self._lock:
            self._closed = True
            for process in self._busy:
                _kill(process)

    @property
    def closed(self) -> bool:
        return self._closed

    def _make_locks(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self.workers)

    def _after_fork(self) -> None:
        self._busy.clear()  # the other process's
        self._make_locks()

    def _run_once(self, program: Program, text: str, limits: Limits, wall_seconds: float) -> RunResult:
        job = {
            "source": program.source,
            "mode": program.mode,
            "entry_point": program.entry_point,
            "memory_mb": limits.memory_mb,
            "output_bytes": limits.output_bytes,
        }
        with tempfile.TemporaryDirectory(prefix="sdpo-gym-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / "job.json").write_text(json.dumps(job), encoding="ascii")
            (folder / "input").write_bytes(text.encode("utf-8", "surrogatepass"))
            output = folder / "output"
            start = time.monotonic()
            with (folder / "input").open("rb") as stdin, output.open("wb") as stdout:
                end = self._execute(folder, stdin, stdout, limits.output_bytes, wall_seconds)
            seconds = time.monotonic() - start
            with output.open("rb") as file:
                data = file.read(limits.output_bytes + 1)
            if len(data) > limits.output_bytes:
                end = "output_limit"
            printed = data[: limits.output_bytes].decode("utf-8", "replace")
            if isinstance(end, str):
                return RunResult(end, printed, wall_seconds=seconds)  # type: ignore[arg-type]
            if end < 0 or end > 255:  # Windows has large numbers for what are signals elsewhere
                return RunResult("crashed", printed, signal=-end if end < 0 else None, wall_seconds=seconds)
            try:
                claim = wire.parse((folder / "claim.json").read_bytes())
                status, value, exception = read_claim(claim, program)
            except (OSError, ValueError):
                # Standard output is all that a program in mode `stdin` hands over, so it may leave by os._exit(0).
                left_early = program.mode == "stdin" and end == 0
                return RunResult("ok" if left_early else "no_result", printed, wall_seconds=seconds)
            return RunResult(status, printed, value, exception, wall_seconds=seconds)

    def _execute(self, folder: Path, stdin: Any, stdout: Any, output_bytes: int, wall_seconds: float) -> str | int:
        """Run it; return the exit code, or why it was ended."""
        with self._lock:
            self._check_open()
            try:
                process = subprocess.Popen(
                    [self._python, "-I", "-B", str(RUNNER), str(folder)],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=subprocess.DEVNULL,
                    cwd=folder,
                    env={name: os.environ[name] for name in _KEPT if name in os.environ},
                    start_new_session=True,
                )
            except OSError as error:
                raise SandboxError(f"cannot start {self._python}: {error}") from error
            self._busy.add(process)
        deadline = time.monotonic() + wall_seconds
        try:
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return "timeout"
                try:
                    code = process.wait(min(left, LOOK_SECONDS))
                    self._check_open()
                    return code
                except subprocess.TimeoutExpired:
                    if os.fstat(stdout.fileno()).st_size > output_bytes:
                        return "output_limit"
        finally:
            _kill(process)
            process.wait()
            with self._lock:
                self._busy.discard(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what it left running in its session where the platform has sessions."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except OSError:
        pass  # nothing is left
