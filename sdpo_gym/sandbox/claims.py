"""What a program's process says about its runs: claims, of which only what makes sense is believed.

A program can forge them. That gives it nothing that it could not have by returning or raising.
"""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

from sdpo_gym.sandbox.protocol import OPAQUE, ExceptionInfo, Frame, Program, RunResult, Status
from sdpo_gym.sandbox.worker import wire

# Of exceptions, also where they come from another machine.
MAX_MESSAGE_CHARS = 1_000
MAX_NAME_CHARS = 100
MAX_FRAMES = 100
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,}\b")


class Claims(NamedTuple):
    """The claims about the runs of a batch."""

    results: list[RunResult]
    """Of the first runs; without times."""

    unclaimed: bytes
    """What was written to standard output after these runs."""

    last: bool
    """Whether the process says that it began no run after these."""

    false: bool
    """Whether the claim after these makes no sense."""


def read_claims(data: bytes, stdout: bytes, program: Program, count: int) -> Claims:
    """Read the lines, one for each run of a batch.

    Args:
        data: The claims.
        stdout: What the runs wrote, one after another.
        program: What was run.
        count: How many runs there can be.
    """
    results: list[RunResult] = []
    start, last = 0, False
    for line in data.split(b"\n", count)[:count]:
        if not line:
            break
        try:
            claim = wire.parse(line)
            status, value, exception = read_claim(claim, program)
            end, last = _read_end(claim, start, len(stdout)), "last" in claim
        except ValueError:
            return Claims(results, stdout[start:], last=False, false=True)
        results.append(RunResult(status, stdout[start:end].decode("utf-8", "replace"), value, exception))
        start = end
    return Claims(results, stdout[start:], last, false=False)


def _read_end(claim: dict[str, Any], start: int, most: int) -> int:
    end = claim.get("stdout_end")
    if not isinstance(end, int) or not start <= end <= most:
        raise ValueError("not a position in the output")
    return end


def read_claim(claim: Any, program: Program) -> tuple[Status, Any, ExceptionInfo | None]:
    """What a run is said to have come to: its status, value and exception.

    Raises:
        ValueError: the claim makes no sense.
    """
    match claim:
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
            last_line = count_lines(program.source)
            return ExceptionInfo(
                _clean(kind, MAX_NAME_CHARS),
                _clean(message, MAX_MESSAGE_CHARS),
                tuple(_read_frame(frame, last_line) for frame in frames[:MAX_FRAMES]),
            )
        case _:
            raise ValueError("not an exception")


@functools.lru_cache(maxsize=8)
def count_lines(source: str) -> int:
    """How many lines a program has; an empty one has its first."""
    return max(len(source.splitlines()), 1)


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
