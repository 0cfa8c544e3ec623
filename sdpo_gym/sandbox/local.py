"""Programs run by worker processes on this machine. Linux only, standard library only."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from sdpo_gym.sandbox.pool import WorkerPool
from sdpo_gym.sandbox.protocol import SandboxError
from sdpo_gym.sandbox.worker_process import WorkerProcess

WORKER = Path(__file__).parent / "worker"
END_SECONDS = 15.0
"""How long a worker that has lost its host may take to end its program, with all processes that this has started."""


class LocalSandbox(WorkerPool):
    """Runs programs in processes forked from one of a few small servers.

    The servers are started when they are needed, and never forked from this process, which may be large and hold
    secrets. See `isolation` for what is kept from a program and what is not. Programs can import the standard library,
    and numpy if this process can. Safe to use from several threads, and after a fork.
    """

    def __init__(
        self,
        workers: int | None = None,
        python: str = sys.executable,
        *,
        namespaces: bool = True,
        landlock: bool = True,
        seccomp: bool = True,
    ) -> None:
        """Make a sandbox; no process is started yet.

        Args:
            workers: How many programs run at the same time. None: one per usable CPU.
            python: The interpreter, at least Python 3.10, that runs the programs. They see its standard library, and
                numpy only if it is this process's interpreter.
            namespaces: Whether workers get namespaces of their own, where the kernel allows it.
            landlock: Whether the kernel's Landlock keeps programs from files, where it has it.
            seccomp: Whether a seccomp filter keeps programs to harmless system calls, where there is one.

        Raises:
            SandboxError: this is not Linux.
            ValueError: `workers` is less than one.
        """
        if sys.platform != "linux":
            raise SandboxError(f"LocalSandbox needs Linux, this is {sys.platform}; use DockerSandbox")
        super().__init__(len(os.sched_getaffinity(0)) if workers is None else workers)
        python = find_python(python)
        packages = [str(folder) for folder in numpy_folders()] if python == find_python(sys.executable) else []
        options = json.dumps({"namespaces": namespaces, "landlock": landlock, "seccomp": seccomp, "packages": packages})
        self._command = [python, "-s", "-S", "-B", str(WORKER), options]

    def _start_worker(self) -> WorkerProcess:
        return WorkerProcess(_Child(self._command))


class _Child:
    """Connection to a worker that is a child of this process."""

    def __init__(self, command: list[str]) -> None:
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs,
                    stdout=theirs,
                    stderr=subprocess.PIPE,
                    env=_environment(),
                    cwd="/",
                    start_new_session=True,
                )
        except OSError as error:
            self._socket.close()
            raise SandboxError(f"cannot start {command[0]}: {error}") from error

    def send(self, data: bytes, deadline: float) -> None:
        self._set_deadline(deadline)
        self._socket.sendall(data)

    def receive(self, count: int, deadline: float) -> bytes:
        self._set_deadline(deadline)
        return self._socket.recv(count)

    def _set_deadline(self, deadline: float) -> None:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the worker does not answer in time")
        self._socket.settimeout(seconds)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer
        self._socket.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stderr.close()

    def forget(self) -> None:
        self._socket.close()
        self._process.stderr.close()
        self._process.returncode = 0  # not this process's child: nothing to wait for

    def last_words(self) -> str:
        self._process.kill()
        return self._process.stderr.read(10_000).decode("utf-8", "replace").strip()[-2_000:]


def find_python(python: str) -> str:
    """Where an interpreter is, by this process's `PATH` and current folder: where it is started, they are others."""
    found = shutil.which(python) or python
    relative = os.path.dirname(found) and not os.path.isabs(found)
    return os.path.join(os.getcwd(), found) if relative else found


def _environment() -> dict[str, str]:
    """The environment of a worker. Its programs get an empty one."""
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]  # some interpreters need it to start
    return env


def numpy_folders() -> list[Path]:
    """Folders of numpy, if this process has it: the package's, and that of the libraries that come with it."""
    spec = importlib.util.find_spec("numpy")
    if spec is None or not spec.origin:
        return []
    package = Path(spec.origin).parent
    return [folder for folder in (package, package.with_name("numpy.libs")) if folder.is_dir()]
