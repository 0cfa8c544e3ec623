"""Runs one untrusted program in this process, a restricted child of the worker, and ends the process.

What it reports is a claim and no more: the program can find the same file descriptor. That gives it nothing that it
could not have by returning or raising.
"""

import atexit
import builtins
import json
import os
import random
import sys
import threading
import types
from collections.abc import Callable
from typing import Any, NoReturn

import wire
from restrict import lift_soft_limits

FILENAME = "Solution.py"
RECURSION_LIMIT = 50_000
INT_DIGITS = 50_000
THREAD_STACK_BYTES = 8 << 20
MESSAGE_CHARS = 4_000
MAX_FRAMES = 50

# What LiveCodeBench puts in front of every program, in its order.
MODULES = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json"
)


def load_preamble() -> dict[str, Any]:
    """Prepare the interpreter, and return the names that every program finds defined."""
    names: dict[str, Any] = {}
    exec("\n".join(f"from {module} import *" for module in f"{MODULES} builtins typing".split()), names)
    exec("\n".join(f"import {module}" for module in MODULES.split()), names)
    del names["__builtins__"]
    sys.setrecursionlimit(RECURSION_LIMIT)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(INT_DIGITS)
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # `python -S` leaves them out
    threading.stack_size(THREAD_STACK_BYTES)  # the default is RLIMIT_STACK, which would use up the address space
    return names


def execute(job: dict[str, Any], preamble: dict[str, Any], claim_fd: int) -> NoReturn:
    """Run the program of a job on its input, write the claim, and end this process."""
    pid = os.getpid()
    random.seed(0)
    _open_standard_streams()
    sys.argv = [FILENAME]
    as_main = job["mode"] == "stdin"
    module = types.ModuleType("__main__" if as_main else "solution")
    module.__dict__.update(preamble, __file__=FILENAME, __builtins__=builtins)
    module.__dict__.update(stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)  # the preamble has the worker's
    sys.modules[module.__name__] = module
    stdout = sys.stdout
    claim = _run_as_main(job, module) if as_main else _call_function(job, module)
    _attempt(lambda: sys.stdout.flush())
    _attempt(stdout.flush)
    if os.getpid() != pid:
        os._exit(0)  # a fork of the program came here as well
    _attempt(lift_soft_limits)
    written = _attempt(lambda: _write_claim(claim_fd, claim))
    written = written or _attempt(lambda: _write_claim(claim_fd, {"status": "memory"}))
    os._exit(0 if written or claim == {"status": "ok"} else 1)


def _open_standard_streams() -> None:
    def stream(fd: int, mode: str, errors: str) -> Any:
        return open(fd, mode, encoding="utf-8", errors=errors, newline="\n", closefd=False)

    sys.stdin = sys.__stdin__ = stream(0, "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = stream(1, "w", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = stream(2, "w", "backslashreplace")  # type: ignore[misc]


def _run_as_main(job: dict[str, Any], module: types.ModuleType) -> dict[str, Any]:
    """Run a program as Python runs a script: to the end of its threads and exit handlers."""
    code, claim = _compile(job["source"])
    if code is None:
        return claim
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
    _attempt(threading._shutdown)  # type: ignore[attr-defined]
    _attempt(atexit._run_exitfuncs)
    claim = failures[0] if failures else {"status": "ok"}
    module.__dict__.clear()  # flushes files that the program left open, such as its own on descriptor 1
    return claim


def _call_function(job: dict[str, Any], module: types.ModuleType) -> dict[str, Any]:
    arguments = [json.loads(line) for line in job["input"].split("\n") if line.strip()]
    module.__dict__.pop(job["entry_point"], None)  # a function of the preamble, such as gcd, is not the program's
    code, claim = _compile(job["source"])
    if code is None:
        return claim
    try:
        exec(code, module.__dict__)
        function = _find_function(module.__dict__, job["entry_point"])
        if function is None:
            message = f"expected a function, or a method of class Solution, named {job['entry_point']!r}"
            return {"status": "exception", "exception": {"type": "NameError", "message": message, "frames": []}}
        value = function(*arguments)
    except BaseException as error:
        return _describe(error)
    try:
        return {"status": "ok", "value": wire.encode(value, job["limits"]["output_bytes"])}
    except wire.NotPlain:
        return {"status": "ok", "opaque": True}
    except wire.TooLarge:
        return {"status": "output_limit"}
    except BaseException as error:
        return _describe(error)


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


def _write_claim(claim_fd: int, claim: dict[str, Any]) -> None:
    data = json.dumps(claim).encode("ascii")
    os.ftruncate(claim_fd, 0)
    position = 0
    while position < len(data):
        position += os.pwrite(claim_fd, data[position:], position)


def _attempt(function: Callable[[], Any]) -> bool:
    """Call it; whatever the program has made of it, go on."""
    try:
        function()
        return True
    except BaseException:
        return False
