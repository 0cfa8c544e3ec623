"""LiveCodeBench's own grader, as NVIDIA's package carries it, run in a process of its own. For trusted programs only.

Get it with `pip install --no-deps nvidia-livecodebench==26.3`, or set NVIDIA_LIVECODEBENCH to its wheel or to a folder
into which it was unpacked. Only its module `testing_util` is imported, which needs numpy and nothing else.

Run as a script, this is that process: it reads cases as JSON lines, and answers each with a line. Each program runs in
a fork of its own, as the grader disables parts of its process.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MISSING = "LiveCodeBench's grader is not here: pip install --no-deps nvidia-livecodebench==26.3"


@dataclass(frozen=True)
class Grading:
    """What the grader is to judge."""

    code: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    fn_name: str | None
    timeout: int = 6


def find_grader() -> str | None:
    """What must be on the path for `import testing_util`; None if the package is not here."""
    given = os.environ.get("NVIDIA_LIVECODEBENCH")
    if given:
        return str(Path(given).absolute() / "livecodebench" / "evaluation")
    spec = importlib.util.find_spec("livecodebench")
    if spec is None or not spec.submodule_search_locations:
        return None
    return str(Path(spec.submodule_search_locations[0]) / "evaluation")


def grade(gradings: Sequence[Grading]) -> list[bool]:
    """Whether the official grader accepts each program.

    Raises:
        FileNotFoundError: the grader is not here.
        RuntimeError: its process failed.
    """
    path = find_grader()
    if path is None:
        raise FileNotFoundError(MISSING)
    lines = [json.dumps(vars(grading)) for grading in gradings]
    result = subprocess.run(
        [sys.executable, __file__, path], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    answers = result.stdout.split()
    if result.returncode or len(answers) != len(gradings):
        raise RuntimeError(f"the grader's process failed: {result.stderr[-2000:]}")
    return [answer == "1" for answer in answers]


def _serve(path: str) -> None:
    sys.path.insert(0, path)
    sys.set_int_max_str_digits(50_000)
    import testing_util

    context = multiprocessing.get_context("fork")
    for line in sys.stdin:
        case = json.loads(line)
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(testing_util, case, sender))
        process.start()
        sender.close()
        process.join((case["timeout"] + 1) * len(case["inputs"]) + 5)  # its own limit for all tests together
        if process.is_alive():
            process.kill()
            process.join()
        try:
            passed = receiver.poll() and receiver.recv()
        except EOFError:  # the program ended the process
            passed = False
        print(int(passed), flush=True)


def _run(testing_util, case, sender) -> None:
    devnull = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(devnull, fd)
    sample = {"inputs": case["inputs"], "outputs": case["outputs"], "fn_name": case["fn_name"]}
    results, _ = testing_util.run_test({"input_output": json.dumps(sample)}, test=case["code"], timeout=case["timeout"])
    sender.send(all(result is not None and bool(result) and result > 0 for result in results))


if __name__ == "__main__":
    _serve(sys.argv[1])
