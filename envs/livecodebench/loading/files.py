"""Reads files of rows: JSON lines, plain or compressed with gzip, a JSON list, or Parquet."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from envs.livecodebench.loading.index import DataFile, decode_line, read_index
from envs.livecodebench.rows import Problem, parse_json, parse_row


@dataclass(frozen=True)
class Row:
    """One row, where it is, and how to read its private tests if they were left in the file."""

    fields: Mapping[str, Any]
    place: str
    read_private: Callable[[], str] | None = None

    def parse(self) -> Problem:
        """Raises ValueError; the message names file, line and field."""
        return parse_row(self.fields, self.place, self.read_private)


def find_file(path: str | Path) -> DataFile:
    """A file of rows as it is now.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: its name has no known ending.
    """
    path = Path(path).expanduser().absolute()  # links are kept: in the hub's cache only they have endings
    if not path.is_file():
        raise FileNotFoundError(f"no data file {path}; give a file of LiveCodeBench rows: {', '.join(_READERS)}")
    if not path.name.endswith(tuple(_READERS)):
        raise ValueError(f"the name of the data file {path} must end with one of {', '.join(_READERS)}")
    status = path.stat()
    return DataFile(path, status.st_mtime_ns, status.st_size)


def read_problems(path: str | Path) -> tuple[Problem, ...]:
    """The problems of a file. An unchanged file is read once per process.

    Private tests stay in a `.jsonl` file until they are asked for. Those of other files are held in memory, as they
    are packed there.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: a Parquet file needs pyarrow, which is not installed.
        ValueError: there is no row, or one is malformed; the message names file, line and field.
    """
    return problems_of(find_file(path))


@lru_cache(maxsize=16)
def problems_of(file: DataFile) -> tuple[Problem, ...]:
    """Like `read_problems`."""
    problems = tuple(row.parse() for row in iter_rows(file))
    if not problems:
        raise ValueError(f"{file.path} holds no row; give a file with problems in it")
    return problems


def iter_rows(file: DataFile) -> Iterator[Row]:
    """The rows of a file, not yet checked.

    Raises:
        ImportError: a Parquet file needs pyarrow, which is not installed.
        ValueError: the file is not what its name says, or a row is no JSON object.
    """
    reader = next(reader for ending, reader in _READERS.items() if file.path.name.endswith(ending))
    return reader(file)


def _read_jsonl(file: DataFile) -> Iterator[Row]:
    for line in read_index(file):
        read_private = None if line.private is None else partial(file.read_string, *line.private)
        yield Row(line.fields, f"{file.path}, line {line.number}", read_private)


def _read_gzip(file: DataFile) -> Iterator[Row]:
    try:
        with gzip.open(file.path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield Row(_parse_line(line, f"{file.path}, line {number}"), f"{file.path}, line {number}")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{file.path} is not a complete gzip file: {error}") from error


def _parse_line(line: bytes, place: str) -> dict[str, Any]:
    try:
        return parse_json(decode_line(line), dict, "the row")
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _read_json(file: DataFile) -> Iterator[Row]:
    try:
        rows = json.loads(file.path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file.path} is not JSON: {error}; if it holds a row per line, name it .jsonl") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{file.path} must hold a JSON list of rows")
    yield from (Row(row, f"{file.path}, row {number}") for number, row in enumerate(rows, 1))


def _read_parquet(file: DataFile) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f"{file.path} is a Parquet file, and reading it needs pyarrow: pip install 'sdpo-gym[parquet]', "
            "or give the rows as .jsonl"
        ) from error
    try:
        rows = pyarrow.parquet.read_table(file.path).to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(f"{file.path} is not a Parquet file: {error}") from error
    for number, row in enumerate(rows, 1):
        if hasattr(row.get("contest_date"), "isoformat"):  # a column of dates
            row["contest_date"] = row["contest_date"].isoformat()
        yield Row(row, f"{file.path}, row {number}")


_READERS: dict[str, Callable[[DataFile], Iterator[Row]]] = {
    ".jsonl": _read_jsonl,
    ".jsonl.gz": _read_gzip,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
