"""Seeds for independent streams of random numbers."""

from __future__ import annotations

import zlib

import numpy as np


def derived_seed(*parts: int | str) -> int:
    """A seed (63 bits) of the stream that these parts name; other parts name an independent stream."""
    numbers = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in parts]
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
