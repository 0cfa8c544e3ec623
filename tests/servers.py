"""Starts `sdpo-gym`'s servers, in processes of their own, for tests."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator

TOKEN = "a-token-for-tests-alone"


def start(*words: str, port: int | str = 0, **environment: str) -> tuple[subprocess.Popen, str]:
    """The server that a command starts, once it listens, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sdpo_gym.cli", *words, "--port", str(port)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    found = re.search(r"https?://\S+", line)
    if found is None:
        process.kill()
        process.wait()
        raise RuntimeError(f"the server did not start: {line!r}")
    return process, found[0]


@contextlib.contextmanager
def ended(process: subprocess.Popen) -> Iterator[None]:
    """Ends the server afterwards."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
