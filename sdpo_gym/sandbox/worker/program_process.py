"""A process that runs a program on inputs, seen from the worker: fork it, feed it, watch it, end it.

Inputs come in batches. What ended a batch is seen and decided here, outside the process, which adds only its claims
about the values or the exception. The process can forge the claims, or the sign that a batch is over; it gains nothing
that it could not have by returning or raising.
"""

import contextlib
import math
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

import execute
import fork_handlers
import linux
import namespaces
import restrict
import wire

POLL_SECONDS = 0.1
LONG_SECONDS = 0.05
"""How long a batch takes at least that is asked how long it waited for a CPU: that costs too much for shorter ones."""

SWEEP_SECONDS = 10.0


class ProgramProcess:
    """A restricted child of this worker, which runs one program on one input after another."""

    def __init__(
        self,
        program: dict[str, Any],
        source: int,
        restrictions: restrict.Restrictions,
        connection: tuple[int, int],
    ) -> None:
        """Fork it.

        Args:
            program: The job that began the program: mode, entry point and limits.
            source: Descriptor of a file with its source.
            restrictions: What to lock it down with.
            connection: The worker's descriptors of requests and answers, which the child must not have.
        """
        self._program = program
        self._restrictions = restrictions
        self._requests = connection[0]
        self._cores = len(os.sched_getaffinity(0))
        self._cpu_before = self._waited_before = 0.0
        self._batches = 0
        self._started = time.monotonic()
        self._pid = self._pidfd = -1
        go, self._go = os.pipe()
        self._done, done = os.pipe()
        # The other ends are open file descriptions of their own: no flag that the program sets there reaches these.
        os.set_blocking(self._go, False)
        os.set_blocking(self._done, False)
        self._files = execute.Files(source, *map(linux.memfd_create, ("stdin", "stdout", "claim")), go, done)
        self._locked_down = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            if restrictions.own_pids:
                namespaces.number_next_process()
            self._pid = os.fork()
            if self._pid == 0:
                self._be_child(connection)
            self._pidfd = linux.pidfd_open(self._pid)
            self._poll = select.poll()
            self._poll.register(self._pidfd, select.POLLIN)
            self._poll.register(self._done, select.POLLIN)
            self._poll.register(self._requests, 0)  # reports when the host hangs up
        except OSError:
            self.end()
            raise
        finally:
            os.close(go)
            os.close(done)

    def _be_child(self, connection: tuple[int, int]) -> None:
        try:
            for fd in (*connection, self._go, self._done):
                os.close(fd)
            null = os.open(os.devnull, os.O_WRONLY)  # flags set on the worker's own would outlive this process
            os.dup2(null, 2)
            os.close(null)
            restrict.restrict(self._restrictions, self._program)
            os.eventfd_write(self._locked_down, 1)
            os.close(self._locked_down)
            fork_handlers.register()
            execute.execute(self._program, self._files)
        finally:
            os._exit(1)

    @property
    def stdin(self) -> int:
        """Descriptor of the file that is to hold the inputs whenever `run` is called."""
        return self._files.stdin

    @property
    def alive(self) -> bool:
        """Whether it can take another batch."""
        return self._pid > 0 and not select.select([self._pidfd], [], [], 0)[0]

    def run(self, sizes: list[int], wall_seconds: float) -> dict[str, Any]:
        """Run the program on a batch of inputs, of these sizes in bytes, together within the limits of one.

        Returns:
            How it ended, and how much `send_output` has to send. The process decides how many of the inputs it runs.

        Raises:
            OSError: the system did not do what this needs; the worker may not go on.
        """
        files, output_bytes = self._files, self._program["output_bytes"]
        fresh = self._batches == 0
        started = self._started if fresh else time.monotonic()
        self._batches += 1
        if not fresh:
            os.ftruncate(files.stdout, 0)
            os.ftruncate(files.claim, 0)
        _drain(self._done)
        try:
            os.write(self._go, " ".join(map(str, sizes)).encode("ascii"))
        except (BlockingIOError, BrokenPipeError):  # the program filled or closed it
            end = "exited"
        else:
            end = self._watch(started, wall_seconds)
        elapsed = time.monotonic() - started
        waited = self._waited(elapsed) if elapsed > LONG_SECONDS else 0.0  # before it is reaped
        self._waited_before += waited
        code = 0
        if end == "done":
            cpu_seconds = _cpu_seconds(self._pid) - self._cpu_before
            self._cpu_before += cpu_seconds
        else:
            code, cpu_total = self._end()
            cpu_seconds = cpu_total - self._cpu_before
        wall = time.monotonic() - started
        if fresh and not self._was_locked_down() and end in ("done", "exited"):
            raise OSError("a child could not be locked down")
        if end in ("done", "exited"):
            end = _judge_end(end, code, cpu_seconds, _size(files.stdout), self._program)
        if end != "done":
            self._end()
        return {
            "end": end,
            "code": code,
            "cpu_seconds": cpu_seconds,
            "wall_seconds": wall,
            "waited_seconds": waited,
            "stdout_bytes": min(_size(files.stdout), output_bytes),
            "claim_bytes": min(_size(files.claim), output_bytes + restrict.CLAIM_BYTES),
            "fresh": fresh,
        }

    def send_output(self, fd: int, answer: dict[str, Any]) -> None:
        """Write what the last batch wrote and claimed, of which nothing gets into this process's memory."""
        _send(self._files.stdout, fd, answer["stdout_bytes"])
        _send(self._files.claim, fd, answer["claim_bytes"])

    def end(self) -> None:
        """End the process and what it has started, and let go of its files. May be called again."""
        self._end()
        files, self._files = self._files, execute.Files(-1, -1, -1, -1, -1, -1)
        for fd in (files.stdin, files.stdout, files.claim, self._go, self._done, self._locked_down, self._pidfd):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._go = self._done = self._locked_down = self._pidfd = -1

    def _was_locked_down(self) -> bool:
        """Whether the child came as far as running the program, which has no access to this descriptor."""
        try:
            return os.eventfd_read(self._locked_down) == 1
        except BlockingIOError:
            return False

    def _watch(self, started: float, wall_seconds: float) -> str:
        """Wait until the batch is over; how it ended: `done`, `exited`, or why it has to be stopped."""
        cpu_limit = self._cpu_before + self._program["cpu_seconds"]
        while True:
            wall_left = self._wall_left(started, wall_seconds)
            cpu_left = cpu_limit - _cpu_seconds(self._pid)
            if wall_left <= 0 or cpu_left <= 0:
                return "timeout"
            if _size(self._files.stdout) > self._program["output_bytes"]:
                return "output_limit"
            seconds = min(wall_left, max(cpu_left / self._cores, 0.002), POLL_SECONDS)
            ready = dict(self._poll.poll(math.ceil(seconds * 1000)))
            if self._done in ready:
                if _drain(self._done):
                    return "done"
                if ready[self._done] & select.POLLHUP:  # the process closed it, by ending most often
                    self._poll.unregister(self._done)  # or there would be no waiting for the rest of its end
            if self._pidfd in ready:
                return "exited"
            if self._requests in ready:
                self._end()
                os._exit(0)

    def _wall_left(self, started: float, wall_seconds: float) -> float:
        elapsed = time.monotonic() - started
        if elapsed < wall_seconds:
            return wall_seconds - elapsed
        return min(wall_seconds + self._waited(elapsed), wire.PATIENCE * wall_seconds) - elapsed

    def _waited(self, elapsed: float) -> float:
        """How much of the time since the batch began it waited for a CPU."""
        return min(max(_seconds_waiting_for_cpu(self._pid) - self._waited_before, 0.0), elapsed)

    def _end(self) -> tuple[int, float]:
        """Kill what is left of it and its descendants; the exit code, or minus the signal, and CPU time."""
        if self._pid < 0:
            return 0, 0.0
        pid, self._pid = self._pid, -1
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


