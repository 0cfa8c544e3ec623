"""Knows where a row's private tests lie in a JSONL file, so that gigabytes of them need not be held or read.

The rows of a large file without their private tests, and the places of these, are kept in a file of their own in the
folder `SDPO_GYM_CACHE` (by default `$XDG_CACHE_HOME/sdpo-gym` or `~/.cache/sdpo-gym`). It is a shortcut and no more: it
may be deleted at any time, is made again if the data file changes, and is left out where it cannot be written.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from envs.livecodebench.rows import PRIVATE_FIELD, parse_json
from sdpo_gym.cache import cache_folder

MIN_BYTES_KEPT = 32 << 20
"""Smaller files are read anew by each process, which takes well under a second."""

VERSION = 1
_KEY = f'"{PRIVATE_FIELD}"'.encode()


@dataclass(frozen=True)
class DataFile:
    """A file as it was at some time. A changed file is another one."""

    path: Path
    mtime_ns: int
    size: int

    def read_string(self, start: int, end: int) -> str:
        """The JSON string whose content lies between two offsets.

        Raises:
            ValueError: the file has changed, or the content is malformed.
        """
        with open(self.path, "rb") as file:
            status = os.fstat(file.fileno())
            if (status.st_mtime_ns, status.st_size) != (self.mtime_ns, self.size):
                raise ValueError(f"{self.path} has changed since its rows were read; make the environment anew")
            file.seek(start)
            data = file.read(end - start)
        return parse_json(f'"{data.decode()}"', str, f"field {PRIVATE_FIELD!r}")


@dataclass(frozen=True)
class Line:
    """One row of a JSONL file."""

    number: int
    """From 1."""

    fields: dict[str, Any]
    """The row; without its private tests if these stay in the file."""

    private: tuple[int, int] | None
    """Offsets in the file of the content of the string of private tests."""


def read_index(file: DataFile) -> list[Line]:
    """The rows of a file.

    Raises:
        ValueError: a line is not a JSON object; the message names file and line.
    """
    if file.size < MIN_BYTES_KEPT:
        return list(_scan(file))
    kept = _kept(file)
    try:
        return [Line(**line) for line in json.loads(kept.read_bytes())["lines"]]
    except (OSError, ValueError, TypeError, KeyError):  # there is none, or it is broken
        lines = list(_scan(file))
    _keep(kept, lines)
    return lines


def _scan(file: DataFile) -> Iterator[Line]:
    offset = 0
    with open(file.path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                fields, private = _split(line, f"{file.path}, line {number}")
                yield Line(number, fields, None if private is None else (offset + private[0], offset + private[1]))
            offset += len(line)


def _split(line: bytes, place: str) -> tuple[dict[str, Any], tuple[int, int] | None]:
    """A row without its private tests, and where in the line these are; with them, and None, if that is not plain.

    Base64 has no escaped characters, so that the string ends at the next quote. JSON is parsed only around it.
    """
    key = line.find(_KEY)
    start = line.find(b'"', key + len(_KEY)) + 1
    end = line.find(b'"', start)
    try:
        if key >= 0 and 0 < start <= end and b"\\" not in line[end - 1 : end]:
            rest = line[:start] + line[end:]
            try:
                fields = parse_json(decode_line(rest), dict, "the row")
            except ValueError:
                pass  # perhaps the quote did not end the string
            else:
                if fields.get(PRIVATE_FIELD) == "":
                    del fields[PRIVATE_FIELD]
                    return fields, (start, end)
        return parse_json(decode_line(line), dict, "the row"), None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def decode_line(line: bytes) -> str:
    """The text of a line, without the byte order mark that the first line of a file may have."""
    return line.decode("utf-8-sig")


def _kept(file: DataFile) -> Path:
    name = hashlib.sha256(f"{VERSION}\n{file.path}\n{file.mtime_ns}\n{file.size}".encode()).hexdigest()[:32]
    return cache_folder() / "livecodebench" / f"{name}.json"


def _keep(path: Path, lines: list[Line]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump({"lines": [asdict(line) for line in lines]}, file)
        os.replace(file.name, path)
    except OSError:
        pass  # without it the file is read again the next time
