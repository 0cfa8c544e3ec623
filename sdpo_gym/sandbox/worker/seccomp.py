"""The system calls that programs may make: an allow-list, enforced by the kernel's seccomp filter.

Python computing, reading its library, starting threads and writing to its own descriptors needs these and no others.
All else fails with EPERM: new processes, sockets, signals to others, namespaces, tracing, io_uring, BPF, keys, …
"""

import ctypes
import re
import struct
from collections.abc import Sequence

import linux

# Numbers on x86-64 and aarch64 (the kernel's asm/unistd tables). None: the architecture has no such call.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # reading, writing and asking about descriptors and paths (what may be opened is Landlock's to say)
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "preadv": (295, 69),
    "pwritev": (296, 70),
    "preadv2": (327, 286),
    "pwritev2": (328, 287),
    "open": (2, None),
    "openat": (257, 56),
    "close": (3, 57),
    "close_range": (436, 436),
    "lseek": (8, 62),
    "ftruncate": (77, 46),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "fadvise64": (221, 223),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "fstatfs": (138, 44),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "eventfd2": (290, 19),
    # waiting
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "pause": (34, None),
    # memory
    "brk": (12, 214),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "membarrier": (324, 283),
    # threads
    "futex": (202, 98),
    "futex_waitv": (449, 449),
    "set_robust_list": (273, 99),
    "get_robust_list": (274, 100),
    "rseq": (334, 293),
    "set_tid_address": (218, 96),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "gettid": (186, 178),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # signals within the process
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "alarm": (37, None),
    "setitimer": (38, 103),
    "getitimer": (36, 102),
    # clocks, random numbers, who am I
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getpgrp": (111, None),
    "getpgid": (121, 155),
    "getsid": (124, 156),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getgroups": (115, 158),
    "getresuid": (118, 148),
    "getresgid": (120, 150),
    "getpriority": (140, 141),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "umask": (95, 166),
}

CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
PRCTL = {"x86_64": 157, "aarch64": 167}
PRLIMIT64 = {"x86_64": 302, "aarch64": 261}
IOCTL = {"x86_64": 16, "aarch64": 29}
FCNTL = {"x86_64": 72, "aarch64": 25}
SOCKETPAIR = {"x86_64": 53, "aarch64": 199}
SENDTO = {"x86_64": 44, "aarch64": 206}
RECVFROM = {"x86_64": 45, "aarch64": 207}
KILL = {"x86_64": 62, "aarch64": 129}
TGKILL = {"x86_64": 234, "aarch64": 131}

CLONE_THREAD = 0x00010000
PR_NAMES = (15, 16)  # PR_SET_NAME, PR_GET_NAME: of threads
IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
FCNTLS = (0, 1, 2, 3, 4, 1030)  # duplicating, flags; not F_SETOWN and F_SETSIG, which send signals
AF_UNIX = 1  # a pair of sockets is what asyncio wakes itself with

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_KILL_PROCESS, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38

_SECCOMP_MODE_FILTER = 2
_ANY_PID = 0xA5C396F1


def supported() -> bool:
    """Whether there is a table for this machine's architecture."""
    return linux.ARCHITECTURE in _AUDIT_ARCH


