"""Starts real servers of environments for tests."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

TOKEN = "a-token-for-tests-alone"


def start_server(env: str, *arguments: str, port: int | str = 0) -> tuple[subprocess.Popen, str]:
    """A server of its own process, once it listens, and its address. It finds the modules of the tests."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sdpo_gym.cli", "serve", env, "--port", str(port), *arguments],
        env={**os.environ, "SDPO_GYM_SERVE_TOKEN": TOKEN, "PYTHONPATH": str(Path(__file__).parent)},
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
def served(env: str, *arguments: str):
    """The address of a server that is ended afterwards."""
    process, url = start_server(env, *arguments)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
