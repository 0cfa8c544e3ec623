"""The error that ends a command with a message instead of a traceback, and warnings."""

import functools
import logging

_log = logging.getLogger("agents")


class UsageError(Exception):
    """Something that the user can mend: an unknown model or environment, an unwritable folder, …"""


@functools.cache
def warn_once(message: str) -> None:
    """Log a warning, unless this process has logged the same."""
    _log.warning(message)


def first_line(error: BaseException) -> str:
    """What an error says, in one line, for use within a message of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
