"""What every sandbox offers: run one untrusted program on many inputs, and say what happened.

The judge lives in the host. A sandbox is never told an expected output, a task's name or how many tests there are, and
the host never unpickles or evaluates anything that comes out of one.
"""

from __future__ import annotations

import asyncio
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

MIN_MEMORY_MB = 64
"""What the interpreter itself needs."""

MAX_ENTRY_POINT_CHARS = 1000
"""It is part of a message to a worker, which is short."""

ISOLATION = ("filesystem", "network", "processes", "memory", "kernel")
"""What is kept from a program: the fields of an `IsolationReport`, but for its notes."""

Status = Literal[
    "ok",  # ran to its end
    "exception",  # raised
    "syntax_error",  # could not be compiled
    "timeout",  # CPU or wall limit
    "memory",  # MemoryError, or killed for memory
    "output_limit",  # wrote more than allowed
    "crashed",  # killed by a signal (segmentation fault, abort, …)
    "no_result",  # the process ended without handing over a result
    "not_run",  # the total wall limit was used up before this input
]


class _Opaque:
    """Stands for a returned value that is not plain data."""

    def __repr__(self) -> str:
        return "OPAQUE"


OPAQUE = _Opaque()


class SandboxError(RuntimeError):
    """The sandbox itself failed. It says nothing about the program; never score it as a wrong answer."""


@dataclass(frozen=True)
class Program:
    """An untrusted program.

    In mode `stdin` it is run as `__main__` once per input, which it reads from standard input. In mode `function`,
    `entry_point` names a function, or a method of a class `Solution`; an input holds one JSON value per line, the
    positional arguments in order. The program itself is then run once in each process, before the first call there.
    """

    source: str
    mode: Literal["stdin", "function"]
    entry_point: str | None = None


@dataclass(frozen=True)
class Limits:
    """Limits of one run; times in seconds."""

    cpu_seconds: float = 6.0
    """CPU time for one input, compile time included."""

    wall_seconds: float | None = None
    """Wall time for one input. None: twice the CPU limit plus one second, so that a busy machine condemns nobody. How
    long a program waited for a CPU is not charged, where that is known, but for a tenth of all the time it takes."""

    total_wall_seconds: float = 60.0
    """Wall time for all inputs together, likewise. The judge's own time does not count."""

    memory_mb: int = 1024
    """Address space for each process beyond that of an interpreter, with whatever packages are loaded."""

    output_bytes: int = 1 << 20

    @property
    def wall_limit(self) -> float:
        return 2 * self.cpu_seconds + 1 if self.wall_seconds is None else self.wall_seconds


@dataclass(frozen=True)
class Frame:
    """One frame of a traceback inside the submission."""

    line: int
    """1-based line number in the submitted source."""

    function: str


@dataclass(frozen=True)
class ExceptionInfo:
    """An exception that ended a run, or a syntax error. Texts are capped and free of memory addresses."""

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    """Frames inside the submission, outermost first. A syntax error has one."""


@dataclass(frozen=True)
class RunResult:
    """What happened on one input."""

    status: Status
    stdout: str = ""
    value: Any = None
    """Mode `function`: the returned value when it is plain data (None, bool, int, float, str, bytes, list, tuple, dict,
    set, of plain data), else `OPAQUE`."""

    exception: ExceptionInfo | None = None
    signal: int | None = None
    cpu_seconds: float = 0.0
    """Measured from outside. Of runs that shared a process, the mean over those that were handed over together."""

    wall_seconds: float = 0.0
    """Likewise."""

    waited_seconds: float = 0.0
    """How much of the wall time it waited for a CPU, likewise. 0 where it is not known or all was over soon."""

    fresh: bool = True
    """Whether the process had run nothing else, and was not to."""


@dataclass(frozen=True)
class IsolationReport:
    """By what means each thing is kept from a program; `none` where nothing does."""

    filesystem: str = "none"
    network: str = "none"
    processes: str = "none"
    memory: str = "none"
    kernel: str = "shared"
    notes: tuple[str, ...] = field(default=())

    def missing(self, require: Collection[str]) -> list[str]:
        """Those of `require` (names of fields) that nothing provides.

        Raises:
            ValueError: a name is not one of a kind of isolation.
        """
        if unknown := set(require) - set(ISOLATION):
            raise ValueError(f"unknown isolation {sorted(unknown)}; what can be required is {list(ISOLATION)}")
        return [kind for kind in ISOLATION if kind in require and getattr(self, kind) in ("none", "shared")]


Stop = Callable[[int, RunResult], bool]
Accept = Callable[[int, RunResult], bool]