def _judge_end(end: str, code: int, cpu_seconds: float, written: int, program: dict[str, Any]) -> str:
    if written > program["output_bytes"] or code == -signal.SIGXFSZ:
        return "output_limit"
    if cpu_seconds > program["cpu_seconds"] or code == -signal.SIGXCPU:
        return "timeout"
    return "crashed" if code < 0 else end


def _cpu_seconds(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has just ended
        return 0.0


def _seconds_waiting_for_cpu(pid: int) -> float:
    """How long the process, since its start, was ready to run while others had the CPUs; 0 where unknown."""
    longest = 0
    with contextlib.suppress(OSError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", "rb") as file:
                longest = max(longest, int(file.read().split()[1]))
    return longest / 1e9


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


def _drain(fd: int) -> bool:
    """Read what there is; whether there was anything."""
    try:
        return bool(os.read(fd, 1 << 16))
    except BlockingIOError:
        return False


def _size(fd: int) -> int:
    return os.fstat(fd).st_size


def _send(source: int, target: int, count: int) -> None:
    """Write the first `count` bytes of a file to a stream; zeros in place of what was cut off meanwhile."""
    position = 0
    while position < count:
        sent = os.sendfile(target, source, position, count - position)
        position += sent or os.write(target, bytes(min(count - position, 1 << 16)))
