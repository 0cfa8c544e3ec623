"""Global random numbers, lent to one environment at a time."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator

import numpy as np

_lock = threading.RLock()


class GlobalRandom:
    """What an environment that draws from the global generators of Python and NumPy finds there.

    Each environment has its own, so that others in this process, and the rest of the program, neither disturb it nor
    are disturbed. While it is lent to one, others wait.
    """

    def __init__(self) -> None:
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Begin anew. `seed`: 0 … 2**32 − 1."""
        self._python = random.Random(seed).getstate()
        self._numpy = np.random.RandomState(seed).get_state()

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        with _lock:
            outside = random.getstate(), np.random.get_state()
            random.setstate(self._python)
            np.random.set_state(self._numpy)
            try:
                yield
            finally:
                self._python, self._numpy = random.getstate(), np.random.get_state()
                random.setstate(outside[0])
                np.random.set_state(outside[1])
