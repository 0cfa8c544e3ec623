"""Reads problems in LiveCodeBench's own format: one JSON object per line, plain or compressed with gzip."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import pickle
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

MAX_TESTS_BYTES = 1 << 30
"""Largest unpacked size of one problem's tests. A small blob could unpack to fill the memory."""


@dataclass(frozen=True)
class Test:
    """One test: what the program is given, and what it must answer."""

    input: str
    """Standard input; of a functional problem the arguments, one JSON value per line."""

    output: str
    """Expected standard output; of a functional problem the expected value as JSON."""

    visible: bool
    """Whether feedback may quote it."""


@dataclass(frozen=True)
class Problem:
    """One row, decoded."""

    id: str
    title: str
    statement: str
    difficulty: str
    platform: str
    contest_date: str
    starter_code: str
    entry_point: str | None
    """The function or method to be written; None when the program reads standard input."""

    tests: tuple[Test, ...]
    """The public tests, which are visible, then the private ones."""


def read_problems(path: str | Path) -> tuple[Problem, ...]:
    """Read a `.jsonl` or `.jsonl.gz` file. An unchanged file is read once per process.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row is malformed or has no test; the message names file, line and field.
    """
    path = Path(path).expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(f"no data file {path}; give a .jsonl or .jsonl.gz file of LiveCodeBench rows")
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, mtime_ns: int, size: int) -> tuple[Problem, ...]:
    if path.suffix != ".gz":
        with open(path, encoding="utf-8") as file:
            return tuple(_parse_lines(file, path))
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return tuple(_parse_lines(file, path))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a complete gzip file: {error}") from error


def _parse_lines(lines: Iterable[str], path: Path) -> Iterable[Problem]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield parse_row(_parse_json(line, dict, "the row"))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error


def parse_row(row: Mapping[str, Any]) -> Problem:
    """Decode one row.

    Raises:
        ValueError: it is malformed or has no test; the message names the field.
    """
    metadata = _parse_json(_text(row, "metadata"), dict, "field 'metadata'")
    entry_point = metadata.get("func_name")
    if not (entry_point is None or (isinstance(entry_point, str) and entry_point.isidentifier())):
        raise ValueError(f"field 'metadata': func_name must be a name, not {entry_point!r:.100}")
    tests = []
    for field, visible in (("public_test_cases", True), ("private_test_cases", False)):
        try:
            tests += [_parse_test(data, entry_point, visible) for data in decode_tests(_text(row, field))]
        except ValueError as error:
            raise ValueError(f"field {field!r}: {error}") from error
    if not tests:
        raise ValueError("fields 'public_test_cases' and 'private_test_cases' hold no test, so nothing can be judged")
    return Problem(
        id=_text(row, "question_id"),
        title=_text(row, "question_title"),
        statement=_text(row, "question_content"),
        difficulty=_text(row, "difficulty"),
        platform=_text(row, "platform"),
        contest_date=_text(row, "contest_date"),
        starter_code=_text(row, "starter_code"),
        entry_point=entry_point,
        tests=tuple(tests),
    )


def decode_tests(text: str) -> list[Any]:
    """The list in a field of tests: JSON, or base64 of zlib of a pickled str that is JSON.

    The pickle is decoded without ever importing or calling what it names.

    Raises:
        ValueError: the text is neither.
    """
    if not text.lstrip().startswith("["):
        text = _unpickle_text(_decompress(text))
    return _parse_json(text, list, "the tests")


def _decompress(text: str) -> bytes:
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(base64.b64decode(text, validate=True), MAX_TESTS_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise ValueError(f"neither a JSON list nor base64 of zlib data: {error}") from error
    if not stream.eof:
        raise ValueError(f"the zlib data are cut short, or unpack to more than {MAX_TESTS_BYTES} bytes")
    return data


class _TextUnpickler(pickle.Unpickler):
    """Unpickles data only. Every way in which a pickle could run code begins with a global or a persistent id."""

    def find_class(self, module: str, name: str) -> Any:
        raise ValueError(f"the pickle asks for {module}.{name}, which is refused: tests are plain text")

    def persistent_load(self, pid: Any) -> Any:
        raise ValueError("the pickle asks for an outside object, which is refused: tests are plain text")


def _unpickle_text(data: bytes) -> str:
    try:
        value = _TextUnpickler(io.BytesIO(data)).load()
    except ValueError:
        raise
    except Exception as error:  # a broken pickle may raise nearly anything
        raise ValueError(f"not a pickle of a text: {type(error).__name__}: {error}") from error
    if not isinstance(value, str):
        raise ValueError(f"the pickle holds a value of type {type(value).__name__}, not a text")
    return value


def _parse_test(data: Any, entry_point: str | None, visible: bool) -> Test:
    match data:
        case {"input": str(text), "output": str(output), "testtype": "stdin" | "functional" as kind}:
            pass
        case _:
            raise ValueError(f"a test needs texts 'input' and 'output' and a known 'testtype', but is {data!r:.200}")
    if kind == "functional" and entry_point is None:
        raise ValueError("a functional test needs a func_name in the field 'metadata'")
    if entry_point is not None:
        for line in text.split("\n"):
            if line.strip():
                _parse_json(line, object, "each line of a functional input")
        _parse_json(output, object, "a functional output")
    return Test(text, output, visible)


def _parse_json(text: str, kind: type, what: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not JSON ({error}): {text.strip()!r:.100}") from error
    if not isinstance(value, kind):
        raise ValueError(f"{what} must be a JSON {_JSON_NAMES[kind]}, not {text.strip()!r:.100}")
    return value


_JSON_NAMES = {dict: "object", list: "list"}


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        found = f"not {value!r:.100}" if field in row else "but it is missing"
        raise ValueError(f"field {field!r} must be a text, {found}")
    return value
