"""A worker process seen from the host: start it, give it jobs, believe nothing that it says unchecked."""

from __future__ import annotations

import re
import time
from typing import Any, Protocol

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
"""How much longer than `wire.PATIENCE` times its wall limit a run may take before its worker counts as lost."""

MAX_MESSAGE_CHARS = 1_000
MAX_NAME_CHARS = 100
MAX_FRAMES = 100
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,}\b")


class WorkerLost(Exception):
    """The worker died, or said something that no worker says."""


class Connection(Protocol):
    """The byte streams to a worker and from it. Methods raise OSError or EOFError when the worker is gone."""

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of `data` before `deadline` (of `time.monotonic`)."""
        ...

    def receive(self, count: int, deadline: float) -> bytes:
        """Wait for at least one byte and return at most `count`; b"" at the end."""
        ...

    def close(self) -> None:
        """End the worker and what it runs. Wakes a thread that waits in `receive`."""
        ...

    def forget(self) -> None:
        """Let go of a worker that belongs to the process that this one was forked from."""
        ...

    def last_words(self) -> str:
        """End the worker; what it said on standard error, for people."""
        ...


class WorkerProcess:
    """One worker, which runs one program at a time."""

    def __init__(self, connection: Connection) -> None:
        """Wait until the worker at the other end is ready.

        Raises:
            SandboxError: it does not start as it should.
        """
        self._connection = connection
        self._program: Program | None = None
        self._limits = Limits()
        self._announced = False
        try:
            self.isolation = _read_isolation(self._receive(time.monotonic() + START_SECONDS))
        except WorkerLost as error:
            message = connection.last_words()
            connection.close()
            raise SandboxError(f"a sandbox worker did not start: {error}. {message}") from error

    def begin_program(self, program: Program, limits: Limits) -> None:
        """Say what `run` runs from now on."""
        self._program, self._limits, self._announced = program, limits, False

    def run(self, text: str, wall_seconds: float, *, fresh: bool) -> RunResult:
        """Run the program on one input, in a process of its own or in that of the input before.

        Raises:
            WorkerLost: close this worker and take another.
        """
        assert self._program is not None
        data = text.encode("utf-8", "surrogatepass")
        header: dict[str, Any] = {"input_bytes": len(data), "wall_seconds": wall_seconds, "fresh": fresh}
        if not self._announced:
            source = self._program.source.encode("utf-8", "surrogatepass")
            data = source + data
            header |= {
                "source_bytes": len(source),
                "mode": self._program.mode,
                "entry_point": self._program.entry_point,
                "preload": ["numpy"] if "numpy" in self._program.source else [],
                "cpu_seconds": self._limits.cpu_seconds,
                "memory_mb": self._limits.memory_mb,
                "output_bytes": self._limits.output_bytes,
            }
            self._announced = True
        deadline = time.monotonic() + wire.PATIENCE * wall_seconds + GRACE_SECONDS
        self._send(wire.pack(header) + data, deadline)
        answer = self._receive(deadline)
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise WorkerLost(answer["error"])
        return self._read_result(answer, deadline)

    def end_program(self) -> None:
        """End the program's process.

        Raises:
            WorkerLost: close this worker and take another.
        """
        self._program = None
        deadline = time.monotonic() + GRACE_SECONDS
        self._send(wire.pack({}), deadline)
        if self._receive(deadline) != {}:
            raise WorkerLost("its answer makes no sense")

    def close(self) -> None:
        """End the worker and what it runs."""
        self._connection.close()

    def forget(self) -> None:
        """Let go of a worker that belongs to the process that this one was forked from."""
        self._connection.forget()

    def _send(self, data: bytes, deadline: float) -> None:
        try:
            self._connection.send(data, deadline)
        except (OSError, EOFError) as error:
            raise WorkerLost(f"{type(error).__name__}: {error}") from error

    def _receive(self, deadline: float) -> Any:
        """A message without what may follow it."""
        try:
            return wire.read_message(lambda count: self._connection.receive(count, deadline), wire.MAX_HEADER)
        except (OSError, EOFError, ValueError) as error:
            raise WorkerLost(f"{type(error).__name__}: {error}") from error

    def _receive_bytes(self, count: int, most: int, deadline: float) -> bytes:
        if not 0 <= count <= most:
            raise WorkerLost("its answer makes no sense")
        try:
            return wire.read_exactly(lambda left: self._connection.receive(left, deadline), count)
        except (OSError, EOFError) as error:
            raise WorkerLost(f"{type(error).__name__}: {error}") from error

    def _read_result(self, answer: Any, deadline: float) -> RunResult:
        """Check an answer of the worker, and the program's claim that follows it."""
        match answer:
            case {
                "end": "exited" | "timeout" | "output_limit" | "crashed" as end,
                "code": int(code),
                "cpu_seconds": float(cpu_seconds),
                "wall_seconds": float(wall_seconds),
                "stdout_bytes": int(stdout_bytes),
                "claim_bytes": int(claim_bytes),
                "fresh": bool(fresh),
            }:
                pass
            case _:
                raise WorkerLost("its answer makes no sense")
        program, most = self._program, self._limits.output_bytes
        assert program is not None
        stdout = self._receive_bytes(stdout_bytes, most, deadline).decode("utf-8", "replace")
        claim = self._receive_bytes(claim_bytes, 12 * most + (1 << 20), deadline)
        measured = {"stdout": stdout, "cpu_seconds": cpu_seconds, "wall_seconds": wall_seconds, "fresh": fresh}
        if end != "exited":
            return RunResult(end, signal=-code if end == "crashed" else None, **measured)
        try:
            status, value, exception = _read_claim(claim, program)
        except ValueError:
            # Standard output is all that a program in mode `stdin` hands over, so it may leave by os._exit(0).
            status, value, exception = ("ok" if program.mode == "stdin" and code == 0 else "no_result"), None, None
        return RunResult(status, value=value, exception=exception, **measured)


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


def _read_claim(claim: bytes, program: Program) -> tuple[Status, Any, ExceptionInfo | None]:
    match wire.parse(claim):
        case {"status": "ok"} if program.mode == "stdin":
            return "ok", None, None
        case {"status": "ok", "opaque": True}:
            return "ok", OPAQUE, None
        case {"status": "ok", "value": value}:
            try:
                return "ok", wire.decode(value), None
            except wire.TooLarge:
                return "ok", OPAQUE, None
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
