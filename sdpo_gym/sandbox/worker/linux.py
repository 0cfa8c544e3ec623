"""System calls that Python does not have, or not in every build: some are made for old C libraries."""

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_MFD_CLOEXEC = 1
_SYS_PIDFD_OPEN = 434  # on every architecture

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """prctl(2) with one argument."""
    _checked("prctl", _libc.prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3))


def memfd_create(name: str) -> int:
    """An anonymous file, as memfd_create(2)."""
    return _checked("memfd_create", _libc.memfd_create(name.encode(), _MFD_CLOEXEC))


def pidfd_open(pid: int) -> int:
    """A descriptor that becomes readable when the process ends, as pidfd_open(2)."""
    return _checked("pidfd_open", _libc.syscall(ctypes.c_long(_SYS_PIDFD_OPEN), pid, 0))


def _checked(name: str, result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result
