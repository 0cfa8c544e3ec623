"""Releases from the hub: its real client, with a hub of our own on this machine, and with the cache alone."""

import json
import os
import subprocess
import sys

import pytest
from local_hub import fill_cache, serve_hub

from envs.livecodebench.env import LiveCodeBenchEnv
from envs.livecodebench.loading.hub import RELEASES, REPOSITORY

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed; pip install 'sdpo-gym[hub]'")


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
    fill_cache(cache, REPOSITORY, {name: contents[name] for name in names})


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


SCRIPT = """
from envs.livecodebench.env import LiveCodeBenchEnv
print([task.id for task in LiveCodeBenchEnv(release="v3").tasks])
"""


def test_a_release_is_downloaded_once(tmp_path, contents):
    with serve_hub(REPOSITORY, contents) as (variables, asked):
        variables = os.environ | variables | {"HF_HUB_CACHE": str(tmp_path / "hub")}

        def run():
            command = [sys.executable, "-c", SCRIPT]
            return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120)

        first = run()
        assert first.stdout == "['test.jsonl', 'test2.jsonl', 'test3.jsonl']\n", first.stderr
        names = {path.rpartition("/")[2] for path in asked}
        assert names >= set(RELEASES["v3"]) and not any(name.endswith(".py") for name in names)
    assert run().stdout == first.stdout
