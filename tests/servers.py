"""Starts servers for tests: `sdpo-gym`'s, in processes of their own, and HTTP servers of a test's, in threads."""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import subprocess
import sys
import threading
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


@contextlib.contextmanager
def answering(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """Host and port of a server that answers with this handler, silently."""
    handler.log_message = lambda *arguments: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
