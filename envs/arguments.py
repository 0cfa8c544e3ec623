"""Checks of the arguments that several environments have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def check_choice(name: str, value: Any, known: Collection[Any]) -> None:
    """Raise ValueError unless an argument has one of the known values."""
    if value not in known:
        raise ValueError(f"{name} must be one of {list(known)}, not {value!r}")


def check_n_shots(n_shots: Any, most: int) -> None:
    """Raise ValueError unless `n_shots` is a number of examples, at most so many."""
    if isinstance(n_shots, bool) or not isinstance(n_shots, int) or not 0 <= n_shots <= most:
        raise ValueError(f"n_shots must be a whole number from 0 to {most}, not {n_shots!r}")
