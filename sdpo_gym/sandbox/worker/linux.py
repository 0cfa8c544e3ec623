"""System calls that Python does not have, or not in every build: some are made for old C libraries."""

import ctypes
import errno
import os
import platform
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_RELATIME = 1 << 21
MNT_DETACH = 2

ARCHITECTURE = platform.machine()

_MFD_CLOEXEC = 1
# These have the same number on every architecture.
_SYS_PIDFD_OPEN = 434
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_ADD_RULE = 445
_SYS_LANDLOCK_RESTRICT_SELF = 446
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_HEADER = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)  # version 3, this process
_NO_CAPABILITIES = bytes(24)

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int, pointer: object = None) -> None:
    """prctl(2) with one argument, or with a number and a pointer."""
    second = ctypes.c_ulong(0) if pointer is None else pointer
    _checked("prctl", _libc.prctl(option, ctypes.c_ulong(value), second, ctypes.c_ulong(0), ctypes.c_ulong(0)))


def memfd_create(name: str) -> int:
    """An anonymous file, as memfd_create(2)."""
    return _checked("memfd_create", _libc.memfd_create(name.encode(), _MFD_CLOEXEC))


def pidfd_open(pid: int) -> int:
    """A descriptor that becomes readable when this child ends, as pidfd_open(2)."""
    try:
        return _syscall("pidfd_open", _SYS_PIDFD_OPEN, pid, 0)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM):
            raise
    return _end_by_signal(pid)  # gVisor does not have the call, old Docker engines do not allow it


def _end_by_signal(pid: int) -> int:
    """A descriptor that becomes readable when this child ends, or has ended: the read end of a pipe."""
    read_end, *write_ends = os.pipe()

    def look(*_: object) -> None:
        try:
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        except ChildProcessError:
            ended = True
        if ended and write_ends:
            os.close(write_ends.pop())

    signal.signal(signal.SIGCHLD, look)
    look()
    return read_end


def trial_passed(status: int) -> bool:
    """Whether a child that tried something out ended well, by the status that waitpid(2) gave.

    Raises:
        RuntimeError: somebody killed it. That says nothing about what it tried, so this worker must not go on without.
    """
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        raise RuntimeError("a child that tried out what the kernel allows was killed")
    return status == 0


def unshare(flags: int) -> None:
    """Leave namespaces for new ones, as unshare(2)."""
    _checked("unshare", _libc.unshare(flags))


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _checked(
        f"mount {source or kind} on {target}",
        _libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]),
    )


def umount(target: str) -> None:
    """Take a mount away, at once or when nobody uses it any more, as umount2(2)."""
    _checked(f"umount {target}", _libc.umount2(target.encode(), MNT_DETACH))


def pivot_root(new_root: str, put_old: str) -> None:
    """pivot_root(2)."""
    _syscall("pivot_root", _SYS_PIVOT_ROOT[ARCHITECTURE], new_root.encode(), put_old.encode())


def set_host_name(name: str) -> None:
    """Name the machine. Raises OSError."""
    _checked("sethostname", _libc.sethostname(name.encode(), ctypes.c_size_t(len(name.encode()))))


def drop_capabilities() -> None:
    """Give up all capabilities for good (with no_new_privs), as capset(2) with empty sets."""
    _syscall("capset", _SYS_CAPSET[ARCHITECTURE], _CAPABILITY_HEADER, _NO_CAPABILITIES)


def landlock_abi() -> int:
    """Version of the kernel's Landlock; 0 if it has none."""
    return max(_libc.syscall(ctypes.c_long(_SYS_LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0), 1), 0)


def landlock_create_ruleset(attributes: bytes) -> int:
    """A descriptor of a new ruleset, as landlock_create_ruleset(2)."""
    size = ctypes.c_size_t(len(attributes))
    return _syscall("landlock_create_ruleset", _SYS_LANDLOCK_CREATE_RULESET, attributes, size, 0)


def landlock_allow_beneath(ruleset: int, rights: int, path_fd: int) -> None:
    """Allow `rights` on a file, or on everything beneath a folder, as landlock_add_rule(2)."""
    rule = rights.to_bytes(8, "little") + path_fd.to_bytes(4, "little")
    _syscall("landlock_add_rule", _SYS_LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)


def landlock_restrict_self(ruleset: int) -> None:
    """Keep this process to a ruleset for good, as landlock_restrict_self(2)."""
    _syscall("landlock_restrict_self", _SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0)


def _syscall(name: str, number: int, *arguments: object) -> int:
    return _checked(name, _libc.syscall(ctypes.c_long(number), *arguments))


def _checked(name: str, result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result
