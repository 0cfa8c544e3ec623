"""What is to be done in a forked process, where no other thread is left to release a lock."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

_methods: set[weakref.WeakMethod[Callable[[], None]]] = set()


def after_fork(method: Callable[[], None]) -> None:
    """Have a bound method called in each process that is forked from this one, as long as its object is there."""
    _methods.add(weakref.WeakMethod(method, _methods.discard))


def _call() -> None:
    for reference in tuple(_methods):
        method = reference()
        if method is not None:
            method()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_call)
