"""Turns folders of problems into one file of rows in LiveCodeBench's format.

What a folder holds is described in `envs.livecodebench.sources`, and what `--check` asks of it in
`envs.livecodebench.checks`. What `solution.py` answers in the sandbox becomes the expected output. No program gets
into the file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from envs.livecodebench.checks import check
from envs.livecodebench.env import PROBLEMS
from envs.livecodebench.excerpts import clip, show_value
from envs.livecodebench.sources import Source, find_folders, find_incomplete, read_folder
from sdpo_gym.sandbox import Program, RunResult, shared_sandbox

FOLDER = Path(__file__).parent / "problems"
MIN_PUBLIC = 2
MIN_TESTS = 8
CHECK_SECONDS = 0.5

In = TypeVar("In")
Out = TypeVar("Out")


def make_row(source: Source) -> dict[str, str]:
    """The problem as a row of LiveCodeBench, with the tags in `metadata`, where other readers ignore them.

    Raises:
        SandboxError: the sandbox failed.
        ValueError: there are too few tests, or the solution does not answer one of them; the message names the problem.
    """
    if len(source.public) < MIN_PUBLIC or len(source.public) + len(source.private) < MIN_TESTS:
        raise ValueError(
            f"{source.slug}: {len(source.public)} public and {len(source.private)} private tests that differ; "
            f"at least {MIN_PUBLIC} public and {MIN_TESTS} in all are needed"
        )
    inputs = [*source.public, *source.private]
    mode = "stdin" if source.func_name is None else "function"
    results = shared_sandbox().run(Program(source.solution, mode, source.func_name), inputs)
    tests = [
        {
            "input": text,
            "output": _output_text(source, text, result),
            "testtype": "stdin" if source.func_name is None else "functional",
        }
        for text, result in zip(inputs, results, strict=True)
    ]
    metadata: dict[str, Any] = {} if source.func_name is None else {"func_name": source.func_name}
    if source.tags:
        metadata["tags"] = source.tags
    return {
        "question_title": source.title,
        "question_content": source.statement,
        "platform": "sdpo-gym",
        "question_id": source.slug,
        "contest_id": "sdpo-gym",
        "contest_date": "2026-01-01T00:00:00",
        "starter_code": source.starter,
        "difficulty": source.difficulty,
        "public_test_cases": json.dumps(tests[: len(source.public)]),
        "private_test_cases": json.dumps(tests[len(source.public) :]),
        "metadata": json.dumps(metadata),
    }


def _output_text(source: Source, text: str, result: RunResult) -> str:
    if result.status != "ok":
        error = "" if result.exception is None else f" ({result.exception.type}: {result.exception.message})"
        raise ValueError(f"{source.slug}: solution.py ends with {result.status}{error} on {text!r:.200}")
    if source.func_name is None:
        return result.stdout
    try:
        output = json.dumps(result.value)
        plain = json.loads(output) == result.value
    except (TypeError, ValueError):
        plain = False
    if not plain:
        shown = clip(show_value(result.value), 200)
        raise ValueError(f"{source.slug}: JSON cannot hold what solution.py returns: {shown}")
    return output


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="folder of problem folders")
    parser.add_argument("--output", type=Path, metavar="FILE", help="file to write (.jsonl), or to compare in --check")
    parser.add_argument("--check", action="store_true", help="write nothing; check all programs, and FILE if given")
    parser.add_argument("--embedded", action="store_true", help="build the package's own problems, instead of a FOLDER")
    parser.add_argument(
        "--time-limit",
        type=float,
        default=CHECK_SECONDS,
        metavar="SECONDS",
        help="CPU time for each test in --check, which solutions must keep to and slow programs exceed (%(default)s)",
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    """Build or check; returns the exit code: 0, or 1 if something is wrong, which is printed."""
    folder, file = options.folder, options.output
    if folder is None:
        folder, file = FOLDER, file or PROBLEMS
    if file is None and not options.check:
        return _complain(["with a folder of your own, say where the rows go: --output FILE"])
    if file is not None and file.suffix != ".jsonl":
        return _complain([f"--output must end in .jsonl, as the rows are read by this name, not {file}"])
    try:
        folders = find_folders(folder)
    except ValueError as error:
        return _complain([str(error)])
    for skipped in find_incomplete(folder):
        print(f"{skipped}: skipped, as there is no problem.json", file=sys.stderr)
    sources, complaints = _each(read_folder, folders)
    rows, more = _each(make_row, sources)
    complaints += more
    if complaints:
        return _complain(complaints)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if not options.check:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            return _complain([f"{file} cannot be written: {error.strerror}"])
        print(f"{file}: {len(rows)} problems, {len(text)} bytes")
        return 0
    found, complaints = _each(lambda pair: check(*pair, options.time_limit), list(zip(sources, rows, strict=True)))
    complaints += [complaint for of_one in found for complaint in of_one]
    if file is not None and not file.exists():
        print(f"{file} does not exist yet; without --check it is built")
    elif file is not None and file.read_bytes() != text.encode():
        complaints.append(f"{file} is not what the folders give; build it again without --check")
    if complaints:
        return _complain(complaints)
    print(f"{len(rows)} problems are in order")
    return 0


def _each(function: Callable[[In], Out], items: Iterable[In]) -> tuple[list[Out], list[str]]:
    """Results for all items, as many at a time as the sandbox has workers; and the messages of all ValueErrors."""
    with ThreadPoolExecutor(shared_sandbox().workers) as pool:
        futures = [pool.submit(function, item) for item in items]
    results, errors = [], []
    for future in futures:
        try:
            results.append(future.result())
        except ValueError as error:
            errors.append(str(error))
    return results, errors


def _complain(complaints: list[str]) -> int:
    print("\n".join(complaints), file=sys.stderr)
    return 1


def main(arguments: list[str] | None = None, *, prog: str = "python -m envs.livecodebench.build") -> int:
    """The command `python -m envs.livecodebench.build`, also `sdpo-gym dataset build`; returns the exit code.

    Args:
        arguments: Of the command line. None: this process's own.
        prog: The command, as it was typed.
    """
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    if options.embedded and options.folder is not None:
        parser.error("give a FOLDER or --embedded, not both")
    # The package's own file is not overwritten unasked.
    if not (options.embedded or options.folder or options.output or options.check):
        parser.error("give the FOLDER of your problems and --output FILE, or --embedded")
    if not 0 < options.time_limit < 3600:
        parser.error(f"--time-limit must be above 0 and below 3600 seconds, not {options.time_limit:g}")
    return _run(options)


if __name__ == "__main__":
    sys.exit(main())
