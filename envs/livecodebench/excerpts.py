"""Shows values and long texts in little space. Every cut is marked."""

from __future__ import annotations

from typing import Any

from sdpo_gym.sandbox import OPAQUE


def clip(text: str, limit: int) -> str:
    """A text that can be encoded, of at most `limit` characters and a mark that says how many are left out."""
    left_out = len(text) - limit
    text = text[:limit].encode("utf-8", "replace").decode("utf-8")
    return text if left_out <= 0 else f"{text}… ({left_out} more characters)"


def clip_lines(text: str, max_lines: int, line_limit: int, limit: int) -> str:
    """Like `clip`, for a text of several lines, each of at most `line_limit` characters and a mark."""
    lines = text.rstrip().split("\n")
    shown = clip("\n".join(clip(line, line_limit) for line in lines[:max_lines]), limit)
    left_out = len(lines) - max_lines
    return shown if left_out <= 0 else f"{shown}\n… ({left_out} more lines)"


def show_value(value: Any) -> str:
    """A returned value as Python shows it; sets are sorted, as their order would differ from process to process."""
    if value is OPAQUE:
        return "(a value that is not plain data, such as an iterator or an object of a class)"
    try:
        return _repr(value)
    except (ValueError, RecursionError):  # Python refuses to write out enormous integers
        return "(a value too large to be shown)"


def _repr(value: Any) -> str:
    match value:
        case list():
            return f"[{', '.join(map(_repr, value))}]"
        case tuple():
            return f"({', '.join(map(_repr, value))}{',' if len(value) == 1 else ''})"
        case dict():
            return f"{{{', '.join(f'{_repr(key)}: {_repr(item)}' for key, item in value.items())}}}"
        case set() if value:
            return f"{{{', '.join(sorted(map(_repr, value)))}}}"
        case _:
            return repr(value)
