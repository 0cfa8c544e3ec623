"""Packages that only some modules need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def needs(requirement: str) -> Iterator[None]:
    """Around imports: says what to install, such as `sdpo-gym[gem]`, when a package is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}: pip install '{requirement}'", name=error.name) from error
