"""Fetches data files of public data sets from the Hugging Face hub. Data is downloaded, and no code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def fetch_files(repository: str, names: Sequence[str], *, what: str, size: str) -> list[Path]:
    """Files of a data set, from huggingface_hub's cache, downloaded if they are not there yet.

    Args:
        repository: The data set's id on the hub, such as `owner/name`.
        names: The files' paths in it.
        what: What the files are, for error messages.
        size: About how large they are, for error messages.

    Raises:
        ConnectionError: a file is not in the cache and cannot be downloaded.
        ImportError: huggingface_hub is not installed.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f"{what} comes from the Hugging Face hub: pip install 'sdpo-gym[hub]', or give its rows as a file: "
            "data=PATH"
        ) from error
    try:
        return [_fetch(huggingface_hub, repository, name) for name in names]
    except OSError as error:
        from huggingface_hub.constants import HF_HUB_CACHE

        reason = str(error).strip().partition("\n")[0]
        raise ConnectionError(
            f"{what} is not in huggingface_hub's cache ({HF_HUB_CACHE}), and cannot be downloaded "
            f"({type(error).__name__}: {reason}). There are two ways out: connect to the network once, so that it is "
            f"cached ({size}; HF_HUB_CACHE names the folder, which can be copied from another machine), or give a "
            "file of its rows: data=PATH"
        ) from error


def _fetch(huggingface_hub, repository: str, name: str) -> Path:
    """A file of the repository. What is cached is used without asking the hub."""
    try:
        path = huggingface_hub.hf_hub_download(repository, name, repo_type="dataset", local_files_only=True)
    except huggingface_hub.errors.LocalEntryNotFoundError:
        path = huggingface_hub.hf_hub_download(repository, name, repo_type="dataset")
    return Path(path)
