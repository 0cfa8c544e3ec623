"""One pool through many submissions, while its workers are killed."""

import contextlib
import sys

import pytest
from sandbox.hostile.world import World
from sandbox.soaking import make_submissions, soak, usage

from sdpo_gym.sandbox import LocalSandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")

SUBMISSIONS = 300
MEMORY_MB = 30.0
"""By so much the host's and a worker's memory may differ from one moment to another."""


def test_no_verdict_is_lost_or_wrong_and_nothing_leaks():
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
        assert usage().processes <= 1 + len([world.victim])
