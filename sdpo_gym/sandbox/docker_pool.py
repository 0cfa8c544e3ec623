"""Programs run by worker processes in Docker containers."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sdpo_gym.sandbox import docker_engine, docker_image
from sdpo_gym.sandbox.pool import WorkerPool
from sdpo_gym.sandbox.protocol import Accept, IsolationReport, Limits, Program, RunResult, SandboxError, Stop
from sdpo_gym.sandbox.worker.__main__ import STACK_BYTES
from sdpo_gym.sandbox.worker_process import START_SECONDS, WorkerProcess

if TYPE_CHECKING:
    from docker import APIClient, DockerClient

RESERVED_MB = 512
"""Memory of a container that programs do not get: for the worker, inputs and outputs."""

PIDS = 128
NOBODY = "65534:65534"
ROOT = "0:0"
LAST_WORDS_SECONDS = 5.0
MAX_LAST_WORDS = 2_000
LAYERS = {"namespaces": False, "landlock": True, "seccomp": True}
"""Of the worker: an unprivileged container gives it no namespaces of its own."""

ENVIRONMENT = ["LANG=C.UTF-8", "PYTHONHASHSEED=0", "MALLOC_ARENA_MAX=1", "PYTHONPATH", "PYTHONHOME"]
"""Of a worker; its programs get an empty one. Names without a value are taken out of the image's."""

_PACKAGE = Path(__file__).parent
# Output comes in frames: the number of the stream, three zero bytes, the length, the data.
_STDERR = 2
_FRAME_HEADER = 8
_PART = 1 << 16


class DockerSandbox(WorkerPool):
    """Runs programs in containers, one for each worker, started when it is needed and kept for many programs.

    A container has no network, a read-only file system, no capabilities, an unprivileged user, and limits on memory and
    processes; the worker in it is the one of `LocalSandbox`, whose layers hold as well, except for namespaces. With
    `runtime="runsc"` programs talk to gVisor's kernel instead of the machine's.

    Programs can import the standard library of the image's Python, and numpy if the image has it. Containers are
    removed when the sandbox is closed or this process ends; should it be killed, they end by themselves. Safe to use
    from several threads, and after a fork. Needs the package docker (`pip install 'sdpo-gym[docker]'`).
    """

    def __init__(
        self,
        image: str | None = None,
        workers: int | None = None,
        *,
        runtime: str | None = None,
        memory_mb: int = 2048,
        cpus: float | None = None,
        base_url: str | None = None,
    ) -> None:
        """Reach the engine, and remove containers whose owners are dead; none is started yet.

        Args:
            image: An image with Python 3.10 or newer as `python3` that the engine has. None: the one that
                `build_image` makes of this process's Python.
            workers: How many programs run at the same time. None: one per CPU of the engine's machine.
            runtime: One of the engine's runtimes, such as `runsc`. None: its default.
            memory_mb: Memory of each container, swap included. Programs may be given all but 512 MB of it.
            cpus: CPUs that each container may use. None: all.
            base_url: Where the engine is. None: where `DOCKER_HOST` says, else the usual place.

        Raises:
            SandboxError: there is no engine, image or runtime of that name, or the package docker is missing.
            ValueError: `workers`, `memory_mb` or `cpus` makes no sense.
        """
        if memory_mb <= RESERVED_MB:
            raise ValueError(f"memory_mb must be more than {RESERVED_MB}, not {memory_mb}")
        if cpus is not None and cpus <= 0:
            raise ValueError(f"cpus must be positive, not {cpus}")
        with contextlib.closing(docker_engine.connect(base_url)) as client:
            with docker_engine.errors_as("the Docker engine does not do as it is told"):
                info = client.info()
                docker_engine.sweep(client.api)
            _check_runtime(info, runtime)
            image_id = docker_image.find(client, image)
        super().__init__(info["NCPU"] if workers is None else workers)
        self._base_url = base_url
        self._client: DockerClient | None = None
        self._memory_mb = memory_mb
        self._limits_memory = bool(info.get("MemoryLimit"))
        self._settings = _settings(image_id, image or docker_image.default_tag(), runtime, memory_mb, cpus)

    def run(
        self,
        program: Program,
        inputs: Sequence[str],
        limits: Limits = Limits(),
        *,
        stop: Stop | None = None,
        accept: Accept | None = None,
    ) -> list[RunResult]:
        """See `Sandbox.run`.

        Raises:
            SandboxError: the sandbox failed, twice in a row, or is closed.
            ValueError: the program, an input or a limit makes no sense, such as more memory than a container has.
        """
        if limits.memory_mb > self._memory_mb - RESERVED_MB:
            raise ValueError(
                f"memory_mb of a program can be {self._memory_mb - RESERVED_MB} in containers of {self._memory_mb} MB, "
                f"not {limits.memory_mb}; DockerSandbox takes a larger memory_mb"
            )
        return super().run(program, inputs, limits, stop=stop, accept=accept)

    def close(self) -> None:
        """Remove all containers; runs in other threads raise SandboxError."""
        super().close()
        if self._client is not None:
            self._client.close()

    def _start_worker(self) -> WorkerProcess:
        if self._client is None:
            self._client = docker_engine.connect(self._base_url)
        container = _Container(self._client.api, self._settings)
        worker = WorkerProcess(container)
        worker.isolation = self._report(worker.isolation, container.warnings)
        return worker

    def _report(self, inside: IsolationReport, warnings: list[str]) -> IsolationReport:
        """What the container adds to what the worker found in it."""

        def add(outer: str, inner: str) -> str:
            return outer if inner == "none" else f"{outer}, {inner}"

        return dataclasses.replace(
            inside,
            filesystem=add("read-only container", inside.filesystem),
            network=add("container without network", inside.network),
            processes=add("container", inside.processes),
            memory=add("cgroup", inside.memory) if self._limits_memory else inside.memory,
            kernel="gvisor" if self._settings.gvisor else inside.kernel,
            notes=(*inside.notes, *warnings),
        )

    def _after_fork(self) -> None:
        super()._after_fork()
        self._client = None  # its connections belong to the other process


