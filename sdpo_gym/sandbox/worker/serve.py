"""The worker's loop: one job, one fresh child, one answer."""

import contextlib
import gc
import math
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import execute
import linux
import restrict
import wire

POLL_SECONDS = 0.1
SWEEP_SECONDS = 10.0
MAX_MESSAGE = 1 << 30


def main() -> None:
    """Serve until the host is gone."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    os.environ.clear()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a host may have left it ignored, and then children vanish
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    _offer_to_out_of_memory_killer()
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    restrictions = restrict.find_restrictions()
    worker = Worker(requests, answers, restrictions, _preload(restrictions))
    worker.answer({"isolation": restrictions.report})
    while True:
        try:
            job = wire.read_message(lambda count: os.read(requests, count), MAX_MESSAGE)
        except EOFError:
            return
        try:
            answer = worker.run(job)
        except OSError as error:
            answer = {"error": str(error)}
        worker.answer(answer)


def _offer_to_out_of_memory_killer() -> None:
    """When the machine runs out of memory, programs shall go before the trainer does."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _preload(restrictions: restrict.Restrictions) -> dict[str, Any]:
    """Import what programs use, and leave no trace of the worker's own modules."""
    own_folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != own_folder]
    if restrictions.uid is not None:
        _reach_library_through_descriptors()
    preamble = execute.load_preamble()
    for name in ("serve", "execute", "restrict", "linux", "wire"):
        sys.modules.pop(name, None)
    gc.collect()
    gc.freeze()
    return preamble


def _reach_library_through_descriptors() -> None:
    """Keep the standard library importable for another user when it lies in a folder that is closed to that user."""
    places = {}
    for folder in sys.path:
        if os.path.isdir(folder) and not _open_to_all(folder):
            places[folder] = f"/proc/self/fd/{os.open(folder, os.O_PATH | os.O_DIRECTORY)}"
    sys.path[:] = [places.get(folder, folder) for folder in sys.path]
    for module in list(sys.modules.values()):
        if hasattr(module, "__path__"):
            module.__path__ = [
                places[os.path.dirname(folder)] + "/" + os.path.basename(folder)
                if os.path.dirname(folder) in places
                else folder
                for folder in module.__path__
            ]


def _open_to_all(folder: str) -> bool:
    folder = os.path.realpath(folder)
    while os.stat(folder).st_mode & 0o001:
        if folder == "/":
            return True
        folder = os.path.dirname(folder)
    return False


