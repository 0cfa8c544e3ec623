"""A sandbox spread over the machines of a Ray cluster."""

from __future__ import annotations

import threading
import time
from typing import Any

from sdpo_gym.sandbox import messages
from sdpo_gym.sandbox.chunks import ChunkedSandbox, answer_chunk
from sdpo_gym.sandbox.protocol import ISOLATION, IsolationReport, Sandbox, SandboxError

try:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError as _error:
    raise SandboxError("RaySandbox needs the package ray: pip install 'sdpo-gym[ray]'") from _error

START_SECONDS = 120.0


class RaySandbox(ChunkedSandbox):
    """Runs programs on a Ray cluster: an actor with a sandbox on every machine, each request to the least busy one.

    Expected outputs and the judge stay in this process. Ray itself trusts its cluster, and unpickles what the actors
    send; the actors run no program themselves, and send nothing but bytes. Every machine needs this package. Safe to
    use from several threads.
    """

    def __init__(
        self,
        *,
        workers_per_node: int | None = None,
        reserve_cpus: bool = False,
        node_kind: str = "auto",
        address: str = "auto",
        patience_seconds: float = 120.0,
    ) -> None:
        """Start the actors, on the cluster that this process is connected to, or else connects to now.

        Args:
            workers_per_node: How many programs run at the same time on each machine. None: one per CPU that Ray has
                there.
            reserve_cpus: Whether Ray shall keep as many CPUs for the sandbox alone. If not, it shares them with what
                else runs; verdicts count CPU time, so they stay the same.
            node_kind: What `make_sandbox` shall make on each machine.
            address: The cluster to connect to if this process is not connected yet.
            patience_seconds: How long a request may wait for a free worker beyond what the limits allow it to run.

        Raises:
            SandboxError: there is no cluster, or an actor does not start.
            ValueError: an argument makes no sense.
        """
        super().__init__(patience_seconds)
        if workers_per_node is not None and workers_per_node < 1:
            raise ValueError(f"workers_per_node must be at least 1, not {workers_per_node}")
        self._kind = node_kind
        self._reserve_cpus = reserve_cpus
        self._lock = threading.Lock()
        self._closed = False
        self._hosts: list[_Host] = []
        try:
            if not ray.is_initialized():
                ray.init(address=address, log_to_driver=False)
            nodes = {node["NodeID"]: int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]}
        except Exception as error:
            raise SandboxError(f"no Ray cluster at {address!r}: {error}") from error
        counts = {node: workers_per_node or cpus for node, cpus in nodes.items() if cpus}
        if not counts:
            raise SandboxError("no machine of the Ray cluster has a CPU to run programs on")
        try:
            self._hosts = [_Host(node, count, self._start(node, count)) for node, count in counts.items()]
            infos = [self._read_info(host, START_SECONDS) for host in self._hosts]
        except BaseException:
            self.close()
            raise
        self._info = messages.Info(sum(info.workers for info in infos), _weakest([i.isolation for i in infos]))
        self._free = threading.BoundedSemaphore(self._info.workers)

    def close(self) -> None:
        """End the actors; runs in other threads raise SandboxError. The connection to the cluster stays."""
        with self._lock:
            self._closed = True
            for host in self._hosts:
                ray.kill(host.actor)
            self._hosts.clear()

    @property
    def closed(self) -> bool:
        return self._closed

    def _ask_info(self, deadline: float) -> bytes:
        raise AssertionError("known from the start")

    def _ask_chunk(self, request: bytes, max_bytes: int, deadline: float) -> bytes:
        if not self._free.acquire(timeout=max(deadline - time.monotonic(), 0.001)):
            raise SandboxError("no worker of the Ray cluster became free in time")
        try:
            for last_try in (False, True):
                host = self._take()
                actor = host.actor
                try:
                    answer = ray.get(actor.answer.remote(request), timeout=max(deadline - time.monotonic(), 0.001))
                    return _check_answer(answer, max_bytes)
                except ray.exceptions.RayError as error:
                    self._replace(host, actor)
                    late = isinstance(error, ray.exceptions.GetTimeoutError)
                    if last_try or late:
                        what = "does not answer" if late else "was lost, twice in a row"
                        raise SandboxError(f"an actor of the sandbox {what}: {_describe(error)}") from error
                finally:
                    with self._lock:
                        host.busy -= 1
            raise AssertionError("unreachable")
        finally:
            self._free.release()

    def _take(self) -> _Host:
        with self._lock:
            self._check_open()
            host = min(self._hosts, key=lambda host: host.busy / host.workers)
            host.busy += 1
            return host

    def _replace(self, host: _Host, lost: Any) -> None:
        """Start another actor, once for all threads that have lost this one."""
        with self._lock:
            self._check_open()
            if host.actor is lost:
                ray.kill(lost)
                host.actor = self._start(host.node, host.workers)

    def _start(self, node: str, workers: int) -> Any:
        """An actor on a machine; on another one if that is gone."""
        return _Actor.options(  # type: ignore[attr-defined]
            num_cpus=workers if self._reserve_cpus else 0,
            max_concurrency=workers + 1,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=True),
        ).remote(self._kind, workers)

    def _read_info(self, host: _Host, seconds: float) -> messages.Info:
        try:
            return messages.decode_info(_check_answer(ray.get(host.actor.info.remote(), timeout=seconds), 1 << 16))
        except (ray.exceptions.RayError, ValueError) as error:
            raise SandboxError(f"an actor of the sandbox does not start: {_describe(error)}") from error


