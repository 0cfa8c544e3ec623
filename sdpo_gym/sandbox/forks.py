"""What sandboxes have to do in a forked process, where no other thread is left to release a lock."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A sandbox that can be used after a fork."""

    def _after_fork(self) -> None: ...


_sandboxes: weakref.WeakSet[Forkable] = weakref.WeakSet()


def tell_of_forks(sandbox: Forkable) -> None:
    """Have its `_after_fork` called in each process that is forked from this one, as long as it is there."""
    _sandboxes.add(sandbox)


def _tell() -> None:
    for sandbox in _sandboxes:
        sandbox._after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_tell)
