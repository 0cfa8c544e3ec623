"""Values that environments put into `info`, in JSON's types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_NO_JSON = object()


def as_json(value: Any) -> Any:
    """The value in JSON's types. NumPy's become numbers and lists, a number that is not finite null; entries of
    mappings and sequences that are none of this are left out."""
    converted = _convert(value)
    return None if converted is _NO_JSON else converted


def _convert(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        items = ((str(key), _convert(item)) for key, item in value.items())
        return {key: item for key, item in items if item is not _NO_JSON}
    if isinstance(value, (list, tuple)):
        return [item for item in map(_convert, value) if item is not _NO_JSON]
    return _NO_JSON
