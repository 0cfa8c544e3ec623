"""What the APIs share when they draw their data."""

from __future__ import annotations

import json
import random
from pathlib import Path

NAMES: dict[str, list[str]] = json.loads((Path(__file__).parent / "names.json").read_text(encoding="utf-8"))
"""Words that the data is made of. What goes with them, such as ids and prices, is drawn anew for every task, so that it
has to be looked up and cannot be learned by heart."""


def draw_ids(rng: random.Random, prefix: str, count: int) -> list[str]:
    """Different ids such as `P4821`."""
    return [f"{prefix}{number}" for number in rng.sample(range(1000, 10_000), count)]


def draw_person(rng: random.Random) -> str:
    """A first and a last name."""
    return f"{rng.choice(NAMES['first_names'])} {rng.choice(NAMES['last_names'])}"


def same(one: str, other: str) -> bool:
    """Whether two names are equal but for case and white space around them."""
    return one.strip().casefold() == other.strip().casefold()
