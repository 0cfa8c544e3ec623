"""Turns folders of problems into `problems.jsonl`, in LiveCodeBench's row format.

A folder, whose name becomes the problem's id, holds

* `problem.json`: `title`, `difficulty` (trivial, easy or medium) and `func_name` (null: the program reads stdin);
* `statement.md`, and `starter.txt` if a function is to be written;
* `tests.py`: `PUBLIC`, a list of inputs, and `generate(rng)`, which returns more of them for the private tests. An
  input is a text for standard input, or a list of arguments;
* `solution.py`, which is right, and one or more `wrong_*.py`, which are not.

What the solution answers in the sandbox becomes the expected output. No program gets into the file.
"""

from __future__ import annotations

import argparse
import json
import random
import runpy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.livecodebench.env import PROBLEMS, make_task
from envs.livecodebench.rows import parse_row
from envs.livecodebench.verifier import LiveCodeBenchVerifier
from sdpo_gym.sandbox import Program, RunResult, shared_sandbox

FOLDER = Path(__file__).parent / "problems"
DIFFICULTIES = ("trivial", "easy", "medium")
MIN_PUBLIC = 2
MIN_TESTS = 8


@dataclass(frozen=True)
class Source:
    """A problem as its author wrote it."""

    slug: str
    title: str
    difficulty: str
    func_name: str | None
    statement: str
    starter: str
    public: list[Any]
    private: list[Any]
    solution: str
    wrong: dict[str, str]
    """Wrong solutions by file name."""


def read_folder(folder: Path) -> Source:
    """Read one problem.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the folder does not hold what it should; the message names it.
    """
    facts = json.loads((folder / "problem.json").read_text(encoding="utf-8"))
    tests = runpy.run_path(str(folder / "tests.py"))
    func_name = facts["func_name"]
    source = Source(
        slug=folder.name,
        title=facts["title"],
        difficulty=facts["difficulty"],
        func_name=func_name,
        statement=(folder / "statement.md").read_text(encoding="utf-8").strip(),
        starter="" if func_name is None else (folder / "starter.txt").read_text(encoding="utf-8"),
        public=tests["PUBLIC"],
        private=tests["generate"](random.Random(folder.name)),
        solution=(folder / "solution.py").read_text(encoding="utf-8"),
        wrong={path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("wrong_*.py"))},
    )
    if source.difficulty not in DIFFICULTIES:
        raise ValueError(f"{folder}: difficulty must be one of {DIFFICULTIES}, not {source.difficulty!r}")
    if not source.wrong:
        raise ValueError(f"{folder}: there is no wrong_*.py, so nothing shows that the tests can tell right from wrong")
    return source


def make_row(source: Source) -> dict[str, str]:
    """The problem as a row of LiveCodeBench.

    Raises:
        SandboxError: the sandbox failed.
        ValueError: there are too few tests, or the solution does not answer one of them; the message names the problem.
    """
    public = _distinct(_input_text(source, item) for item in source.public)
    private = [text for text in _distinct(_input_text(source, item) for item in source.private) if text not in public]
    if len(public) < MIN_PUBLIC or len(public) + len(private) < MIN_TESTS:
        raise ValueError(
            f"{source.slug}: {len(public)} public and {len(private)} private tests that differ; "
            f"at least {MIN_PUBLIC} public and {MIN_TESTS} in all are needed"
        )
    mode = "stdin" if source.func_name is None else "function"
    results = shared_sandbox().run(Program(source.solution, mode, source.func_name), public + private)
    tests = [
        {
            "input": text,
            "output": _output_text(source, text, result),
            "testtype": "stdin" if source.func_name is None else "functional",
        }
        for text, result in zip(public + private, results, strict=True)
    ]
    return {
        "question_title": source.title,
        "question_content": source.statement,
        "platform": "sdpo-gym",
        "question_id": source.slug,
        "contest_id": "sdpo-gym",
        "contest_date": "2026-01-01T00:00:00",
        "starter_code": source.starter,
        "difficulty": source.difficulty,
        "public_test_cases": json.dumps(tests[: len(public)]),
        "private_test_cases": json.dumps(tests[len(public) :]),
        "metadata": json.dumps({} if source.func_name is None else {"func_name": source.func_name}),
    }


def check(source: Source, row: dict[str, str]) -> Iterator[str]:
    """Complaints about a problem: a solution that fails, or a wrong one or an empty program that passes."""
    task = make_task(parse_row(row))
    programs = {"solution.py": source.solution, "an empty program": "pass", **source.wrong}
    responses = [f"```python\n{program}\n```" for program in programs.values()]
    verdicts = LiveCodeBenchVerifier().verify_many([task] * len(responses), responses)
    for name, verdict in zip(programs, verdicts, strict=True):
        if verdict.success != (name == "solution.py"):
            yield f"{source.slug}: {name} {'passes' if verdict.success else 'fails: ' + verdict.feedback}"


def _distinct(texts: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _input_text(source: Source, item: Any) -> str:
    if source.func_name is None:
        if not isinstance(item, str):
            raise ValueError(f"{source.slug}: an input must be a text for standard input, not {item!r:.200}")
        return item
    if not isinstance(item, list) or json.loads(json.dumps(item)) != item:
        raise ValueError(f"{source.slug}: an input must be a list of arguments that JSON can hold, not {item!r:.200}")
    return "\n".join(json.dumps(argument) for argument in item)


def _output_text(source: Source, text: str, result: RunResult) -> str:
    if result.status != "ok":
        raise ValueError(f"{source.slug}: the solution ends with {result.status} {result.exception} on {text!r:.200}")
    if source.func_name is None:
        return result.stdout
    output = json.dumps(result.value)
    if json.loads(output) != result.value:
        raise ValueError(f"{source.slug}: JSON cannot hold what the solution returns: {result.value!r:.200}")
    return output


def main(arguments: list[str] | None = None) -> int:
    """Build or check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m envs.livecodebench.build", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="folder of problem folders")
    parser.add_argument("--output", type=Path, default=PROBLEMS, help="file to write, or to check")
    parser.add_argument("--check", action="store_true", help="write nothing; check the file and all programs")
    options = parser.parse_args(arguments)

    sources = [read_folder(path.parent) for path in sorted(options.folder.glob("*/problem.json"))]
    rows = [make_row(source) for source in sources]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if not options.check:
        options.output.write_text(text, encoding="utf-8")
        print(f"{options.output}: {len(rows)} problems, {len(text)} bytes")
        return 0
    complaints = [line for source, row in zip(sources, rows, strict=True) for line in check(source, row)]
    if not options.output.exists() or options.output.read_text(encoding="utf-8") != text:
        complaints.append(f"{options.output} is not what the folders give; build it again without --check")
    print("\n".join(complaints) or f"{len(rows)} problems are in order")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
