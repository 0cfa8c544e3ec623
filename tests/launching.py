"""Starts two processes that share a run, for tests."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
LAUNCH = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", "2"]


def launch(*command):
    environment = os.environ | {"PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.run(
        [sys.executable, *LAUNCH, *map(str, command)],
        cwd=TESTS.parent, env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
