"""Checks every row of a file, private tests included: python -m envs.livecodebench.validate FILE [FILE …].

Environments decode a problem's private tests only when they pose it. This finds malformed ones beforehand.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from envs.livecodebench.loading.files import find_file, iter_rows
from envs.livecodebench.loading.hub import RELEASES, release_files
from envs.livecodebench.loading.index import DataFile


@dataclass
class Report:
    """What was found in files of rows."""

    problems: int = 0
    """Problems that are in order."""

    tests: int = 0
    complaints: int = 0


def validate(files: tuple[DataFile, ...], report: Report) -> Iterator[str]:
    """Complaints about rows: malformed ones, repeated ids, and problems without tests. Counts them in the report.

    Raises:
        ImportError: a Parquet file needs pyarrow, which is not installed.
    """
    for complaint in _complaints(files, report):
        report.complaints += 1
        yield complaint


def _complaints(files: tuple[DataFile, ...], report: Report) -> Iterator[str]:
    places: dict[str, str] = {}
    for file in files:
        try:
            for row in iter_rows(file):
                try:
                    problem = row.parse()
                    tests = len(problem.tests)
                except ValueError as error:
                    yield str(error)
                    continue
                if problem.id in places:
                    yield f"{row.place}: problem {problem.id!r} is also in {places[problem.id]}"
                elif not tests:
                    yield f"{row.place}: problem {problem.id!r} has no test"
                else:
                    report.problems += 1
                    report.tests += tests
                places.setdefault(problem.id, row.place)
        except ValueError as error:  # the file cannot be read on
            yield str(error)


def main(arguments: list[str] | None = None) -> int:
    """Print complaints and a summary; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m envs.livecodebench.validate", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help=".jsonl, .jsonl.gz, .json or .parquet")
    parser.add_argument("--release", choices=list(RELEASES), help="check a release from the hub")
    options = parser.parse_args(arguments)
    if not options.files and options.release is None:
        parser.error("give files or --release")
    try:
        files = tuple(find_file(path) for path in options.files)
        if options.release is not None:
            files += release_files(options.release)
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))
    report = Report()
    for complaint in validate(files, report):
        print(complaint)
    print(f"{report.problems} problems with {report.tests} tests are in order; {report.complaints} complaints")
    return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
