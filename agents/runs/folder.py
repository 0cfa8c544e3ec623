"""The folder of a run: its configuration, metrics, sampled rollouts and checkpoint.

config.json      the settings, and the versions of what computed
metrics.jsonl    one record per training step or evaluation
rollouts.jsonl   every sampled attempt with its feedback
checkpoint/      weights and tokenizer, in the layout of `from_pretrained`
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from agents.episode import Episode
from agents.errors import UsageError
from agents.policy.policy import Policy


class RunFolder:
    """Writes a run's files. Whatever keeps it from writing becomes a UsageError that says so.

    Args:
        path: The folder; made if it does not exist.
        config: The run's settings, JSON-able.

    Raises:
        UsageError: the folder holds something already, or cannot be written.
    """

    def __init__(self, path: Path, config: Mapping[str, Any]):
        self.path = path
        with writing(self.path):
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise UsageError(f"the output folder {path} is not empty; name another one with --output")
            text = json.dumps({"config": dict(config), "versions": versions()}, indent=2, default=str)
            (path / "config.json").write_text(text + "\n")

    def log_metrics(self, record: Mapping[str, Any]) -> None:
        self._append("metrics.jsonl", [record])

    def log_rollouts(self, step: int, phase: str, episodes: Iterable[Episode]) -> None:
        self._append("rollouts.jsonl", [{"step": step, "phase": phase} | episode.to_json() for episode in episodes])

    def save_checkpoint(self, policy: Policy) -> Path:
        """Write the policy to `checkpoint/`, which is either the previous one or complete, never half-written."""
        target = self.path / "checkpoint"
        partial, previous = target.with_suffix(".partial"), target.with_suffix(".old")
        with writing(self.path):
            shutil.rmtree(partial, ignore_errors=True)
            try:
                policy.save(partial)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            if target.exists():
                target.rename(previous)
            partial.rename(target)
            shutil.rmtree(previous, ignore_errors=True)
        return target

    def _append(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        lines = "".join(json.dumps(record) + "\n" for record in records)
        with writing(self.path), open(self.path / name, "a", encoding="utf-8") as file:
            file.write(lines)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """What keeps the block from writing to the folder `path` becomes a UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write to the output folder {path}: {error}") from error
    except Exception as error:
        # safetensors reports a full disk with an exception class of its own.
        if type(error).__name__ == "SafetensorError":
            raise UsageError(f"cannot write to the output folder {path}: {error}") from error
        raise


def default_output(algorithm: str, env_id: str) -> Path:
    """A new folder's name: algorithm, environment and the time of the start."""
    name = env_id.rpartition("/")[2].lower()
    return Path("runs") / f"{algorithm}-{name}-{datetime.now():%Y%m%d-%H%M%S}"


def versions() -> dict[str, str]:
    names = ("sdpo-gym", "gymnasium", "torch", "transformers", "accelerate", "numpy")
    found = {"python": platform.python_version()}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
