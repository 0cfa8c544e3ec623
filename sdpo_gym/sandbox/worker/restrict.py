"""How a child locks itself down before it runs an untrusted program. Further layers belong here."""

import math
import os
import resource
import signal
from dataclasses import dataclass
from typing import Any

import linux

NOBODY = 65534
FIRST_PRIVATE_UID = 1_900_000_000
"""A worker's programs run as this user plus its process id. By convention 1879048192 … 2147483647 belong to nobody."""

PROCESSES = 64
"""Processes and threads of one program."""

OPEN_FILES = 128
RESERVE_BYTES = 64 << 20
"""Memory beyond the program's limit, to say with that it ran out."""
CLAIM_BYTES = 1 << 16
"""Bytes beyond the output limit, for the child's account of what happened."""


@dataclass(frozen=True)
class Restrictions:
    """What `restrict` will do in this worker's children; found out once, by trying."""

    uid: int | None
    """The user that programs run as; None: the host's."""

    report: dict[str, Any]
    """The fields of an IsolationReport that are in force."""

    @property
    def private_uid(self) -> bool:
        """Whether no process but this worker's programs runs as `uid`."""
        return self.uid is not None and self.uid != NOBODY


def find_restrictions() -> Restrictions:
    """Try in throw-away children what this process may do."""
    uid = None
    if os.geteuid() == 0:
        candidates = (FIRST_PRIVATE_UID + os.getpid(), NOBODY)
        uid = next((candidate for candidate in candidates if _can_become(candidate)), None)
    notes = ["memory is limited per process, as address space"]
    if uid is not None:
        notes.append(f"programs run as the unprivileged user {uid}: files are kept from them by permissions only")
    elif os.geteuid() == 0:
        notes.append("programs run as root, because this process may not change to another user")
    else:
        notes.append("programs run as the host's user: they can read, write and signal what it can")
    processes = "own session" if uid is None else "own session and user"
    return Restrictions(uid, {"processes": processes, "memory": "rlimit", "notes": notes})


def _can_become(uid: int) -> bool:
    """Whether a child of this process may change to this user, and this process may still end it."""
    pid = os.fork()
    if pid == 0:
        try:
            become(uid)
        except BaseException:
            os._exit(1)
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # until it is reaped, it can be signalled like a live one
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        os.waitpid(pid, 0)
        return False
    return os.waitpid(pid, 0)[1] == 0


def become(uid: int) -> None:
    """Become an unprivileged user for good."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(uid, uid, uid)


def restrict(restrictions: Restrictions, limits: dict[str, Any]) -> None:
    """Lock this process down. Called in the child, before it touches anything of the program."""
    worker = os.getppid()
    os.setsid()
    memory = limits["memory_mb"] << 20
    output = limits["output_bytes"] + 1
    cpu = math.ceil(limits["cpu_seconds"]) + 1  # a backstop: the worker watches the clock
    processes = PROCESSES if restrictions.private_uid else _system_threads() + 4 * PROCESSES
    _limit(resource.RLIMIT_AS, memory, memory + RESERVE_BYTES)
    _limit(resource.RLIMIT_CPU, cpu, cpu + 1)
    _limit(resource.RLIMIT_FSIZE, output, output + CLAIM_BYTES)
    _limit(resource.RLIMIT_CORE, 0, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES)
    _limit(resource.RLIMIT_NPROC, processes, processes)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it; too much output shall end the program
    if restrictions.uid is not None:
        become(restrictions.uid)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of user, which clears it
    if os.getppid() != worker:
        os._exit(1)


def _limit(kind: int, soft: int, hard: int) -> None:
    _, highest = resource.getrlimit(kind)
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))


def _system_threads() -> int:
    """How many threads there are, which bounds what a shared user has already, and what a limit must leave room for."""
    with open("/proc/loadavg") as file:
        return int(file.read().split()[3].split("/")[1])


def lift_soft_limits() -> None:
    """Use the reserve, to say what happened."""
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (hard, hard))
