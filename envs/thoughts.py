"""Tells what a response says from what it thinks."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


def after_thought(response: str) -> str | None:
    """What a response says: all after its last `</think>`, up to a `<think>` that is left open.

    None if an open `<think>` comes first: the response was cut off while it thought.
    """
    said, left_open, _ = response.rpartition(_CLOSE)[2].partition(_OPEN)
    return None if left_open and not said.strip() else said
