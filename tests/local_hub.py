"""An imitation of the Hugging Face hub on this machine, for huggingface_hub's real client."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def fill_cache(cache: Path, repository: str, contents: Mapping[str, str]) -> None:
    """Lay a data set's files into a cache as huggingface_hub does."""
    folder = cache / f"datasets--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / COMMIT
    for path in (snapshot, folder / "blobs", folder / "refs"):
        path.mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    for number, (name, content) in enumerate(contents.items()):
        blob = folder / "blobs" / f"blob{number}"
        blob.write_text(content)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blob)


class _Handler(BaseHTTPRequestHandler):
    """Answers what huggingface_hub asks about a file, and remembers it."""

    def __init__(self, repository, contents, asked, *args):
        self.prefix = f"/datasets/{repository}/resolve/main/"
        self.contents = contents
        self.asked = asked
        super().__init__(*args)

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.wfile.write(self.answer())

    def answer(self):
        self.asked.append(self.path)
        data = self.contents.get(self.path.removeprefix(self.prefix), "").encode()
        self.send_response(200 if data else 404)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{len(data)}{self.path[-9:]}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        return data

    def log_message(self, *args):
        pass


@contextmanager
def serve_hub(repository: str, contents: Mapping[str, str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    """A hub that has one data set. Yields the environment variables that point a process at it, and what it is asked.

    The cache is not among the variables: set HF_HUB_CACHE as well.
    """
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, repository, contents, asked))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables = {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
    }
    try:
        yield variables, asked
    finally:
        server.shutdown()
        server.server_close()
