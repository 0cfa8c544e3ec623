"""What modules want to be done in a forked process: for the processes that a program forks, not for the program's own.

`threading` and `random` ask for it. The worker has one thread, and a program finds `random` seeded anyway; done in each
child, it would take a good part of a short submission's time.
"""

import os
from typing import Any

_postponed: list[dict[str, Any]] = []
_register = os.register_at_fork


def postpone() -> None:
    """From here on, modules register in vain."""
    os.register_at_fork = lambda **handlers: _postponed.append(handlers)  # type: ignore[assignment]


def register() -> None:
    """Register what was postponed, in a child that is about to run a program."""
    os.register_at_fork = _register
    for handlers in _postponed:
        _register(**handlers)
