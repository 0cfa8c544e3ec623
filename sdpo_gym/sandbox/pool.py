"""A sandbox made of worker processes, wherever they run: it lends them out, and replaces those that are lost."""

from __future__ import annotations

import threading
import time
import weakref
from abc import abstractmethod
from collections.abc import Iterator, Sequence

from sdpo_gym.sandbox.forks import tell_of_forks
from sdpo_gym.sandbox.protocol import (
    Accept,
    IsolationReport,
    Limits,
    Program,
    RunResult,
    Sandbox,
    SandboxError,
    Stop,
    check_request,
    next_inputs,
)
from sdpo_gym.sandbox.worker import wire
from sdpo_gym.sandbox.worker_process import MAX_BATCH, WorkerLost, WorkerProcess

BATCH_CHARS = 1 << 15
"""Characters of input in a batch of more than one. It is less where little output is allowed: the limit of the size of
files holds for the inputs as well."""

PROCESS_SECONDS = 0.01
"""What a process of its own costs, about, in CPU time. A run that takes longer is better not made in vain."""


class WorkerPool(Sandbox):
    """Runs programs in worker processes that are started when they are needed.

    Safe to use from several threads, and after a fork, where the new process starts workers of its own.
    Subclasses say how a worker is started.
    """

    def __init__(self, workers: int) -> None:
        """Make a pool; no process is started yet.

        Args:
            workers: How many programs run at the same time.

        Raises:
            ValueError: `workers` is less than one.
        """
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self.workers = workers
        self._closed = False
        self._isolation: IsolationReport | None = None
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._make_locks()
        self._close_workers = weakref.finalize(self, _close_workers, self._idle, self._busy)
        tell_of_forks(self)

    @abstractmethod
    def _start_worker(self) -> WorkerProcess:
        """Start one worker.

        Raises:
            SandboxError: it cannot be started.
        """

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
            ValueError: the program, an input or a limit makes no sense.
        """
        check_request(program, limits)
        results: list[RunResult] = []
        with self._free:
            submission = _Submission(self, program, inputs, limits, accept)
            try:
                for index, result in submission.results():
                    results[index:] = [result]
                    if stop is not None and stop(index, result):
                        break
            finally:
                submission.end()
        return results

    def _take(self) -> WorkerProcess:
        with self._lock:
            self._check_open()
            worker = self._idle.pop() if self._idle else None
            if worker is not None:
                self._busy.add(worker)
        if worker is not None:
            try:
                worker.end_program()  # whether it is still there
                return worker
            except WorkerLost:
                self._drop(worker)
                return self._take()
            except BaseException:  # an interrupt
                self._drop(worker)
                raise
        worker = self._start_worker()
        with self._lock:
            if not self._closed:
                self._busy.add(worker)
                self._isolation = worker.isolation
                return worker
        worker.close()
        self._check_open()
        raise AssertionError("unreachable")

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._busy.discard(worker)
            if not self._closed:
                self._idle.append(worker)
                return
        worker.close()  # `close` may have found it neither idle nor busy

    def _drop(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.close()

    @property
    def isolation(self) -> IsolationReport:
        """What is in force. Starts a worker to find out, if none was started yet."""
        if self._isolation is None:
            with self._free:
                self._give_back(self._take())
        assert self._isolation is not None
        return self._isolation

    def close(self) -> None:
        """End all worker processes; runs in other threads raise SandboxError."""
        with self._lock:
            self._closed = True  # from here on, no worker is added
        self._close_workers()

    @property
    def closed(self) -> bool:
        return self._closed

    def _make_locks(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self.workers)

    def _after_fork(self) -> None:
        for worker in (*self._idle, *self._busy):
            worker.forget()
        self._idle.clear()
        self._busy.clear()
        self._make_locks()


class _Submission:
    """One program's way through its inputs, on one worker as long as that lives."""

    def __init__(
        self, pool: WorkerPool, program: Program, inputs: Sequence[str], limits: Limits, accept: Accept | None
    ) -> None:
        self._pool = pool
        self._program = program
        self._inputs = inputs
        self._limits = limits
        self._accept = accept
        self._worker: WorkerProcess | None = None
        self._share = accept is not None
        # What counts to the limit of all inputs together: not the judge, nor workers that start or are lost.
        self._seconds = self._waited = 0.0

    def results(self) -> Iterator[tuple[int, RunResult]]:
        """Indices and results, in order. Where they begin anew, the earlier ones do not count."""
        most = min(BATCH_CHARS, self._limits.output_bytes // 8)
        most_runs = MAX_BATCH
        index, size, alone, ahead = 0, 1, False, False
        while index < len(self._inputs):
            share = self._share and not alone
            end = index + (min(size, most_runs) if share else 1)
            texts = next_inputs(self._program, self._inputs, index, end, most)
            # A process that has seen inputs to which it did not come could spend the time for one on the others.
            results = self._run(texts, fresh=not share or ahead)
            ahead = len(results) < len(texts)
            if ahead and results[-1].status == "ok":
                most_runs = max(len(results) * 3 // 4, 1)
            for text, result in zip(texts, results, strict=False):
                result, good = self._settle(index, text, result)
                if share and not self._share:
                    # Else it could tell a test that failed by being run alone, and guess again there.
                    index, self._seconds, self._waited = 0, 0.0, 0.0
                    break
                yield index, result
                index += 1
                # The first input is alone, as is one behind a failure: most programs that fail, fail there, and a
                # failure counts at once only if the process has run nothing else.
                size = MAX_BATCH if good else 1
                # Where one fails, the next fails most often, and is run twice if it shares a process.
                alone = not good and result.cpu_seconds > PROCESS_SECONDS

    def _settle(self, index: int, text: str, result: RunResult) -> tuple[RunResult, bool]:
        """This result, or that of another run where it does not count; and whether it is accepted."""
        if self._is_good(index, result):
            return result, True
        if self._accept is None or result.fresh:
            return result, False
        [again] = self._run([text], fresh=True)
        good = self._is_good(index, again)
        # If what the process had run before made the difference, this program does not bear sharing.
        self._share = not good
        return again, good

    def _is_good(self, index: int, result: RunResult) -> bool:
        return self._accept is not None and result.status == "ok" and self._accept(index, result)

    def end(self) -> None:
        """Give the worker back, without the program's process."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        try:
            worker.end_program()
        except WorkerLost:
            self._pool._drop(worker)
        except BaseException:  # an interrupt
            self._pool._drop(worker)
            raise
        else:
            self._pool._give_back(worker)

    def _run(self, texts: Sequence[str], *, fresh: bool) -> list[RunResult]:
        for last_try in (False, True):
            left = self._limits.total_wall_seconds - wire.charged(self._seconds, self._waited)
            if left <= 0:
                return [RunResult("not_run")]
            try:
                if self._worker is None:
                    self._worker = self._pool._take()
                    self._worker.begin_program(self._program, self._limits)
                begun = time.monotonic()
                results = self._worker.run(texts, min(left, self._limits.wall_limit), fresh=fresh)
                self._seconds += time.monotonic() - begun
                self._waited += sum(result.waited_seconds for result in results)
                return results
            except WorkerLost as error:
                self._drop_worker()
                if last_try:
                    raise SandboxError(f"lost two sandbox workers in a row: {error}") from error
            except SandboxError:  # no worker could be started
                if last_try or self._pool.closed:
                    raise
            except BaseException:
                self._drop_worker()  # it may still be at work
                raise
        raise AssertionError("unreachable")

    def _drop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._pool._drop(worker)


def _close_workers(idle: list[WorkerProcess], busy: set[WorkerProcess]) -> None:
    workers = [*idle, *busy]
    idle.clear()
    busy.clear()
    for worker in workers:
        worker.close()
