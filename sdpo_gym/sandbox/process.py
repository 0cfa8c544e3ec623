"""A worker process seen from the host: start it, give it jobs, believe nothing that it says unchecked."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
from typing import Any

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

END_SECONDS = 15.0
"""How long a worker that has lost its host may take to end its program, with all processes that this has started."""

MAX_MESSAGE_CHARS = 1_000
MAX_NAME_CHARS = 100
MAX_FRAMES = 100
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,}\b")


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
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer
        self._socket.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
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
    match wire.parse(claim.encode()):
        case {"status": "ok"} if program.mode == "stdin":
            return "ok", None, None
        case {"status": "ok", "opaque": True}:
            return "ok", OPAQUE, None
        case {"status": "ok", "value": value}:
            return "ok", wire.decode(value), None
        case {"status": "exception" | "syntax_error" | "memory" as status, "exception": exception}:
            return status, None, _read_exception(exception, program)
        case {"status": "memory" | "output_limit" as status}:
            return status, None, None
        case _:
            raise ValueError("no claim")


def _read_exception(data: Any, program: Program) -> ExceptionInfo:
    match data:
        case {"type": str(kind), "message": str(message), "frames": list(frames)}:
            last_line = max(len(program.source.splitlines()), 1)
            return ExceptionInfo(
                _clean(kind, MAX_NAME_CHARS),
                _clean(message, MAX_MESSAGE_CHARS),
                tuple(_read_frame(frame, last_line) for frame in frames[:MAX_FRAMES]),
            )
        case _:
            raise ValueError("not an exception")


def _read_frame(data: Any, last_line: int) -> Frame:
    match data:
        case [int(line), str(function)]:
            line = min(max(line, 1), last_line)  # a syntax error may be seen only behind the last line
            return Frame(line, _clean(function, MAX_NAME_CHARS))
        case _:
            raise ValueError("not a frame")


def _clean(text: str, max_chars: int) -> str:
    """Text that can be encoded as UTF-8, and is the same in every run."""
    return _ADDRESS.sub("0x…", text)[:max_chars].encode("utf-8", "replace").decode()
