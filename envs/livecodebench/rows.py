"""Problems in LiveCodeBench's own row format. A row's private tests, which may be large, are decoded when needed."""

from __future__ import annotations

import base64
import binascii
import io
import json
import pickle
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

MAX_TESTS_BYTES = 1 << 30
"""Largest unpacked size of one problem's tests. A small blob could unpack to fill the memory."""

MAX_INT_DIGITS = 50_000
"""Longest integer in a functional test, LiveCodeBench's own limit and that of the programs in the sandbox."""

PRIVATE_FIELD = "private_test_cases"


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
    """One row. All but its private tests is decoded and checked."""

    id: str
    title: str
    statement: str
    difficulty: str
    platform: str
    contest_date: str
    """ISO date, with or without a time of day."""

    starter_code: str
    entry_point: str | None
    """The function or method to be written; None when the program reads standard input."""

    public_tests: tuple[Test, ...]
    place: str
    """Where the row is, for messages; empty if it is in no file."""

    read_private: Callable[[], str] = field(repr=False, compare=False)
    """Gives the row's field `private_test_cases` as it is."""

    def private_tests(self) -> tuple[Test, ...]:
        """Read and decode the private tests, each time anew. Feedback may not quote them.

        Raises:
            ValueError: they are malformed, or the file has changed; the message names place, problem and field.
        """
        try:
            return _parse_tests(PRIVATE_FIELD, self.read_private(), self.entry_point, visible=False)
        except ValueError as error:
            place = f"{self.place}, problem {self.id!r}" if self.place else f"problem {self.id!r}"
            raise ValueError(f"{place}: {error}") from error

    @property
    def tests(self) -> tuple[Test, ...]:
        """The public tests, then the private ones; see `private_tests`."""
        return self.public_tests + self.private_tests()


def parse_row(row: Mapping[str, Any], place: str = "", read_private: Callable[[], str] | None = None) -> Problem:
    """Decode and check one row, except for its private tests.

    Args:
        row: The row.
        place: Where it is, for messages.
        read_private: Gives the row's private tests. None: they are in the row.

    Raises:
        ValueError: it is malformed; the message names place and field.
    """
    try:
        return _parse_row(row, place, read_private)
    except ValueError as error:
        if not place:
            raise
        raise ValueError(f"{place}: {error}") from error


def _parse_row(row: Mapping[str, Any], place: str, read_private: Callable[[], str] | None) -> Problem:
    if read_private is None:
        read_private = partial(str, _text(row, PRIVATE_FIELD))
    metadata = parse_json(_text(row, "metadata"), dict, "field 'metadata'")
    entry_point = metadata.get("func_name")
    if not (entry_point is None or (isinstance(entry_point, str) and entry_point.isidentifier())):
        raise ValueError(f"field 'metadata': func_name must be a name, not {entry_point!r:.100}")
    starter_code = _text(row, "starter_code")
    if entry_point and starter_code.strip() and not re.search(rf"\b{re.escape(entry_point)}\b", starter_code):
        raise ValueError(f"field 'starter_code' does not mention {entry_point!r}, the func_name of field 'metadata'")
    contest_date = _text(row, "contest_date")
    try:
        date.fromisoformat(contest_date[:10])
    except ValueError as error:
        raise ValueError(f"field 'contest_date' must be an ISO date, not {contest_date!r:.100}") from error
    return Problem(
        id=_text(row, "question_id"),
        title=_text(row, "question_title"),
        statement=_text(row, "question_content"),
        difficulty=_text(row, "difficulty"),
        platform=_text(row, "platform"),
        contest_date=contest_date,
        starter_code=starter_code,
        entry_point=entry_point,
        public_tests=_parse_tests("public_test_cases", _text(row, "public_test_cases"), entry_point, visible=True),
        place=place,
        read_private=read_private,
    )


def _parse_tests(field: str, text: str, entry_point: str | None, *, visible: bool) -> tuple[Test, ...]:
    try:
        return tuple(_parse_test(data, entry_point, visible) for data in decode_tests(text))
    except ValueError as error:
        raise ValueError(f"field {field!r}: {error}") from error


def decode_tests(text: str) -> list[Any]:
    """The list in a field of tests: JSON, or base64 of zlib of a pickled str that is JSON.

    The pickle is decoded without ever importing or calling what it names.

    Raises:
        ValueError: the text is neither.
    """
    if not text.lstrip().startswith("["):
        text = _unpickle_text(_decompress(text))
    return parse_json(text, list, "the tests")


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
                parse_json(line, object, "each line of a functional input")
        parse_json(output, object, "a functional output")
    return Test(text, output, visible)


def load_value(text: str) -> Any:
    """The JSON value in a text, in which integers may have `MAX_INT_DIGITS` digits.

    Raises:
        RecursionError: it is nested too deeply.
        ValueError: it is not JSON, or an integer is longer.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python itself reads no integers of more than 4,300 digits, lest they take too long
        return json.loads(text, parse_int=_long_int)


def _long_int(text: str) -> int:
    if len(text.lstrip("-")) > MAX_INT_DIGITS:
        raise ValueError(f"an integer of more than {MAX_INT_DIGITS} digits")
    return int(Decimal(text))  # exact, and without Python's limit


def parse_json(text: str, kind: type, what: str) -> Any:
    """The JSON value in a text, of a kind: dict, list, or object for any. `what` names the text in messages."""
    try:
        value = load_value(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not JSON ({error}): {text.strip()!r:.100}") from error
    if not isinstance(value, kind):
        raise ValueError(f"{what} must be a JSON {_JSON_NAMES[kind]}, not {text.strip()!r:.100}")
    return value


_JSON_NAMES = {dict: "object", list: "list", str: "text"}


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        found = f"not {value!r:.100}" if field in row else "but it is missing"
        raise ValueError(f"field {field!r} must be a text, {found}")
    return value
