"""LiveCodeBench's releases on the Hugging Face hub. Data files are downloaded, and no code."""

from __future__ import annotations

from pathlib import Path

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
    if release not in RELEASES:
        raise ValueError(f"release must be one of {list(RELEASES)}, not {release!r}")
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "a release of LiveCodeBench comes from the Hugging Face hub: pip install 'sdpo-gym[hub]', "
            "or give its rows as a file: data=PATH"
        ) from error
    try:
        return tuple(find_file(_fetch(huggingface_hub, name)) for name in RELEASES[release])
    except OSError as error:
        from huggingface_hub.constants import HF_HUB_CACHE

        reason = str(error).strip().partition("\n")[0]
        raise ConnectionError(
            f"LiveCodeBench {release} is not in huggingface_hub's cache ({HF_HUB_CACHE}), and cannot be downloaded "
            f"({type(error).__name__}: {reason}). There are two ways out: connect to the network once, so that it is "
            "cached (several GB; HF_HUB_CACHE names the folder, which can be copied from another machine), or give a "
            "file of its rows: data=PATH"
        ) from error


def _fetch(huggingface_hub, name: str) -> Path:
    """A file of the repository. What is cached is used without asking the hub."""
    try:
        path = huggingface_hub.hf_hub_download(REPOSITORY, name, repo_type="dataset", local_files_only=True)
    except huggingface_hub.errors.LocalEntryNotFoundError:
        path = huggingface_hub.hf_hub_download(REPOSITORY, name, repo_type="dataset")
    return Path(path)
