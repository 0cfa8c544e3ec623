"""How a child locks itself down before it runs an untrusted program."""

import functools
import math
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import landlock
import linux
import seccomp
from namespaces import number_next_process

NOBODY = 65534
FIRST_PRIVATE_UID = 1_900_000_000
"""A worker's programs run as a user of its own from here on. By convention 1879048192 … 2147483647 belong to nobody."""

PROCESSES = 64
"""Processes and threads of one program."""

OPEN_FILES = 128
RESERVE_BYTES = 64 << 20
"""Memory beyond the program's limit, to say with that it ran out."""
CLAIM_BYTES = 1 << 16
"""Bytes beyond the output limit, for the child's account of what happened."""
CPU_BACKSTOP = 100
"""The worker watches the clock; the kernel ends a child that has used this many times the limit of one input."""


@dataclass(frozen=True)
class Restrictions:
    """What `restrict` will do in this worker's children; found out once, by trying."""

    uid: int | None
    """The user that programs run as; None: the host's."""

    ruleset: int | None
    """Descriptor of a Landlock ruleset."""

    syscalls: seccomp.Filter | None

    own_pids: bool
    """Whether this worker decides what number the next process has."""

    report: dict[str, Any]
    """The fields of an IsolationReport that are in force."""

    @property
    def private_uid(self) -> bool:
        """Whether no process but this worker's programs runs as `uid`."""
        return self.uid is not None and self.uid != NOBODY


def find_restrictions(uid_offset: int, namespaces: str, layers: set[str], readable: list[str]) -> Restrictions:
    """Try in throw-away children what this process may do.

    Args:
        uid_offset: A number that no other worker on this machine has.
        namespaces: Which namespaces this worker has of its own, in words; empty if none.
        layers: Which of `landlock` and `seccomp` to use, where the kernel has them.
        readable: What programs may read.
    """
    uid = None
    if os.geteuid() == 0:
        candidates = (FIRST_PRIVATE_UID + uid_offset, NOBODY)
        uid = next((number for number in candidates if _works(functools.partial(become, number))), None)
    ruleset = landlock.make_ruleset(readable) if "landlock" in layers else None
    if ruleset is not None and not _works(lambda: linux.landlock_restrict_self(ruleset)):
        os.close(ruleset)
        ruleset = None
    syscalls = seccomp.Filter() if "seccomp" in layers and seccomp.supported() else None
    if syscalls is not None and not _works(lambda: syscalls.install(os.getpid())):
        syscalls = None

    def by(*means: str) -> str:
        return ", ".join(filter(None, means)) or "none"

    notes = ["memory is limited per process, as address space"]
    if os.geteuid() == 0 and uid is None:
        notes.append("programs run as root, because this process may not change to another user")
    filtered = "seccomp" if syscalls is not None else ""
    report = {
        "filesystem": by("landlock" if ruleset is not None else "", namespaces),
        "network": by(filtered, namespaces),
        "processes": by(filtered, namespaces, "own user" if uid is not None else ""),
        "memory": "rlimit",
        "notes": notes,
    }
    own_pids = bool(namespaces) and _works(number_next_process)
    return Restrictions(uid, ruleset, syscalls, own_pids, report)


def _works(change: Callable[[], None]) -> bool:
    """Whether a child can do this, and this process can still end it then."""
    pid = os.fork()
    if pid == 0:
        try:
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
            change()
        except BaseException:
            os._exit(1)
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # until it is reaped, it can be signalled like a live one
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        os.waitpid(pid, 0)
        return False
    return linux.trial_passed(os.waitpid(pid, 0)[1])


def become(uid: int) -> None:
    """Become an unprivileged user for good."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(uid, uid, uid)


def restrict(restrictions: Restrictions, limits: dict[str, Any]) -> None:
    """Lock this process down. Called in the child, before it touches anything of the program."""
    worker = os.getppid()
    os.setsid()
    memory = limits["memory_bytes"]
    output = limits["output_bytes"] + 1
    cpu = math.ceil(CPU_BACKSTOP * limits["cpu_seconds"])
    processes = PROCESSES if restrictions.private_uid else _system_threads() + 4 * PROCESSES
    _limit(resource.RLIMIT_AS, memory, memory + RESERVE_BYTES)
    _limit(resource.RLIMIT_CPU, cpu, cpu + 1)
    _limit(resource.RLIMIT_FSIZE, output, output + CLAIM_BYTES)
    _limit(resource.RLIMIT_CORE, 0, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES)
    _limit(resource.RLIMIT_NPROC, processes, processes)
    if restrictions.uid is not None:
        become(restrictions.uid)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of user, which clears it
    if os.getppid() != worker:
        os._exit(1)
    linux.drop_capabilities()
    if restrictions.ruleset is not None:
        linux.landlock_restrict_self(restrictions.ruleset)
        os.close(restrictions.ruleset)
    if restrictions.syscalls is not None:
        restrictions.syscalls.install(os.getpid())


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
