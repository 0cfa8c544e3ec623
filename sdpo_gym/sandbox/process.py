"""A worker process seen from the host: start it, give it jobs, believe nothing that it says unchecked."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from typing import Any, get_args

from sdpo_gym.sandbox.protocol import (
    OPAQUE,
    ExceptionInfo,
    Frame,
    IsolationReport,
    Limits,
    Program,
    RunResult,
    SandboxError,
    Status,
)
from sdpo_gym.sandbox.worker import wire

START_SECONDS = 60.0
GRACE_SECONDS = 30.0
"""How much longer than its wall limit a run may keep the host waiting before the worker counts as lost."""

MAX_MESSAGE_CHARS = 1_000
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,}\b")
_CLAIMS = ("ok", "exception", "syntax_error", "memory", "output_limit")


class WorkerLost(Exception):
    """The worker died, or said something that no worker says."""


class WorkerProcess:
    """One worker, which runs one program at a time."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        """Start a worker and wait until it is ready.

        Raises:
            SandboxError: it cannot be started.
        """
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs,
                    stdout=theirs,
                    stderr=subprocess.PIPE,
                    env=env,
                    cwd="/",
                    start_new_session=True,
                )
        except OSError as error:
            self._socket.close()
            raise SandboxError(f"cannot start {command[0]}: {error}") from error
        try:
            self.isolation = _read_isolation(self._receive(time.monotonic() + START_SECONDS, 1 << 16))
        except WorkerLost as error:
            message = self._last_words()
            self.close()
            raise SandboxError(f"a sandbox worker did not start: {error}. {message}") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self, program: Program, text: str, limits: Limits, wall_seconds: float) -> RunResult:
        """Run a program on one input.

        Raises:
            WorkerLost: close this worker and take another.
        """
        job = {
            "source": program.source,
            "mode": program.mode,
            "entry_point": program.entry_point,
            "input": text,
            "limits": {
                "cpu_seconds": limits.cpu_seconds,
                "wall_seconds": wall_seconds,
                "memory_mb": limits.memory_mb,
                "output_bytes": limits.output_bytes,
            },
        }
        deadline = time.monotonic() + wall_seconds + GRACE_SECONDS
        try:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            self._socket.sendall(wire.pack(job))
        except OSError as error:
            raise WorkerLost(str(error)) from error
        answer = self._receive(deadline, 12 * limits.output_bytes + (1 << 20))
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise WorkerLost(answer["error"])
        return _read_result(answer, program)

    def close(self) -> None:
        """End the worker and what it runs."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer
        except OSError:
            pass
        self._socket.close()
        try:
            self._process.wait(timeout=2)  # having lost its host, it ends its program and itself
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._process.stderr.close()

    def forget(self) -> None:
        """Let go of a worker that belongs to the process that this one was forked from."""
        self._socket.close()
        self._process.stderr.close()
        self._process.returncode = 0  # not this process's child: nothing to wait for

    def _receive(self, deadline: float, max_bytes: int) -> Any:
        def read(count: int) -> bytes:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            return self._socket.recv(count)

        try:
            return wire.read_message(read, max_bytes)
        except (OSError, EOFError, ValueError) as error:
            raise WorkerLost(f"{type(error).__name__}: {error}") from error

    def _last_words(self) -> str:
        self._process.kill()
        return self._process.stderr.read(10_000).decode("utf-8", "replace").strip()[-2_000:]


def _read_isolation(message: Any) -> IsolationReport:
    fields = message.get("isolation") if isinstance(message, dict) else None
    if not isinstance(fields, dict):
        raise WorkerLost("it sent no greeting")
    notes = fields.pop("notes", [])
    if not isinstance(notes, list) or not all(isinstance(text, str) for text in (*notes, *fields.values())):
        raise WorkerLost("its greeting makes no sense")
    try:
        return IsolationReport(**fields, notes=tuple(notes))
    except TypeError as error:
        raise WorkerLost("its greeting makes no sense") from error


def _read_result(answer: Any, program: Program) -> RunResult:
    """Check an answer of the worker, and the program's claim within it."""
    match answer:
        case {
            "end": "exited" | "timeout" | "output_limit" | "crashed" as end,
            "code": int(code),
            "cpu_seconds": float(cpu_seconds),
            "wall_seconds": float(wall_seconds),
            "stdout": str(stdout),
            "claim": str(claim),
        }:
            measured = {"stdout": stdout, "cpu_seconds": cpu_seconds, "wall_seconds": wall_seconds}
        case _:
            raise WorkerLost("its answer makes no sense")
    if end != "exited":
        return RunResult(end, signal=-code if end == "crashed" else None, **measured)
    try:
        status, value, exception = _read_claim(claim, program)
    except ValueError:
        # Standard output is all that a program in mode `stdin` hands over, so it may leave by os._exit(0).
        status, value, exception = ("ok" if program.mode == "stdin" and code == 0 else "no_result"), None, None
    return RunResult(status, value=value, exception=exception, **measured)


def _read_claim(claim: str, program: Program) -> tuple[Status, Any, ExceptionInfo | None]:
    data = wire.parse(claim.encode())
    if not isinstance(data, dict) or data.get("status") not in _CLAIMS:
        raise ValueError("no claim")
    status = data["status"]
    if status == "ok":
        if program.mode == "stdin":
            return "ok", None, None
        return "ok", (OPAQUE if data.get("opaque") is True else wire.decode(data["value"])), None
    return status, None, _read_exception(data.get("exception"))


def _read_exception(data: Any) -> ExceptionInfo | None:
    match data:
        case None:
            return None
        case {"type": str(kind), "message": str(message), "frames": list(frames)}:
            message = _ADDRESS.sub("0x…", message)[:MAX_MESSAGE_CHARS]
            return ExceptionInfo(kind[:100], message, tuple(_read_frame(frame) for frame in frames[:100]))
        case _:
            raise ValueError("not an exception")


def _read_frame(data: Any) -> Frame:
    match data:
        case [int(line), str(function)]:
            return Frame(line, function[:100])
        case _:
            raise ValueError("not a frame")
