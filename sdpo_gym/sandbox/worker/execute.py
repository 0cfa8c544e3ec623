"""Runs one untrusted program, on one input after another, in this process, a restricted child of the worker.

What it reports is a claim and no more: the program can find the same file descriptors. That gives it nothing that it
could not have by returning or raising.
"""

import atexit
import builtins
import contextlib
import itertools
import json
import os
import random
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import wire
from library import RECURSION_LIMIT
from restrict import lift_soft_limits

FILENAME = "Solution.py"
MESSAGE_CHARS = 4_000
MAX_FRAMES = 50

BATCH_SECONDS = 0.02
"""No run of a batch but the first is begun later than this. It bounds what is run in vain once a run has failed, and
leaves each run about all of the limit that the worker sets to the batch."""

BATCH_BYTES = 1 << 15
"""No run is begun once a batch has written this much, or half of the output limit."""

_monotonic = time.monotonic
_to_json = json.JSONEncoder(ensure_ascii=False).encode


class Files(NamedTuple):
    """Descriptors that the worker and its child share."""

    source: int
    stdin: int
    """The inputs of a batch, one after another."""

    stdout: int
    claim: int
    """The child's account of the runs, a line of JSON for each."""

    go: int
    """A pipe: the sizes of the inputs say that these are there."""

    done: int
    """A pipe: a byte says that the batch is over, and that the process can take another one."""