class _Settings(NamedTuple):
    """How a container is made."""

    name: str
    """Of the image, for people."""

    gvisor: bool
    container: dict[str, Any]
    """Arguments of docker-py's `create_container`."""

    host: dict[str, Any]
    """Arguments of docker-py's `create_host_config`."""

    sources: bytes
    """The worker's code, which the container reads first of all from standard input."""


def _settings(image: str, name: str, runtime: str | None, memory_mb: int, cpus: float | None) -> _Settings:
    modules = {path.stem: path.read_text("utf-8") for path in (_PACKAGE / "worker").glob("*.py")}
    sources = json.dumps(modules).encode("ascii")
    bootstrap = (_PACKAGE / "container_bootstrap.py").read_text("utf-8")
    container = {
        "image": image,
        "entrypoint": ["python3", "-s", "-S", "-B", "-c", bootstrap, str(len(sources)), json.dumps(LAYERS)],
        "stdin_open": True,  # until this process closes it, or ends
        "user": NOBODY,
        "working_dir": "/",
        "hostname": "sandbox",
        "environment": ENVIRONMENT,
        "healthcheck": {"test": ["NONE"]},
    }
    host = {
        "network_mode": "none",
        "ipc_mode": "none",
        "read_only": True,
        "tmpfs": {"/tmp": "ro,noexec,nosuid,nodev,size=64k,mode=555"},  # gVisor would put a writable one there
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": PIDS,
        "mem_limit": memory_mb << 20,
        "memswap_limit": memory_mb << 20,
        "nano_cpus": None if cpus is None else int(cpus * 1e9),
        "ulimits": [
            {"name": "stack", "soft": STACK_BYTES, "hard": STACK_BYTES},
            {"name": "core", "soft": 0, "hard": 0},
        ],
        "log_config": {"type": "none"},
        "runtime": runtime,
        "auto_remove": True,
    }
    gvisor = runtime is not None and runtime.startswith("runsc")
    if gvisor:
        # gVisor shows the descriptors of a process to others of its user, even if it is not dumpable. There the worker
        # is root, of gVisor's kernel, with what it takes to run programs as another user.
        container["user"] = ROOT
        host["cap_add"] = ["SETUID", "SETGID", "KILL"]
    return _Settings(name, gvisor, container, host, sources)


