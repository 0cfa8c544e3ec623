"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    found: str
    """What is there, in words."""

    advice: str = ""
    """What to do to have what is missing, or more; "" if there is nothing to do."""
