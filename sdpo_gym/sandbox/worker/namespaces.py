"""A worker's own view of the machine: no other process, no network, and a file system with little in it."""

import contextlib
import os
import signal
import stat

import linux

# Any folder will do as the place of the new root: it is seen by this process alone.
NEW_ROOT = "/tmp"
OLD_ROOT = "/old"

STANDARD_STREAMS = {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}
"""What programs expect in /dev, and where in /proc/self/fd it leads."""

HOST_NAME = "sandbox"

PROGRAM_PID = 100
"""What every program's process is, in a namespace of processes. Numbers that go up would tell programs how many others
there were, and let one leave a mark for the next."""

_LAST_PID = "/proc/sys/kernel/ns_last_pid"

EVERY = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS


def try_out(paths: list[str]) -> bool:
    """Whether `enter` works here; tried in a throw-away child."""
    pid = os.fork()
    if pid == 0:
        try:
            enter(paths)
            os.stat("/proc/self/stat")
            os._exit(0)
        finally:
            os._exit(1)
    return linux.trial_passed(os.waitpid(pid, 0)[1])


def enter(paths: list[str]) -> None:
    """Go on in a child of this process, with namespaces of its own. This process itself waits for it and ends.

    Args:
        paths: What the new file system shows, read-only.

    Raises:
        OSError: the kernel does not allow it; this process may then be in some of the namespaces.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        linux.unshare(EVERY)
    else:
        linux.unshare(linux.CLONE_NEWUSER | EVERY)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    pid = os.fork()
    if pid:
        _wait_for(pid)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    linux.set_host_name(HOST_NAME)
    _change_root(paths)


def number_next_process() -> None:
    """Let the next process of this namespace be `PROGRAM_PID`. Raises OSError: it cannot be chosen here."""
    fd = os.open(_LAST_PID, os.O_WRONLY)
    try:
        os.write(fd, b"%d" % (PROGRAM_PID - 1))
    finally:
        os.close(fd)


def _wait_for(pid: int) -> None:
    """Be a parent and nothing else."""
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            os.close(int(fd))
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), signal.SIGKILL)  # who waits for this process shall know
    os._exit(0 if status == 0 else 1)


def _change_root(paths: list[str]) -> None:
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    sources = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths]  # before anything is mounted over
    linux.mount("tmpfs", NEW_ROOT, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=16m,mode=755")
    for path, fd in sources:
        _bind(fd, NEW_ROOT + path)
        os.close(fd)
    for name, place in STANDARD_STREAMS.items():
        os.symlink(f"/proc/self/fd{place}", f"{NEW_ROOT}/dev/{name}")
    os.mkdir(NEW_ROOT + "/proc")
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", NEW_ROOT + "/proc", "proc", flags)
    os.mkdir(NEW_ROOT + OLD_ROOT)
    linux.pivot_root(NEW_ROOT, NEW_ROOT + OLD_ROOT)
    os.chdir("/")
    linux.umount(OLD_ROOT)
    os.rmdir(OLD_ROOT)
    linux.mount(None, "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)


def _bind(fd: int, target: str) -> None:
    """Show a file or folder, given by a descriptor, at another place, read-only."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISDIR(mode):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))
    linux.mount(f"/proc/self/fd/{fd}", target, None, linux.MS_BIND | linux.MS_REC)
    flags = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_NOSUID | _kept_flags(fd)
    if not stat.S_ISCHR(mode):
        flags |= linux.MS_RDONLY | linux.MS_NODEV
    linux.mount(None, target, None, flags)


def _kept_flags(fd: int) -> int:
    """The flags of a file's mount, which a user namespace must not take away."""
    flags = os.fstatvfs(fd).f_flag
    kept = flags & (os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RDONLY)
    return kept | (linux.MS_RELATIME if flags & os.ST_RELATIME else 0)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