class _Container:
    """Connection to a worker in a container of its own."""

    def __init__(self, api: APIClient, settings: _Settings) -> None:
        self._api = api
        self._stream_number = self._left = 0  # of the frame that is being read
        self._errors = b""
        self._in_use = threading.Lock()
        with docker_engine.errors_as(f"cannot create a container of {settings.name}"):
            created = api.create_container(
                **settings.container,
                host_config=api.create_host_config(**settings.host),
                labels={docker_engine.OWNER: docker_engine.owner()},
            )
        self._id = created["Id"]
        self.warnings = created.get("Warnings") or []
        try:
            with docker_engine.errors_as(f"cannot start a container of {settings.name}"):
                # Attached before the start, as docker-py loses what comes together with the engine's answer.
                self._stream = api.attach_socket(self._id, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
                self._socket = self._stream._sock if isinstance(self._stream, socket.SocketIO) else self._stream
                api.start(self._id)
                self.send(settings.sources, time.monotonic() + START_SECONDS)
        except BaseException:
            with docker_engine.ignored_errors():
                docker_engine.remove(api, self._id)
            raise

    def send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            with self._in_use:
                self._wait_until(deadline)
                sent = self._socket.send(view[:_PART])
            view = view[sent:]

    def receive(self, count: int, deadline: float) -> bytes:
        while True:
            if self._left == 0:
                header = self._read(1, deadline)
                while len(header) < _FRAME_HEADER:
                    header += self._read(_FRAME_HEADER - len(header), deadline)
                self._stream_number, self._left = header[0], int.from_bytes(header[4:], "big")
                continue
            data = self._read(min(count, self._left), deadline)
            self._left -= len(data)
            if self._stream_number != _STDERR:
                return data
            self._errors = (self._errors + data)[-MAX_LAST_WORDS:]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer
        # Not while a thread waits for the descriptor: it may be another file's by the time that the thread wakes, which
        # then goes on waiting for that.
        with self._in_use:
            self.forget()
        with docker_engine.ignored_errors():
            docker_engine.remove(self._api, self._id)

    def forget(self) -> None:
        # The engine's answer first, as it complains if it is collected after the socket; then the descriptor alone, as
        # docker-py's objects around it complain if they have been closed.
        with contextlib.suppress(Exception):
            self._stream._response.raw._fp.close()
        if isinstance(self._socket, socket.socket) and (fd := self._socket.detach()) >= 0:
            os.close(fd)

    def last_words(self) -> str:
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        with docker_engine.ignored_errors():
            self._api.kill(self._id)
        with contextlib.suppress(OSError, EOFError):
            while True:
                self.receive(_PART, deadline)
        return self._errors.decode("utf-8", "replace").strip()

    def _read(self, count: int, deadline: float) -> bytes:
        with self._in_use:
            self._wait_until(deadline)
            data = self._socket.recv(count)
        if not data:
            raise EOFError("the container has ended")
        return data

    def _wait_until(self, deadline: float) -> None:
        """Let the next call of the socket end by then."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the container does not answer")
        self._socket.settimeout(left)


def _check_runtime(info: dict[str, Any], runtime: str | None) -> None:
    known = sorted(info.get("Runtimes") or {})
    if runtime is not None and runtime not in known:
        raise SandboxError(
            f"the Docker engine has no runtime {runtime!r}; it has {', '.join(known)}. "
            "To add one, see docs/docker-sandbox.md"
        )
