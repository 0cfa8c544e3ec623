"""What the files of a run's folder are made of: settings, and records of JSON, one a line."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agents.errors import UsageError, first_line

FORMAT = "sdpo-gym run 1"
"""The format's name and version, in `config.json`. Folders from before there were versions name none; they are read as
version 1, which differs from them in additions alone."""

Record = dict[str, Any]


def config_text(program: str, settings: Mapping[str, Any]) -> str:
    """The content of a `config.json`.

    Args:
        program: What writes the folder, such as `agents.sdpo`.
        settings: JSON-able, or printable.
    """
    content = {"format": FORMAT, "program": program, "config": dict(settings), "versions": versions()}
    return json.dumps(content, indent=2, default=str) + "\n"


def read_config(path: Path) -> Record:
    """The `config.json` of a folder: `program` ("" where the folder is older than the field), `config`, `versions`.

    Raises:
        UsageError: there is none, or it is of a format that is not known here.
    """
    file = path / "config.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        known = {"program": "", "versions": {}, "format": FORMAT} | content
        known["config"].keys()
    except OSError as error:
        raise UsageError(f"{path} holds no run: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} does not say what run it belongs to; name another folder") from error
    if known["format"] != FORMAT:
        raise UsageError(
            f"{file} is of the format {known['format']!r}; this version of sdpo-gym reads {FORMAT!r}. "
            "Use the version that wrote it, or a newer one"
        )
    return known


def check_same_program(path: Path, earlier: str, program: str) -> None:
    """Raise UsageError if another program wrote the folder. "" stands for one that is not known."""
    if earlier and program and earlier != program:
        raise UsageError(f"{path} holds a run of {earlier}, not of {program}; name another folder with --output")


def check_equal_settings(
    path: Path, earlier: Mapping[str, Any], settings: Mapping[str, Any], besides: Collection[str] = ()
) -> None:
    """Raise UsageError if the settings are not those that a run began with."""
    names = sorted(name for name in earlier.keys() | settings.keys() if earlier.get(name) != settings.get(name))
    if names := [name for name in names if name not in besides]:
        differences = "; ".join(f"{name} was {earlier.get(name)!r}, is now {settings.get(name)!r}" for name in names)
        raise UsageError(
            f"{path} holds a run with other settings ({differences}); to go on with it, repeat its settings, "
            "else name another folder with --output"
        )


def read_records(path: Path, needed: Collection[str] = ()) -> Iterator[Record]:
    """The records of a file that another process may be writing, one by one.

    Args:
        path: The file.
        needed: Fields that every record has.

    Raises:
        UsageError: the file cannot be read, or a line is not what was written; the message names it.
    """
    try:
        with path.open("rb") as file:
            for _, record in parse_records(path, file, needed):
                yield record
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def parse_records(path: Path, lines: Iterable[bytes], needed: Collection[str] = ()) -> Iterator[tuple[bytes, Record]]:
    """Lines of a file, each with the record that it holds. A last one without its end, as a kill leaves it, is no
    record yet.

    Raises:
        UsageError: another line is not what was written; the message names file and line.
    """
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return
        try:
            record = json.loads(line)
        except ValueError as error:
            raise UsageError(
                f"{path}, line {number}, is not JSON ({first_line(error)}); the file is damaged"
            ) from error
        if not isinstance(record, dict) or any(name not in record for name in needed):
            fields = f" with {' and '.join(needed)}" if needed else ""
            raise UsageError(f"{path}, line {number}, is no record{fields}; the file is damaged, or not a run's")
        yield line, record


def keep_records(path: Path, wanted: Callable[[Record], bool]) -> None:
    """Drop the other records of a file, if there is one."""
    if not path.exists():
        return
    partial = path.with_name(f"{path.name}.partial")
    with path.open("rb") as file, partial.open("wb") as kept:
        kept.writelines(line for line, record in parse_records(path, file) if wanted(record))
    partial.replace(path)


def versions() -> dict[str, str]:
    """Of what computes."""
    names = ("sdpo-gym", "gymnasium", "torch", "transformers", "accelerate", "numpy")
    found = {"python": platform.python_version()}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