class _Host:
    """A machine of the cluster."""

    def __init__(self, node: str, workers: int, actor: Any) -> None:
        self.node = node
        self.workers = workers
        self.actor = actor
        self.busy = 0


@ray.remote(max_restarts=0)
class _Actor:
    """Runs on a machine of the cluster. Answers are bytes: what went wrong is told in them, not raised."""

    def __init__(self, kind: str, workers: int) -> None:
        self._kind = kind
        self._workers = workers
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None

    def info(self) -> bytes:
        try:
            sandbox = self._get()
            return b"\1" + messages.encode_info(messages.Info(sandbox.workers, sandbox.isolation))
        except Exception as error:
            return b"\0" + messages.encode_error(_describe(error))

    def answer(self, request: bytes) -> bytes:
        try:
            return b"\1" + answer_chunk(self._get(), request)
        except Exception as error:
            return b"\0" + messages.encode_error(_describe(error))

    def _get(self) -> Sandbox:
        from sdpo_gym.sandbox.factory import make_sandbox

        with self._lock:
            if self._sandbox is None:
                self._sandbox = make_sandbox(self._kind, workers=self._workers)
            return self._sandbox


def _check_answer(answer: Any, max_bytes: int) -> bytes:
    """What an actor has to say.

    Raises:
        SandboxError: its sandbox failed, or its answer makes no sense.
    """
    if not isinstance(answer, bytes) or not 1 <= len(answer) <= max_bytes + 1:
        raise SandboxError("an actor's answer makes no sense")
    if answer[:1] != b"\1":
        raise SandboxError(f"the sandbox of an actor failed: {messages.decode_error(answer[1:])}")
    return answer[1:]


def _weakest(reports: list[IsolationReport]) -> IsolationReport:
    """What is in force on every machine: for each kind, `none` if any has none."""

    def of_all(kind: str) -> str:
        means = [getattr(report, kind) for report in reports]
        weak = [text for text in means if text in ("none", "shared")]
        return weak[0] if weak else " or ".join(dict.fromkeys(means))

    notes = dict.fromkeys(note for report in reports for note in report.notes)
    return IsolationReport(**{kind: of_all(kind) for kind in ISOLATION}, notes=tuple(notes))


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[: messages.MAX_MESSAGE_CHARS]
