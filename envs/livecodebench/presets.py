"""Choices of data that others have published results on, by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """Which problems, and which of their tests count."""

    release: str
    since: str
    until: str
    private_only: bool


PRESETS = {
    # The 131 questions of arXiv 2601.20802, which are judged by their private tests only.
    "sdpo-paper": Preset(release="v6", since="2025-02-01", until="2025-05-01", private_only=True),
}
