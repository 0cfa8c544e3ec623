"""Starts real sandbox servers for tests."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

import servers
from servers import TOKEN


def start_server(*arguments: str, port: int = 0) -> tuple[subprocess.Popen, str]:
    """A server of its own process, once it listens, and its address."""
    return servers.start("sandbox", "serve", *arguments, port=port, SDPO_GYM_SANDBOX_TOKEN=TOKEN)


@contextlib.contextmanager
def served(*arguments: str) -> Iterator[str]:
    """The address of a server that is ended afterwards."""
    process, url = start_server(*arguments)
    with servers.ended(process):
        yield url