class Sandbox(ABC):
    """Runs untrusted programs. Safe to call from several threads at once."""

    workers: int
    """How many programs run at the same time; more calls wait."""

    @abstractmethod
    def run(
        self,
        program: Program,
        inputs: Sequence[str],
        limits: Limits = Limits(),
        *,
        stop: Stop | None = None,
        accept: Accept | None = None,
    ) -> list[RunResult]:
        """Run the program on the inputs, in order.

        Args:
            program: What to run.
            inputs: Standard input, or arguments as JSON lines, one text per run.
            limits: Limits of each run and of all together.
            stop: Called in the host with the index and result of each run; True ends the runs early, and the returned
                list is then shorter than `inputs`. The indices begin anew at most once.
            accept: Called in the host with the index and result of a run; whether the result is a good one. With it,
                inputs share a process as long as their results are accepted, which is many times faster. A result that
                is not accepted counts only if the process had run nothing before; else the input is run again in a
                fresh one. If it is accepted then, the program does not bear sharing, and everything is run anew, each
                input in a process of its own. So is everything without `accept`.

        Returns:
            One result per input that was started, in order.

        Raises:
            SandboxError: the sandbox failed, twice in a row, for a reason other than the program.
            ValueError: the program, an input or a limit makes no sense.
        """

    async def arun(
        self,
        program: Program,
        inputs: Sequence[str],
        limits: Limits = Limits(),
        *,
        stop: Stop | None = None,
        accept: Accept | None = None,
    ) -> list[RunResult]:
        """`run`, for use with asyncio: in a thread, which mostly waits."""
        return await asyncio.to_thread(self.run, program, inputs, limits, stop=stop, accept=accept)

    @property
    @abstractmethod
    def isolation(self) -> IsolationReport:
        """What is in force. May start a worker to find out."""

    @abstractmethod
    def close(self) -> None:
        """End all worker processes. The sandbox cannot be used afterwards. May be called more than once."""

    @property
    @abstractmethod
    def closed(self) -> bool: ...

    def _check_open(self) -> None:
        if self.closed:
            raise SandboxError("this sandbox is closed")


def check_request(program: Program, limits: Limits) -> None:
    """Raise ValueError on a program or limits that make no sense, which must not look like the program's mistake.

    TypeError on what is no program at all.
    """
    if not isinstance(program, Program):
        raise TypeError(f"a program is given as Program(source, 'stdin'), not {program!r:.100}")
    if not isinstance(program.source, str):
        raise TypeError(f"a program's source is a text, not {program.source!r:.100}")
    if program.mode not in ("stdin", "function"):
        raise ValueError(f"unknown mode {program.mode!r}")
    if program.mode == "function" and not program.entry_point:
        raise ValueError("mode 'function' needs an entry_point")
    if len(program.entry_point or "") > MAX_ENTRY_POINT_CHARS:
        raise ValueError(f"an entry_point of more than {MAX_ENTRY_POINT_CHARS} characters")
    if limits.memory_mb < MIN_MEMORY_MB:
        raise ValueError(f"memory_mb must be at least {MIN_MEMORY_MB}, not {limits.memory_mb}")
    if not isinstance(limits.memory_mb, int) or not isinstance(limits.output_bytes, int):
        raise ValueError(f"memory_mb and output_bytes must be whole numbers: {limits}")
    seconds = (limits.cpu_seconds, limits.wall_limit)
    if not all(0 < limit < math.inf for limit in seconds) or limits.output_bytes < 0:
        raise ValueError(f"limits must be positive, and those of one run finite: {limits}")
    if math.isnan(limits.total_wall_seconds):
        raise ValueError("total_wall_seconds must be a number, not nan")


_DECODER = json.JSONDecoder(parse_int=len)  # numbers of any length, without the cost


def check_input(program: Program, index: int, text: str) -> None:
    """Raise ValueError on an input that is not what the program's mode takes, TypeError on one that is no text."""
    if not isinstance(text, str):
        raise TypeError(f"input {index} is not a text: {text!r:.100}")
    if program.mode == "stdin":
        return
    try:
        for line in text.split("\n"):
            if line.strip():
                _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"input {index} is not one JSON value per line: {error}") from error


def next_inputs(program: Program, inputs: Sequence[str], first: int, end: int, max_chars: int) -> list[str]:
    """The inputs from `first` to before `end`, as far as they make sense and are not too long together; at least one.

    Raises:
        ValueError: the first of them makes no sense; TypeError: it is no text. For those behind it is raised when their
            turn comes, as those before them may end the runs.
    """
    texts: list[str] = []
    chars = 0
    for index in range(first, min(end, len(inputs))):
        text = inputs[index]
        try:
            check_input(program, index, text)
        except (TypeError, ValueError):
            if texts:
                break
            raise
        chars += len(text)
        if texts and chars > max_chars:
            break
        texts.append(text)
    return texts
