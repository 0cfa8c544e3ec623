"""Ctrl-C and SIGTERM, held back while it would do harm to be cut off."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_depth = 0
_pending = False


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt in what is inside, but for its `held` sections.

    Outside the main thread, which alone gets signals, it does nothing.
    """
    previous = {}
    if threading.current_thread() is threading.main_thread():
        previous = {number: signal.signal(number, _handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What is inside runs to its end; an interrupt is raised afterwards.

    For what changes weights or files; and for what shares locks with other threads (queues, futures): cut off at the
    wrong moment, it leaves them locked, and the other thread waits forever.
    """
    global _depth, _pending
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _pending and not _depth:
            _pending = False
            raise KeyboardInterrupt


def _handle(number: int, frame: object) -> None:
    global _pending
    if not _depth:
        raise KeyboardInterrupt
    _pending = True
