"""LiveCodeBench's releases on the Hugging Face hub."""

from __future__ import annotations

from envs.arguments import check_choice
from envs.hub import fetch_files
from envs.livecodebench.loading.files import find_file
from envs.livecodebench.loading.index import DataFile

REPOSITORY = "livecodebench/code_generation_lite"

# Each release adds a file of problems to those of the one before.
_FILES = ("test.jsonl", "test2.jsonl", "test3.jsonl", "test4.jsonl", "test5.jsonl", "test6.jsonl")
RELEASES = {f"v{n}": _FILES[:n] for n in range(1, len(_FILES) + 1)}


def release_files(release: str) -> tuple[DataFile, ...]:
    """The files of a release, from huggingface_hub's cache, downloaded if they are not there yet.

    Raises:
        ConnectionError: a file is not in the cache and cannot be downloaded.
        ImportError: huggingface_hub is not installed.
        ValueError: there is no such release.
    """
    check_choice("release", release, RELEASES)
    paths = fetch_files(REPOSITORY, RELEASES[release], what=f"LiveCodeBench {release}", size="several GB")
    return tuple(find_file(path) for path in paths)
