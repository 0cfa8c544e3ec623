"""Runs on another machine: inputs travel in chunks, and the judge stays here.

A client does not hand over its `stop` and `accept`, which know the expected outputs. It asks for a few inputs at a
time, and asks again for a fresh process where one is needed.
"""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from sdpo_gym.sandbox import messages
from sdpo_gym.sandbox.messages import Chunk, ChunkResults, Info
from sdpo_gym.sandbox.protocol import (
    Accept,
    IsolationReport,
    Limits,
    Program,
    RunResult,
    Sandbox,
    SandboxError,
    Stop,
    check_request,
    next_inputs,
)
from sdpo_gym.sandbox.worker import wire
from sdpo_gym.sandbox.worker_process import GRACE_SECONDS

GROWTH = 32
"""How many times larger each chunk may be than the one before. The first holds one input: most programs that fail,
fail there."""

CHUNK_SECONDS = 0.25
"""No input of a chunk is begun later than this. It bounds what is run in vain where the judge says stop, and makes
waiting for the network a small part of the whole."""

CHUNK_CHARS = 1 << 20
"""Characters of input in a chunk of more than one."""

MAX_CHUNK_BYTES = 16 << 20
"""What such a chunk can become as JSON, with room for the program. A single input may take more."""


class ChunkedSandbox(Sandbox):
    """A sandbox on another machine. Subclasses say how to reach it."""

    def __init__(self, patience_seconds: float) -> None:
        """Make the client; nothing is asked yet.

        Args:
            patience_seconds: How long a request may wait for a free worker, for the network, or for another try,
                beyond what the program's limits allow it to run.

        Raises:
            ValueError: `patience_seconds` is not positive.
        """
        if not patience_seconds > 0:
            raise ValueError(f"patience_seconds must be positive, not {patience_seconds}")
        self._patience_seconds = patience_seconds
        self._info: Info | None = None
        self._make_info_lock()

    @abstractmethod
    def _ask_info(self, deadline: float) -> bytes:
        """Ask what `messages.encode_info` tells, before `deadline` (of `time.monotonic`).

        Raises:
            SandboxError: there is no answer.
        """

    @abstractmethod
    def _ask_chunk(self, request: bytes, max_bytes: int, deadline: float) -> bytes:
        """Hand over a request, and return the answer, before `deadline` (of `time.monotonic`).

        Raises:
            SandboxError: there is no answer, or one longer than `max_bytes`.
        """

    def run(
        self,
        program: Program,
        inputs: Sequence[str],
        limits: Limits = Limits(),
        *,
        stop: Stop | None = None,
        accept: Accept | None = None,
    ) -> list[RunResult]:
        """See `Sandbox.run`.

        Raises:
            SandboxError: the other machine cannot be reached, failed, answers nonsense, or this sandbox is closed.
            ValueError: the program, an input or a limit makes no sense.
        """
        check_request(program, limits)
        results: list[RunResult] = []
        size, share, left = 1, accept is not None, limits.total_wall_seconds
        fresh_until = 0  # inputs before this one need fresh processes, whatever `share` says
        doubted: int | None = None
        while len(results) < len(inputs):
            first = len(results)
            fresh = not share or first < fresh_until
            end = min(first + size, fresh_until if first < fresh_until else len(inputs))
            if left > 0:
                texts = next_inputs(program, inputs, first, end, CHUNK_CHARS)
                answer = self._ask(Chunk(program, texts, replace(limits, total_wall_seconds=left), not fresh))
                left -= answer.seconds
            else:
                answer = ChunkResults([RunResult("not_run")] * (end - first), 0.0)
            for index, result in enumerate(answer.results, first):
                accepted = True
                if accept is not None and result.status != "not_run":
                    accepted = result.status == "ok" and accept(index, result)
                if not accepted and not fresh and not result.fresh:
                    # The process had run other inputs; and it has run the rest of the chunk after this one.
                    doubted, fresh_until = index, first + len(answer.results)
                    break
                if share and index == doubted and accepted:
                    # What the process had run before made the difference: this program does not bear sharing.
                    share, left = False, limits.total_wall_seconds
                    results.clear()
                    break
                results.append(result)
                if stop is not None and stop(index, result):
                    return results
            size = min(size * GROWTH, messages.MAX_INPUTS)
        return results

    @property
    def workers(self) -> int:  # type: ignore[override]  # a property where it has to ask
        """How many programs run at the same time, on all other machines together. Asks, the first time."""
        return self._known().workers

    @property
    def isolation(self) -> IsolationReport:
        """What the other side says is in force there. Asks, the first time."""
        return self._known().isolation

    def _known(self) -> Info:
        with self._info_lock:
            if self._info is None:
                try:
                    self._info = messages.decode_info(self._ask_info(time.monotonic() + self._patience_seconds))
                except ValueError as error:
                    raise SandboxError(f"the sandbox server makes no sense: {error}") from error
            return self._info

    def _make_info_lock(self) -> None:
        self._info_lock = threading.Lock()

    def _ask(self, chunk: Chunk) -> ChunkResults:
        limits = chunk.limits
        one = wire.PATIENCE * min(limits.wall_limit, limits.total_wall_seconds) + GRACE_SECONDS
        deadline = time.monotonic() + self._patience_seconds + CHUNK_SECONDS + 2 * one
        answer = self._ask_chunk(messages.encode_chunk(chunk), messages.max_answer_bytes(limits), deadline)
        try:
            return messages.decode_answer(answer, chunk)
        except ValueError as error:
            raise SandboxError(f"the sandbox server's answer makes no sense: {error}") from error


def answer_chunk(sandbox: Sandbox, request: bytes) -> bytes:
    """Do what a client asks for, on the machine where the sandbox is.

    Raises:
        SandboxError: the sandbox failed.
        ValueError: the request makes no sense.
    """
    return run_chunk(sandbox, messages.decode_chunk(request))


def run_chunk(sandbox: Sandbox, chunk: Chunk) -> bytes:
    """Run the inputs of a chunk until it has taken long or become large, and return the answer.

    Raises:
        SandboxError: the sandbox failed.
    """
    encoded: list[bytes] = []
    seconds = waited = room = 0.0

    def is_enough(index: int, result: RunResult) -> bool:
        nonlocal seconds, waited, room
        if index == 0:  # perhaps not for the first time, see `Sandbox.run`
            encoded.clear()
            room = messages.max_result_bytes(chunk.limits)
        encoded.append(messages.encode_result(result))
        seconds += result.wall_seconds
        waited += result.waited_seconds
        room -= len(encoded[-1])
        return seconds > CHUNK_SECONDS or room < 0

    start = time.monotonic()
    accept = (lambda index, result: True) if chunk.share else None
    sandbox.run(chunk.program, chunk.inputs, chunk.limits, stop=is_enough, accept=accept)
    return messages.encode_answer(encoded, wire.charged(time.monotonic() - start, waited))
