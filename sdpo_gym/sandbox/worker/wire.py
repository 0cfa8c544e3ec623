"""What host and worker have in common: framed JSON messages, and plain Python values as JSON.

Both sides check what they read: nothing is ever unpickled or evaluated.
"""

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

HEADER = 4
"""Bytes in front of each message: its length as a big-endian number."""

MAX_HEADER = 1 << 16
"""Bytes of a message between host and worker. What programs read and write follows it, as raw bytes."""

PATIENCE = 10.0
"""Waiting for a CPU is not charged to limits of wall time, but nothing takes longer than this many times its limit."""

MAX_DEPTH = 64
MAX_KEYS = 4096
"""Items of sets and keys of dicts in one value, texts apart."""

MAX_EQUAL_HASHES = 64
_SMALL = 1 << 53


class NotPlain(ValueError):
    """A value is not plain data, or is nested too deeply."""


class TooLarge(ValueError):
    """A value or message is larger than allowed."""


def charged(seconds: float, waited: float) -> float:
    """What of a wall time, in which a program waited for a CPU for so long, is charged to a limit."""
    return max(seconds - waited, seconds / PATIENCE)


def pack(message: dict[str, Any]) -> bytes:
    """A message as it goes over the wire."""
    body = json.dumps(message).encode("ascii")
    return len(body).to_bytes(HEADER, "big") + body


def read_message(read: Callable[[int], bytes], max_bytes: int) -> Any:
    """Read one message.

    Args:
        read: Returns at most this many bytes, b"" at the end.
        max_bytes: Longer messages are refused.

    Returns:
        What the JSON says; the caller checks it.

    Raises:
        EOFError: the other side is gone.
        ValueError: it is not JSON, or longer than allowed.
    """
    length = int.from_bytes(read_exactly(read, HEADER), "big")
    if length > max_bytes:
        raise TooLarge(f"message of {length} bytes, {max_bytes} are allowed")
    return parse(read_exactly(read, length))


def parse(data: bytes) -> Any:
    """JSON that may be hostile: whatever is wrong with it is a ValueError."""
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_exactly(read: Callable[[int], bytes], count: int) -> bytes:
    """Read so many bytes. Raises EOFError: the other side is gone."""
    parts = []
    while count:
        part = read(min(count, 1 << 20))
        if not part:
            raise EOFError("connection closed")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def encode(value: Any, max_size: int) -> Any:
    """Plain Python data as data for JSON that `decode` turns back into equal data of the same types.

    Args:
        value: What to encode.
        max_size: How many values it may hold, each character or byte in it counted as one more.

    Raises:
        NotPlain: it holds something other than an exact None, bool, int, float, str, bytes, list, tuple, set or dict.
        TooLarge: it holds more than `max_size`.
    """
    left = max_size

    def walk(value: Any, depth: int) -> Any:
        nonlocal left
        kind = type(value)
        left -= 1 + len(value) if kind is str or kind is bytes else 1
        if left < 0:
            raise TooLarge("value too large")
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if -_SMALL < value < _SMALL else {"int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is bytes:
            return {"bytes": value.hex()}
        if depth == MAX_DEPTH:
            raise NotPlain("nested too deeply")
        if kind is list:
            return [walk(item, depth + 1) for item in value]
        if kind is tuple:
            return {"tuple": [walk(item, depth + 1) for item in value]}
        if kind is set:
            return {"set": [walk(item, depth + 1) for item in value]}
        if kind is dict:
            return {"dict": [[walk(key, depth + 1), walk(item, depth + 1)] for key, item in value.items()]}
        raise NotPlain("not plain data")

    return walk(value, 0)


def decode(data: Any) -> Any:
    """The value that `encode` turned into `data`.

    Raises:
        TooLarge: its sets and dicts hold more keys, other than texts, than may be built without danger.
        ValueError: `data` is nothing that `encode` returns.
    """
    keys_left = MAX_KEYS

    def walk(data: Any, depth: int) -> Any:
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        if depth == MAX_DEPTH:
            raise ValueError("nested too deeply")
        if isinstance(data, list):
            return [walk(item, depth + 1) for item in data]
        if not isinstance(data, dict) or len(data) != 1:
            raise ValueError("not an encoded value")
        [(tag, content)] = data.items()
        if isinstance(content, str):
            return _decode_text(tag, content)
        if not isinstance(content, list):
            raise ValueError("not an encoded value")
        if tag == "tuple":
            return tuple(walk(item, depth + 1) for item in content)
        if tag == "set":
            return set(walk_keys(content, depth))
        if tag == "dict":
            if not all(isinstance(pair, list) and len(pair) == 2 for pair in content):
                raise ValueError("not an encoded dict")
            keys = walk_keys([key for key, _ in content], depth)
            return dict(zip(keys, [walk(item, depth + 1) for _, item in content], strict=True))
        raise ValueError("unknown tag")

    def walk_keys(content: list[Any], depth: int) -> list[Any]:
        nonlocal keys_left
        # Python's hashes of texts cannot be foreseen; those of numbers can be chosen so that a table of many takes
        # quadratic time to build.
        keys_left -= sum(not isinstance(key, str) for key in content)
        if keys_left < 0:
            raise TooLarge("too many keys")
        keys = [walk(key, depth + 1) for key in content]
        _check_hashes(keys)
        return keys

    return walk(data, 0)


def _decode_text(tag: str, text: str) -> Any:
    if tag == "int":
        return int(text, 16)
    if tag == "bytes":
        return bytes.fromhex(text)
    if tag == "float" and text in ("nan", "inf", "-inf"):
        return float(text)
    raise ValueError("unknown tag")


def _check_hashes(items: list[Any]) -> None:
    """Refuse what cannot be hashed, and many items with one hash: a set of those takes quadratic time to build."""
    try:
        counts = Counter(map(hash, items))
    except TypeError:
        raise ValueError("an item cannot be hashed") from None
    if max(counts.values(), default=0) > MAX_EQUAL_HASHES:
        raise ValueError("too many items with equal hashes")
