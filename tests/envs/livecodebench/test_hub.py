"""Releases from the hub: its real client, with a hub of our own on this machine, and with the cache alone."""

import json
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from envs.livecodebench.env import LiveCodeBenchEnv
from envs.livecodebench.loading.hub import RELEASES, REPOSITORY

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed; pip install 'sdpo-gym[hub]'")

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_each_release_adds_a_file():
    assert list(RELEASES) == ["v1", "v2", "v3", "v4", "v5", "v6"]
    assert RELEASES["v1"] == ("test.jsonl",)
    assert RELEASES["v3"] == ("test.jsonl", "test2.jsonl", "test3.jsonl")
    assert RELEASES["v6"][-1] == "test6.jsonl"


@pytest.fixture
def contents(make_row):
    """The files of the repository: one problem each."""
    return {name: json.dumps(make_row(question_id=name)) + "\n" for name in RELEASES["v6"]}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of huggingface_hub's, and no network (see tests/conftest.py)."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def fill(cache, contents, names):
    """Lay files as huggingface_hub does."""
    repository = cache / f"datasets--{REPOSITORY.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    for folder in (snapshot, repository / "blobs", repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    for name in names:
        (repository / "blobs" / name.removesuffix(".jsonl")).write_text(contents[name])
        (snapshot / name).symlink_to(repository / "blobs" / name.removesuffix(".jsonl"))


def test_a_cached_release_needs_no_network(cache, contents):
    fill(cache, contents, RELEASES["v2"])
    env = LiveCodeBenchEnv(release="v2")
    assert [task.id for task in env.tasks] == ["test.jsonl", "test2.jsonl"]
    env.reset(options={"task": "test2.jsonl"})
    assert env.step("```\ndef add(a, b): return a + b\n```")[1] == 1.0


def test_without_network_and_cache_both_ways_out_are_named(cache, contents):
    fill(cache, contents, RELEASES["v2"])
    with pytest.raises(ConnectionError) as caught:
        LiveCodeBenchEnv(release="v6")
    message = str(caught.value)
    for words in ("LiveCodeBench v6", str(cache), "connect to the network once", "HF_HUB_CACHE", "data=PATH"):
        assert words in message
    with pytest.raises(ConnectionError):
        LiveCodeBenchEnv(preset="sdpo-paper")


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'sdpo-gym\[hub\]', or give its rows as a file: data=PATH"):
        LiveCodeBenchEnv(release="v6")


@pytest.mark.parametrize("release", ["v0", "v7", "release_v6", 6])
def test_unknown_releases(release):
    with pytest.raises(ValueError, match=r"release must be one of \['v1', .*'v6'\]"):
        LiveCodeBenchEnv(release=release)


class Hub(BaseHTTPRequestHandler):
    """Answers what huggingface_hub asks about a file, and remembers it."""

    def __init__(self, contents, asked, *args):
        self.contents = contents
        self.asked = asked
        super().__init__(*args)

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.wfile.write(self.answer())

    def answer(self):
        self.asked.append((self.command, self.path))
        prefix = f"/datasets/{REPOSITORY}/resolve/main/"
        data = self.contents.get(self.path.removeprefix(prefix), "").encode()
        self.send_response(200 if data else 404)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{len(data)}{self.path[-9:]}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        return data

    def log_message(self, *args):
        pass


SCRIPT = """
from envs.livecodebench.env import LiveCodeBenchEnv
print([task.id for task in LiveCodeBenchEnv(release="v3").tasks])
"""


def test_a_release_is_downloaded_once(tmp_path, contents):
    asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, contents, asked))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables = {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
    }

    def run():
        command = [sys.executable, "-c", SCRIPT]
        return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=120)

    try:
        first = run()
        assert first.stdout == "['test.jsonl', 'test2.jsonl', 'test3.jsonl']\n", first.stderr
        names = {path.rpartition("/")[2] for _, path in asked}
        assert names >= set(RELEASES["v3"]) and not any(name.endswith(".py") for name in names)
    finally:
        server.shutdown()
        server.server_close()
    assert run().stdout == first.stdout