def execute(program: dict[str, Any], files: Files) -> NoReturn:
    """Run a program on the inputs that the worker hands over, until it leaves something behind; end this process."""
    pid = os.getpid()
    code: types.CodeType | None = None
    solution: types.ModuleType | None = None
    functional = program["mode"] == "function"
    most = min(BATCH_BYTES, program["output_bytes"] // 2)
    while True:
        sizes = [int(word) for word in os.read(files.go, 1 << 12).split()]
        if not sizes:
            os._exit(0)
        started = _monotonic()
        batch = _read_inputs(files.stdin, sizes) if len(sizes) > 1 else [None]
        stdout_bytes = claim_bytes = 0
        for number, data in enumerate(batch):
            if number and (_monotonic() - started > BATCH_SECONDS or stdout_bytes + claim_bytes > most):
                break
            if solution is None:  # else it may have set these to its liking
                stdout = _open_standard_streams(files, None if functional else data, stdout_bytes)
                random.seed(0)
                sys.setrecursionlimit(RECURSION_LIMIT)
                sys.argv = [FILENAME]
            else:
                with contextlib.suppress(OSError):  # the program closed it
                    os.lseek(1, stdout_bytes, os.SEEK_SET)
            claim: dict[str, Any] = {}
            if code is None:
                code, claim = _compile(_read_source(files.source))
            if code is not None and functional:
                solution, claim = _call_function(program, code, solution, files.stdin, data)
            elif code is not None:
                claim = _run_as_main(code, _make_module("__main__"))
            _attempt(lambda: sys.stdout.flush())
            _attempt(stdout.flush)
            if os.getpid() != pid:
                os._exit(0)  # a fork of the program came here as well
            with contextlib.suppress(OSError):  # the program closed it
                stdout_bytes = os.fstat(files.stdout).st_size
            claim["stdout_end"] = stdout_bytes
            written = 0
            if claim["status"] == "ok" and _is_clean():
                written = _write_claim(files.claim, claim, claim_bytes)
            if not written:
                _end(files.claim, claim, claim_bytes)
            claim_bytes += written
        os.write(files.done, b"1")


def _end(fd: int, claim: dict[str, Any], position: int) -> NoReturn:
    """End this process, after a run behind which the program has left something or may have."""
    _attempt(lift_soft_limits)
    claim["last"] = True
    memory = {"status": "memory", "stdout_end": claim["stdout_end"], "last": True}
    written = _write_claim(fd, claim, position) or _write_claim(fd, memory, position)
    os._exit(0 if written or claim == memory | {"status": "ok"} else 1)


def _is_clean() -> bool:
    """Whether nothing of the run goes on. (Exit handlers have been called, or never are.)"""
    return threading.active_count() == 1


def _read_inputs(fd: int, sizes: list[int]) -> list[bytes]:
    """The inputs of a batch, of which nothing is left in the file."""
    data = _take(fd)
    ends = list(itertools.accumulate(sizes))
    return [data[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _take(fd: int) -> bytes:
    """All that the file holds, of which nothing is left there."""
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    os.ftruncate(fd, 0)
    return data


def _open_standard_streams(files: Files, data: bytes | None, stdout_start: int) -> Any:
    """Make them new, for input `data` (None: what the file holds) and output from `stdout_start` on."""
    if data is not None:
        os.pwrite(files.stdin, data, 0)
        os.ftruncate(files.stdin, len(data))
    os.dup2(files.stdin, 0)
    os.dup2(files.stdout, 1)
    os.lseek(0, 0, os.SEEK_SET)
    os.lseek(1, stdout_start, os.SEEK_SET)
    sys.stdin = sys.__stdin__ = _open(0, "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _open(1, "w", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _open(2, "w", "backslashreplace")  # type: ignore[misc]
    vars(builtins).update(stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)  # the preamble has the worker's
    return sys.stdout


def _open(fd: int, mode: str, errors: str) -> Any:
    return open(fd, mode, encoding="utf-8", errors=errors, newline="\n", closefd=False)


def _make_module(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__dict__.update(__file__=FILENAME, __builtins__=builtins)
    sys.modules[name] = module
    return module


def _read_source(fd: int) -> str:
    """The source. The file is closed then: it outlives this process, and the program must not write to it."""
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    os.close(fd)
    return data.decode("utf-8", "surrogatepass")


def _run_as_main(code: types.CodeType, module: types.ModuleType) -> dict[str, Any]:
    """Run a program as Python runs a script: to the end of its threads and exit handlers."""
    failures: list[dict[str, Any]] = []

    def note_failure(thread: Any) -> None:
        if thread.exc_value is not None and not isinstance(thread.exc_value, SystemExit):
            failures.append(_describe(thread.exc_value))

    threading.excepthook = note_failure
    try:
        exec(code, module.__dict__)
    except SystemExit:
        pass
    except BaseException as error:
        failures.insert(0, _describe(error))
    if threading.active_count() > 1:
        _attempt(_wait_for_threads)
    _attempt(atexit._run_exitfuncs)
    _attempt(lambda: sys.stdout.flush())
    claim = failures[0] if failures else {"status": "ok"}
    _clear(module.__dict__)
    return claim


def _clear(namespace: dict[str, Any]) -> None:
    """As Python does at its end: by and by, as what ends here may use names that come later. Files are flushed, such as
    the program's own on descriptor 1."""
    for name in list(namespace):
        if name != "__builtins__":
            namespace[name] = None
    namespace.clear()


def _wait_for_threads() -> None:
    """Until those that Python waits for at its end have ended. Python's own way to wait works once in a process."""
    if "concurrent.futures.thread" in sys.modules:
        threading._shutdown()  # type: ignore[attr-defined]  # its threads end when they are told to
    while threads := [t for t in threading.enumerate() if not t.daemon and t is not threading.current_thread()]:
        for thread in threads:
            thread.join()


def _call_function(
    program: dict[str, Any], code: types.CodeType, solution: types.ModuleType | None, stdin: int, data: bytes | None
) -> tuple[types.ModuleType | None, dict[str, Any]]:
    """Call the program's function, after running the program itself where that is still to be done.

    Args:
        program: Says which function.
        code: The program.
        solution: The program as a module, if it was run.
        stdin: The file with the arguments, where `data` is None.
        data: The arguments.

    Returns:
        The program as a module, and the claim.
    """
    try:
        text = (_take(stdin) if data is None else data).decode("utf-8", "surrogatepass")
        if solution is None:
            solution = _make_module("solution")
            exec(code, solution.__dict__)
        arguments = [json.loads(line) for line in text.split("\n") if line.strip()]
        function = _find_function(solution.__dict__, program["entry_point"])
        if function is None:
            message = f"expected a function, or a method of class Solution, named {program['entry_point']!r}"
            exception = {"type": "NameError", "message": message, "frames": []}
            return solution, {"status": "exception", "exception": exception}
        return solution, _describe_value(function(*arguments), program)
    except BaseException as error:
        return solution, _describe(error)


def _describe_value(value: Any, program: dict[str, Any]) -> dict[str, Any]:
    """The claim that this was returned."""
    try:
        return {"status": "ok", "value": wire.encode(value, program["output_bytes"])}
    except wire.NotPlain:
        return {"status": "ok", "opaque": True}
    except wire.TooLarge:
        return {"status": "output_limit"}


def _find_function(namespace: dict[str, Any], name: str) -> Callable[..., Any] | None:
    solution = namespace.get("Solution")
    if isinstance(solution, type) and hasattr(solution, name):
        return getattr(solution(), name)
    function = namespace.get(name)
    return function if callable(function) else None


def _compile(source: str) -> tuple[types.CodeType | None, dict[str, Any]]:
    kind, line = "SyntaxError", 1
    try:
        return compile(source, FILENAME, "exec", dont_inherit=True), {}
    except SyntaxError as error:
        kind, message, line = type(error).__name__, str(error.msg), error.lineno or 1
    except (RecursionError, MemoryError):
        message = "the program is too complex to be compiled"
    except (ValueError, OverflowError) as error:
        message = str(error)
    exception = {"type": kind, "message": message[:MESSAGE_CHARS], "frames": [[line, "<module>"]]}
    return None, {"status": "syntax_error", "exception": exception}


def _describe(error: BaseException) -> dict[str, Any]:
    """The claim that this exception ended the run."""
    status = "exception"
    if isinstance(error, MemoryError):
        status = "memory"
        _attempt(lift_soft_limits)
    try:
        message = str(error)[:MESSAGE_CHARS]
    except BaseException:
        message = "<exception str() failed>"
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == FILENAME:
            frames.append([traceback.tb_lineno or 1, code.co_name])
        traceback = traceback.tb_next
    if len(frames) > MAX_FRAMES:
        frames[MAX_FRAMES // 2 : -MAX_FRAMES // 2] = []
    return {"status": status, "exception": {"type": type(error).__name__, "message": message, "frames": frames}}


def _write_claim(fd: int, claim: dict[str, Any], position: int) -> int:
    """Write a line at `position`; its length, or 0 if it could not be written."""
    try:
        data = _to_json(claim).encode("utf-8", "surrogatepass") + b"\n"
        os.ftruncate(fd, position)
        written = 0
        while written < len(data):
            written += os.pwrite(fd, data[written:], position + written)
        return written
    except BaseException:
        return 0


def _attempt(function: Callable[[], Any]) -> bool:
    """Call it; whatever the program has made of it, go on."""
    try:
        function()
        return True
    except BaseException:
        return False