class Worker:
    """Runs jobs in children and watches them."""

    def __init__(
        self, requests: int, answers: int, restrictions: restrict.Restrictions, preamble: dict[str, Any]
    ) -> None:
        self._requests = requests
        self._answers = answers
        self._restrictions = restrictions
        self._preamble = preamble
        self._locked_down = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._cores = len(os.sched_getaffinity(0))

    def answer(self, message: dict[str, Any]) -> None:
        data = wire.pack(message)
        while data:
            data = data[os.write(self._answers, data) :]

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Run one job; the answer says how its process ended, what it wrote and what it claims."""
        files = [linux.memfd_create(name) for name in ("stdin", "stdout", "claim")]
        try:
            return self._run(job, *files)
        finally:
            for fd in files:
                os.close(fd)

    def _run(self, job: dict[str, Any], stdin: int, stdout: int, claim: int) -> dict[str, Any]:
        limits = job["limits"]
        if job["mode"] == "stdin":
            _fill(stdin, job["input"].encode("utf-8", "surrogatepass"))
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._be_child(job, stdin, stdout, claim)
        try:
            stopped = self._watch(pid, limits, stdout, started)
        finally:
            code, cpu_seconds = self._end(pid)
        wall_seconds = time.monotonic() - started
        if not self._was_locked_down() and stopped is None:
            return {"error": "a child could not be locked down"}
        if stopped is None:
            stopped = _judge_end(code, cpu_seconds, os.fstat(stdout).st_size, limits)
        return {
            "end": stopped,
            "code": code,
            "cpu_seconds": cpu_seconds,
            "wall_seconds": wall_seconds,
            "stdout": _contents(stdout, limits["output_bytes"]),
            "claim": _contents(claim, limits["output_bytes"] + restrict.CLAIM_BYTES) if stopped == "exited" else "",
        }

    def _be_child(self, job: dict[str, Any], stdin: int, stdout: int, claim: int) -> None:
        try:
            os.dup2(stdin, 0)
            os.dup2(stdout, 1)
            for fd in (stdin, stdout, self._requests, self._answers):
                os.close(fd)
            restrict.restrict(self._restrictions, job["limits"])
            os.eventfd_write(self._locked_down, 1)
            os.close(self._locked_down)
            execute.execute(job, self._preamble, claim)
        finally:
            os._exit(1)

    def _was_locked_down(self) -> bool:
        """Whether the last child came as far as running the program. The program has no access to this descriptor."""
        try:
            return os.eventfd_read(self._locked_down) == 1
        except BlockingIOError:
            return False

    def _watch(self, pid: int, limits: dict[str, Any], stdout: int, started: float) -> str | None:
        """Wait for the child to end; return why it has to be stopped, None if it ended by itself."""
        pidfd = linux.pidfd_open(pid)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.register(self._requests, 0)  # reports when the host hangs up
        try:
            while True:
                wall_left = limits["wall_seconds"] - (time.monotonic() - started)
                cpu_left = limits["cpu_seconds"] - _cpu_seconds(pid)
                if wall_left <= 0 or cpu_left <= 0:
                    return "timeout"
                if os.fstat(stdout).st_size > limits["output_bytes"]:
                    return "output_limit"
                seconds = min(wall_left, max(cpu_left / self._cores, 0.002), POLL_SECONDS)
                ready = [fd for fd, _ in poll.poll(math.ceil(seconds * 1000))]
                if self._requests in ready:
                    self._end(pid)
                    os._exit(0)
                if pidfd in ready:
                    return None
        finally:
            os.close(pidfd)

    def _end(self, pid: int) -> tuple[int, float]:
        """Kill what is left of a child and its descendants; return the exit code, or minus the signal, and CPU time."""
        os.kill(pid, signal.SIGKILL)
        _signal(os.killpg, pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        if not _reap():
            self._sweep()
        return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime

    def _sweep(self) -> None:
        """End descendants that left the child's process group. They are this process's descendants still."""
        deadline = time.monotonic() + SWEEP_SECONDS
        while not _reap():
            if time.monotonic() > deadline:
                os._exit(1)  # the host starts another worker
            if self._restrictions.private_uid:
                self._kill_all_of_user()
            else:
                _kill_descendants()
            time.sleep(0.001)

    def _kill_all_of_user(self) -> None:
        """In one system call, which no fork can outrun."""
        pid = os.fork()
        if pid == 0:
            try:
                os.setresuid(self._restrictions.uid, self._restrictions.uid, self._restrictions.uid)
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)


def _judge_end(code: int, cpu_seconds: float, written: int, limits: dict[str, Any]) -> str:
    if written > limits["output_bytes"] or code == -signal.SIGXFSZ:
        return "output_limit"
    if cpu_seconds > limits["cpu_seconds"] or code == -signal.SIGXCPU:
        return "timeout"
    return "crashed" if code < 0 else "exited"


def _cpu_seconds(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has just ended
        return 0.0


def _reap() -> bool:
    """Collect children that have ended; whether none is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _kill_descendants() -> None:
    """Stop them all before killing any: stopped processes cannot fork, and leave no room for others to fork into."""
    stopped: set[int] = set()
    while running := _descendants() - stopped:
        for pid in running:
            _signal(os.kill, pid, signal.SIGSTOP)
        stopped |= running
    for pid in stopped:
        _signal(os.kill, pid, signal.SIGKILL)


def _descendants() -> set[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:  # it has just ended
                continue
            children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    unseen = children.get(os.getpid(), [])
    while unseen:
        found.update(unseen)
        unseen = [child for pid in unseen for child in children.get(pid, [])]
    return found


def _signal(send: Callable[[int, int], None], target: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        send(target, number)


def _fill(fd: int, data: bytes) -> None:
    position = 0
    while position < len(data):
        position += os.pwrite(fd, data[position : position + (1 << 24)], position)


def _contents(fd: int, limit: int) -> str:
    parts = []
    position = 0
    while position < limit and (part := os.pread(fd, limit - position, position)):
        parts.append(part)
        position += len(part)
    return b"".join(parts).decode("utf-8", "replace")