class Filter:
    """The allow-list as a BPF program, which only lacks the number of the process that it is for."""

    def __init__(self, architecture: str = linux.ARCHITECTURE) -> None:
        self.architecture = architecture
        # Written out once, with a stand-in for the number: a child has it installed in a tenth of the time.
        code, stand_in = b"".join(self._instructions(_ANY_PID)), struct.pack("=I", _ANY_PID)
        self._places = [match.start() for match in re.finditer(re.escape(stand_in), code)]
        self._code = ctypes.create_string_buffer(code, len(code))
        self._header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(self._code))  # struct sock_fprog

    def install(self, pid: int) -> None:
        """Keep this process, whose number is `pid`, and its threads to the list for good. Needs no_new_privs."""
        self._set_pid(pid)
        linux.prctl(linux.PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, self._header)

    def program(self, pid: int) -> bytes:
        """The filter's instructions, 8 bytes each (struct sock_filter)."""
        self._set_pid(pid)
        return self._code.raw

    def _set_pid(self, pid: int) -> None:
        for place in self._places:
            struct.pack_into("=I", self._code, place, pid)

    def _instructions(self, pid: int) -> list[bytes]:
        ranges = _ranges(self._checks(pid))
        if self.architecture == "x86_64":  # calls of the x32 ABI have numbers of their own, from here on
            ranges.append((_X32, [_step(_RETURN, _ERRNO | _ENOSYS)]))
        return [
            _step(_LOAD, _ARCHITECTURE),
            _step(_EQUAL, _AUDIT_ARCH[self.architecture], if_true=1),
            _step(_RETURN, _KILL_PROCESS),
            _step(_LOAD, _NUMBER),
            *_search(ranges),
        ]

    def _checks(self, pid: int) -> dict[int, list[bytes]]:
        """What is done about each system call; all others are refused."""
        architecture = self.architecture
        column = 0 if architecture == "x86_64" else 1
        checks = {numbers[column]: [_step(_RETURN, _ALLOW)] for numbers in ALLOWED.values()}
        checks |= {
            CLONE3: [_step(_RETURN, _ERRNO | _ENOSYS)],  # its flags lie in memory; the C library then uses clone
            CLONE[architecture]: _allow_if(0, [CLONE_THREAD], _ANY_BIT),
            PRCTL[architecture]: _allow_if(0, PR_NAMES),
            PRLIMIT64[architecture]: _allow_if(0, [0, pid]),
            IOCTL[architecture]: _allow_if(1, IOCTLS),
            FCNTL[architecture]: _allow_if(1, FCNTLS),
            SOCKETPAIR[architecture]: _allow_if(0, [AF_UNIX]),
            SENDTO[architecture]: _allow_if_null(4),
            RECVFROM[architecture]: _allow_if_null(4),
            KILL[architecture]: _allow_if(0, [pid]),
            TGKILL[architecture]: _allow_if(0, [pid]),
        }
        checks.pop(None, None)
        return checks  # type: ignore[return-value]


def _ranges(checks: dict[int, list[bytes]]) -> list[tuple[int, list[bytes]]]:
    """The first number of each range of system calls that are treated alike, and how, in order."""
    refuse = [_step(_RETURN, _ERRNO | _EPERM)]
    ranges = [(0, checks.get(0, refuse))]
    for number in sorted({number + i for number in checks for i in (0, 1)}):
        check = checks.get(number, refuse)
        if check != ranges[-1][1]:
            ranges.append((number, check))
    return ranges


def _search(ranges: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """Find the number's range by halving: when a filter is installed, the kernel goes through it for every number."""
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    below = _search(ranges[:middle])
    return [_step(_AT_LEAST, ranges[middle][0], if_true=len(below)), *below, *_search(ranges[middle:])]


def _allow_if(argument: int, values: Sequence[int], test: int = _EQUAL) -> list[bytes]:
    """Allow a call if the low half of an argument is one of `values` (or has one of these bits); else EPERM."""
    allow = [step for value in values for step in (_step(test, value, if_false=1), _step(_RETURN, _ALLOW))]
    return [_step(_LOAD, _ARGUMENTS + 8 * argument), *allow, _step(_RETURN, _ERRNO | _EPERM)]


def _allow_if_null(argument: int) -> list[bytes]:
    """Allow a call if all 64 bits of an argument are zero; else EPERM."""
    offset = _ARGUMENTS + 8 * argument
    return [
        _step(_LOAD, offset),
        _step(_EQUAL, 0, if_false=3),
        _step(_LOAD, offset + 4),
        _step(_EQUAL, 0, if_false=1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _ERRNO | _EPERM),
    ]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
