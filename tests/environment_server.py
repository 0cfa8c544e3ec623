"""Starts real servers of environments for tests."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import servers
from servers import TOKEN


def start_server(env: str, *arguments: str, port: int | str = 0) -> tuple[subprocess.Popen, str]:
    """A server of its own process, once it listens, and its address. It finds the modules of the tests."""
    tests = str(Path(__file__).parent)
    return servers.start("serve", env, *arguments, port=port, SDPO_GYM_SERVE_TOKEN=TOKEN, PYTHONPATH=tests)


@contextlib.contextmanager
def served(env: str, *arguments: str) -> Iterator[str]:
    """The address of a server that is ended afterwards."""
    process, url = start_server(env, *arguments)
    with servers.ended(process):
        yield url
