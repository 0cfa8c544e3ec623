"""Keyword arguments of environments on a command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def parse_env_args(pairs: Sequence[str]) -> dict[str, Any]:
    """Turn `key=value` texts into keyword arguments; a value is read as JSON where it is JSON, else as text.

    Raises:
        ValueError: a text has no `=`.
    """
    arguments: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ValueError(f"--env-arg takes key=value, not {pair!r}")
        try:
            arguments[key] = json.loads(value)
        except ValueError:
            arguments[key] = value
    return arguments
