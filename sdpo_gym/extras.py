"""Packages that only some modules need."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator


@contextlib.contextmanager
def needs(requirement: str) -> Iterator[None]:
    """Around imports: says what to install, such as `sdpo-gym[gem]`, when a package is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}: pip install '{requirement}'", name=error.name) from error


@contextlib.contextmanager
def needs_word_lists() -> Iterator[None]:
    """Around what reads data of NLTK's: says how to get it when it is missing."""
    try:
        yield
    except LookupError as error:
        missing = re.search(r"nltk\.download\('(\w+)'\)", str(error))
        if not missing:
            raise
        name = missing[1]
        raise LookupError(f"NLTK does not have its data {name!r}: python -m nltk.downloader {name}") from error
