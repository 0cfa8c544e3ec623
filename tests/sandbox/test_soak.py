"""One pool through many submissions, while its workers are killed."""

import contextlib
import os
import signal
import sys
import threading

import pytest
from sandbox.hostile.world import World
from sandbox.soaking import children, make_submissions, soak, usage, workers

from sdpo_gym.sandbox import LocalSandbox, Program, SandboxError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")

SUBMISSIONS = 300
MEMORY_MB = 30.0
"""By so much the host's and a worker's memory may differ from one moment to another."""


def test_no_verdict_is_lost_or_wrong_and_nothing_leaks():
    others = usage().processes  # this one, and what earlier tests left running
    with contextlib.closing(World()) as world, contextlib.closing(LocalSandbox(workers=2)) as fresh:
        submissions = make_submissions(world, SUBMISSIONS)
        with contextlib.closing(LocalSandbox(workers=2)) as sandbox:
            report = soak(sandbox, fresh, submissions)
        assert report.wrong == []
        assert report.kills > 0
        before, after = report.usage
        assert after.descriptors <= before.descriptors
        assert after.processes <= before.processes
        assert after.host_mb < before.host_mb + MEMORY_MB
        assert after.worker_mb < before.worker_mb + MEMORY_MB
        world.check()
        fresh.close()
        assert usage().processes <= others + len([world.victim])


def test_a_worker_that_is_hurt_while_it_starts_is_none_or_a_whole_one():
    with contextlib.closing(LocalSandbox(workers=1)) as sandbox:
        before = sandbox.isolation
        [worker] = workers(inner=False)
        others = set(children(os.getpid()))
        os.kill(worker, signal.SIGKILL)
        done = threading.Event()

        def hurt():
            while not done.is_set():
                for pid in set(children(os.getpid())) - others:
                    for child in children(pid):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(child, signal.SIGKILL)
                        return

        thread = threading.Thread(target=hurt)
        thread.start()
        with contextlib.suppress(SandboxError):
            assert sandbox.run(Program("print(1)", "stdin"), [""])[0].stdout == "1\n"
        done.set()
        thread.join()
        assert sandbox.run(Program("print(1)", "stdin"), [""])[0].stdout == "1\n"
        assert sandbox.isolation == before
