"""What a client and a sandbox on another machine say to each other: JSON, checked field by field on both sides.

Neither side unpickles or evaluates anything. The client believes nothing that it has not checked: the other machine
ran hostile programs, and may be theirs by now.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from sdpo_gym.sandbox.claims import MAX_FRAMES, MAX_MESSAGE_CHARS, MAX_NAME_CHARS, count_lines
from sdpo_gym.sandbox.protocol import (
    OPAQUE,
    ExceptionInfo,
    Frame,
    IsolationReport,
    Limits,
    Program,
    RunResult,
    Status,
    check_input,
    check_request,
)
from sdpo_gym.sandbox.worker import wire

MAX_INPUTS = 256
MAX_WORKERS = 4096
MAX_INFO_BYTES = 1 << 16
MAX_NOTES = 20
MAX_SIGNAL = 64
_STATUSES = get_args(Status)
_WITH_EXCEPTION = ("exception", "syntax_error")
_UNBOUNDED = 1 << 62


@dataclass(frozen=True)
class Chunk:
    """A request: run a program on some inputs."""

    program: Program
    inputs: Sequence[str]
    limits: Limits
    share: bool
    """Whether the inputs may share a process as long as each run ends well."""


@dataclass(frozen=True)
class ChunkResults:
    """The answer: results of the first so many inputs of a chunk, at least one."""

    results: Sequence[RunResult]
    seconds: float
    """Wall time that they are charged together."""


@dataclass(frozen=True)
class Info:
    """What a sandbox on another machine says about itself."""

    workers: int
    isolation: IsolationReport


def max_answer_bytes(limits: Limits) -> int:
    """The longest answer to a chunk: the other side begins no result behind as many bytes as one may take."""
    return 2 * max_result_bytes(limits)


def max_result_bytes(limits: Limits) -> int:
    """The longest that one result becomes: a byte of standard output or of the value takes up to six as JSON."""
    return 16 * limits.output_bytes + (1 << 20)


def encode_chunk(chunk: Chunk) -> bytes:
    """A request as bytes."""
    return _dump(
        {
            "program": asdict(chunk.program),
            "inputs": list(chunk.inputs),
            "limits": asdict(chunk.limits),
            "share": chunk.share,
        }
    )


def decode_chunk(data: bytes) -> Chunk:
    """Check a request.

    Raises:
        ValueError: it is not one, or it makes no sense.
    """
    match wire.parse(data):
        case {
            "program": {"source": str(source), "mode": str(mode), "entry_point": str() | None as entry_point},
            "inputs": [_, *_] as inputs,
            "limits": dict(limits),
            "share": bool(share),
            **others,
        } if not others:
            program = Program(source, mode, entry_point)  # type: ignore[arg-type]  # checked below
        case _:
            raise ValueError("not a request of the sandbox's protocol")
    if len(inputs) > MAX_INPUTS:
        raise ValueError(f"{len(inputs)} inputs at once, {MAX_INPUTS} are allowed")
    chunk = Chunk(program, inputs, _read_limits(limits), share)
    check_request(program, chunk.limits)
    for index, text in enumerate(inputs):
        if not isinstance(text, str):
            raise ValueError(f"input {index} is not a text")
        check_input(program, index, text)
    return chunk


def encode_result(result: RunResult) -> bytes:
    """A result as bytes, of which `encode_answer` makes an answer."""
    opaque = result.value is OPAQUE
    return _dump(
        {
            "status": result.status,
            "stdout": result.stdout,
            "value": None if opaque else wire.encode(result.value, _UNBOUNDED),
            "opaque": opaque,
            "exception": None if result.exception is None else asdict(result.exception),
            "signal": result.signal,
            "cpu_seconds": result.cpu_seconds,
            "wall_seconds": result.wall_seconds,
            "waited_seconds": result.waited_seconds,
            "fresh": result.fresh,
        }
    )


def encode_answer(results: Sequence[bytes], seconds: float) -> bytes:
    """An answer as bytes."""
    return b'{"seconds": %s, "results": [%s]}' % (_dump(seconds), b", ".join(results))


def decode_answer(data: bytes, chunk: Chunk) -> ChunkResults:
    """Check an answer to a request.

    Raises:
        ValueError: no honest sandbox answers so.
    """
    match wire.parse(data):
        case {"seconds": seconds, "results": [_, *_] as results, **others} if not others:
            pass
        case _:
            raise ValueError("not an answer of the sandbox's protocol")
    if len(results) > len(chunk.inputs):
        raise ValueError(f"{len(results)} results for {len(chunk.inputs)} inputs")
    return ChunkResults(
        [_read_result(result, chunk.program, chunk.limits) for result in results], _read_seconds(seconds)
    )


def encode_info(info: Info) -> bytes:
    """What a sandbox says about itself, as bytes."""
    return _dump(asdict(info))


def decode_info(data: bytes) -> Info:
    """Check what a sandbox says about itself.

    Raises:
        ValueError: no honest sandbox says so.
    """
    match wire.parse(data):
        case {"workers": int(workers), "isolation": {"notes": list(notes), **kinds}, **others} if not others:
            pass
        case _:
            raise ValueError("not a sandbox's account of itself")
    if isinstance(workers, bool) or not 1 <= workers <= MAX_WORKERS:
        raise ValueError(f"{workers} workers")
    if len(notes) > MAX_NOTES:
        raise ValueError(f"{len(notes)} notes")
    texts = {str(name): _read_text(text, MAX_MESSAGE_CHARS) for name, text in kinds.items()}
    try:
        return Info(workers, IsolationReport(**texts, notes=tuple(_read_text(n, MAX_MESSAGE_CHARS) for n in notes)))
    except TypeError:
        raise ValueError("unknown kinds of isolation") from None


def encode_error(message: str) -> bytes:
    """What went wrong on the other machine, as bytes."""
    return _dump({"error": message})


def decode_error(data: bytes) -> str:
    """What went wrong, for people; whatever `data` is."""
    try:
        match wire.parse(data):
            case {"error": str(message)}:
                return message[:MAX_MESSAGE_CHARS].encode("utf-8", "replace").decode()
    except ValueError:
        pass
    return "no reason given"


def _read_limits(fields: dict[str, Any]) -> Limits:
    match fields:
        case {
            "cpu_seconds": cpu,
            "wall_seconds": wall,
            "total_wall_seconds": total,
            "memory_mb": int(memory),
            "output_bytes": int(output),
            **others,
        } if not others and not isinstance(memory, bool) and not isinstance(output, bool):
            return Limits(
                _read_seconds(cpu), None if wall is None else _read_seconds(wall), _read_seconds(total), memory, output
            )
        case _:
            raise ValueError("limits are missing, or of the wrong type")


def _read_result(data: Any, program: Program, limits: Limits) -> RunResult:
    """Check one result, as `encode_result` writes it.

    Raises:
        ValueError: no honest sandbox says so of this program.
    """
    match data:
        case {
            "status": str(status),
            "stdout": str(stdout),
            "value": value,
            "opaque": bool(opaque),
            "exception": exception,
            "signal": signal,
            "cpu_seconds": cpu,
            "wall_seconds": wall,
            "waited_seconds": waited,
            "fresh": bool(fresh),
            **others,
        } if not others and status in _STATUSES:
            pass
        case _:
            raise ValueError("not a result")
    returned = status == "ok" and program.mode == "function"
    if (value is not None or opaque) and not returned:
        raise ValueError("a value that nothing returned")
    if (exception is not None) != (status in _WITH_EXCEPTION) and status != "memory":
        raise ValueError("an exception too many, or too few")
    if signal is not None and not (status == "crashed" and type(signal) is int and 1 <= signal <= MAX_SIGNAL):
        raise ValueError("a signal that killed nothing")
    return RunResult(
        status,  # type: ignore[arg-type]  # one of _STATUSES
        stdout=_read_text(stdout, limits.output_bytes),
        value=OPAQUE if opaque else wire.decode(value),
        exception=None if exception is None else _read_exception(exception, program),
        signal=signal,
        cpu_seconds=_read_seconds(cpu),
        wall_seconds=_read_seconds(wall),
        waited_seconds=_read_seconds(waited),
        fresh=fresh,
    )


def _read_exception(data: Any, program: Program) -> ExceptionInfo:
    match data:
        case {"type": str(kind), "message": str(message), "frames": list(frames), **others} if not others:
            if len(frames) > MAX_FRAMES:
                raise ValueError(f"{len(frames)} frames")
            last_line = count_lines(program.source)
            return ExceptionInfo(
                _read_text(kind, MAX_NAME_CHARS),
                _read_text(message, MAX_MESSAGE_CHARS),
                tuple(_read_frame(frame, last_line) for frame in frames),
            )
        case _:
            raise ValueError("not an exception")


def _read_frame(data: Any, last_line: int) -> Frame:
    match data:
        case {"line": int(line), "function": str(function), **others} if not others and 1 <= line <= last_line:
            return Frame(int(line), _read_text(function, MAX_NAME_CHARS))
        case _:
            raise ValueError("not a frame of the program")


def _read_text(data: Any, max_chars: int) -> str:
    """Text that can be encoded as UTF-8 and is not too long."""
    if not isinstance(data, str) or len(data) > max_chars:
        raise ValueError("not a text, or too long")
    data.encode()
    return data


def _read_seconds(data: Any) -> float:
    if isinstance(data, bool) or not isinstance(data, (int, float)) or not 0 <= data < 1e9 or not math.isfinite(data):
        raise ValueError(f"not a number of seconds: {str(data)[:20]}")
    return float(data)


def _dump(data: Any) -> bytes:
    return json.dumps(data).encode("ascii")
