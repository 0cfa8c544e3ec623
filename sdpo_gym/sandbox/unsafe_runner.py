"""Runs one program on one input for UnsafeSandbox: `python -I unsafe_runner.py FOLDER`, with standard input and output.

FOLDER has `job.json`; what happened goes to `claim.json` beside it, for `claims.read_claim`.
"""

import builtins
import contextlib
import json
import os
import random
import sys
import types
from typing import Any

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker")
FILENAME = "Solution.py"
MESSAGE_CHARS = 4_000
MAX_FRAMES = 50


def main(folder: str) -> None:
    """Do the job in a folder."""
    sys.path.insert(0, WORKER)
    import library
    import wire

    with open(os.path.join(folder, "job.json"), encoding="ascii") as file:
        job = json.load(file)
    library.load_preamble()
    library.hide_worker(WORKER)
    _limit_memory(job["memory_mb"] << 20)
    random.seed(0)
    sys.argv = [FILENAME]
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")  # type: ignore[union-attr]
    vars(builtins).update(stdin=sys.stdin, stdout=sys.stdout)
    claim = _run(job, wire)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    with open(os.path.join(folder, "claim.json"), "w", encoding="ascii") as file:
        file.write(json.dumps(claim))


def _limit_memory(count: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (count, count))
    except (ImportError, ValueError, OSError):
        pass  # not on this platform


def _run(job: dict[str, Any], wire: Any) -> dict[str, Any]:
    try:
        code = compile(job["source"], FILENAME, "exec", dont_inherit=True)
    except BaseException as error:
        kind = type(error).__name__ if isinstance(error, SyntaxError) else "SyntaxError"
        line = getattr(error, "lineno", None) or 1
        return _failure("syntax_error", kind, str(getattr(error, "msg", error)), [(line, "<module>")])
    as_main = job["mode"] == "stdin"
    module = types.ModuleType("__main__" if as_main else "solution")
    module.__file__ = FILENAME
    sys.modules[module.__name__] = module
    try:
        if as_main:
            with contextlib.suppress(SystemExit):
                exec(code, module.__dict__)
            return {"status": "ok"}
        arguments = [json.loads(line) for line in sys.stdin.read().split("\n") if line.strip()]
        exec(code, module.__dict__)
        value = _find_function(module.__dict__, job["entry_point"])(*arguments)
        return {"status": "ok", "value": wire.encode(value, job["output_bytes"])}
    except wire.NotPlain:
        return {"status": "ok", "opaque": True}
    except wire.TooLarge:
        return {"status": "output_limit"}
    except BaseException as error:
        return _describe(error)


def _find_function(namespace: dict[str, Any], name: str) -> Any:
    solution = namespace.get("Solution")
    if isinstance(solution, type) and hasattr(solution, name):
        return getattr(solution(), name)
    function = namespace.get(name)
    if not callable(function):
        raise NameError(f"expected a function, or a method of class Solution, named {name!r}")
    return function


def _describe(error: BaseException) -> dict[str, Any]:
    try:
        message = str(error)
    except BaseException:
        message = "<exception str() failed>"
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILENAME:
            frames.append((traceback.tb_lineno or 1, traceback.tb_frame.f_code.co_name))
        traceback = traceback.tb_next
    if len(frames) > MAX_FRAMES:
        frames[MAX_FRAMES // 2 : -MAX_FRAMES // 2] = []
    status = "memory" if isinstance(error, MemoryError) else "exception"
    return _failure(status, type(error).__name__, message, frames)


def _failure(status: str, kind: str, message: str, frames: list[tuple[int, str]]) -> dict[str, Any]:
    exception = {"type": kind, "message": message[:MESSAGE_CHARS], "frames": frames}
    return {"status": status, "exception": exception}


if __name__ == "__main__":
    main(sys.argv[1])
