"""A worker process seen from the host: start it, give it jobs, believe nothing that it says unchecked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from sdpo_gym.sandbox.claims import read_claims
from sdpo_gym.sandbox.protocol import IsolationReport, Limits, Program, RunResult, SandboxError
from sdpo_gym.sandbox.worker import wire

START_SECONDS = 60.0
GRACE_SECONDS = 30.0
"""How much longer than `wire.PATIENCE` times its wall limit a run may take before its worker counts as lost."""

MAX_BATCH = 64
"""Inputs that are handed over at a time."""


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
        except BaseException:  # an interrupt
            connection.close()
            raise

    def begin_program(self, program: Program, limits: Limits) -> None:
        """Say what `run` runs from now on."""
        self._program, self._limits, self._announced = program, limits, False

    def run(self, texts: Sequence[str], wall_seconds: float, *, fresh: bool) -> list[RunResult]:
        """Run the program on a batch of inputs, in a new process or in that of the batch before.

        Args:
            texts: At least one, and at most `MAX_BATCH`.
            wall_seconds: Limit of all together. The program's limits, too, hold for all together; but a process begins
                no other run when the batch has used a small part of them.
            fresh: Whether it has to be a new process.

        Returns:
            Results of the first so many inputs, at least one.

        Raises:
            WorkerLost: close this worker and take another.
        """
        assert self._program is not None
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        data = b"".join(encoded)
        sizes = [len(text) for text in encoded]
        header: dict[str, Any] = {"input_bytes": sizes, "wall_seconds": wall_seconds, "fresh": fresh}
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
        return self._read_results(answer, len(texts), deadline)

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

    def _read_results(self, answer: Any, count: int, deadline: float) -> list[RunResult]:
        """Check an answer of the worker, and the program's claims that follow it."""
        match answer:
            case {
                "end": "done" | "exited" | "timeout" | "output_limit" | "crashed" as end,
                "code": int(code),
                "cpu_seconds": float(cpu_seconds),
                "wall_seconds": float(wall_seconds),
                "waited_seconds": float(waited_seconds),
                "stdout_bytes": int(stdout_bytes),
                "claim_bytes": int(claim_bytes),
                "fresh": bool(fresh),
            } if 0 <= waited_seconds <= wall_seconds:
                pass
            case _:
                raise WorkerLost("its answer makes no sense")
        program, most = self._program, self._limits.output_bytes
        assert program is not None
        stdout = self._receive_bytes(stdout_bytes, most, deadline)
        claims = read_claims(self._receive_bytes(claim_bytes, 12 * most + (1 << 20), deadline), stdout, program, count)
        results, rest = claims.results, claims.unclaimed.decode("utf-8", "replace")
        if end in ("timeout", "output_limit", "crashed"):
            if len(results) == count:  # the last one had not come to an end, whatever the process says
                rest = results.pop().stdout + rest
            results.append(RunResult(end, rest, signal=-code if end == "crashed" else None))
        elif not results or claims.false or (end == "exited" and not claims.last and len(results) < count):
            # Standard output is all that a program in mode `stdin` hands over, so it may leave by os._exit(0). In a
            # batch of several, it is not known that the run had begun.
            ok = program.mode == "stdin" and code == 0 and count == 1
            results.append(RunResult("ok" if ok else "no_result", rest))
        seconds = {"cpu_seconds": cpu_seconds, "wall_seconds": wall_seconds, "waited_seconds": waited_seconds}
        each = {name: value / len(results) for name, value in seconds.items()}
        return [replace(result, fresh=fresh and count == 1, **each) for result in results]


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
