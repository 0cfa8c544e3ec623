"""The folder of a run: its configuration, metrics, sampled rollouts and checkpoint.

config.json      the settings, and the versions of what computed
metrics.jsonl    one record per training step or evaluation
rollouts.jsonl   every sampled attempt with its feedback
checkpoint/      weights and tokenizer, in the layout of `from_pretrained`; with what else it takes to go on from there
best/            the weights that did best in an evaluation
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from agents.episode import Episode
from agents.errors import UsageError
from agents.policy.policy import Policy
from agents.processes import ALONE, Processes

STATE = "training_state.pt"
RESUMED_WITH_OTHERS = ("steps", "save_every", "resume", "output", "tracker")
"""Settings that may change when a run is resumed."""


class RunFolder:
    """Writes a run's files. Whatever keeps it from writing becomes a UsageError that says so.

    Args:
        path: The folder; made if it does not exist.
        config: The run's settings, JSON-able.
        resume: Whether the folder holds an earlier part of the run.
        processes: Those of the run; only the main one writes.

    Raises:
        UsageError: the folder holds something already, or cannot be written; or, to resume, it holds no run that can be
            gone on with, or one with other settings.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], *, resume: bool = False, processes: Processes = ALONE):
        self.path = path
        self.processes = processes
        processes.on_main(lambda: self._go_on(config) if resume else self._begin(config))

    def _begin(self, config: Mapping[str, Any]) -> None:
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise UsageError(f"the output folder {self.path} is not empty; name another one with --output")
            text = json.dumps({"config": dict(config), "versions": versions()}, indent=2, default=str)
            (self.path / "config.json").write_text(text + "\n")

    def _go_on(self, config: Mapping[str, Any]) -> None:
        settings = json.loads(json.dumps(dict(config), default=str))
        check_equal_settings(self.path, read_config(self.path), settings, besides=RESUMED_WITH_OTHERS)
        self._restore_checkpoints()
        if not (self.path / "checkpoint" / STATE).is_file():
            raise UsageError(
                f"{self.path} holds nothing to go on from: it was run without --save-every, ended too early, or was "
                "rolled back (then go on with --model on its checkpoint)"
            )

    def log_metrics(self, record: Mapping[str, Any]) -> None:
        self._append("metrics.jsonl", [record])

    def log_rollouts(self, step: int, phase: str, episodes: Iterable[Episode]) -> None:
        self._append("rollouts.jsonl", [{"step": step, "phase": phase} | episode.to_json() for episode in episodes])

    def save_checkpoint(self, policy: Policy, state: Mapping[str, Any] | None = None, name: str = "checkpoint") -> Path:
        """Write the policy to a folder, which is either the previous one or complete, never half-written.

        Args:
            state: What else it takes to go on from there, of tensors and plain values.
            name: The folder's.
        """
        target = self.path / name
        if not self.processes.is_main:
            return target
        partial, previous = target.with_suffix(".partial"), target.with_suffix(".old")
        with writing(self.path):
            shutil.rmtree(partial, ignore_errors=True)
            try:
                policy.save(partial)
                if state is not None:
                    torch.save(dict(state), partial / STATE)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            if target.exists():
                target.rename(previous)
            partial.rename(target)
            shutil.rmtree(previous, ignore_errors=True)
        return target

    def load_state(self) -> dict[str, Any]:
        """The state of the last checkpoint. Records of later steps are dropped."""
        state = torch.load(self.path / "checkpoint" / STATE, map_location="cpu", weights_only=True)
        self.processes.on_main(lambda: self._drop_records_after(state["step"]))
        return state

    def _drop_records_after(self, step: int) -> None:
        for name in ("metrics.jsonl", "rollouts.jsonl"):
            with writing(self.path):
                lines = (self.path / name).read_bytes().splitlines(keepends=True) if (self.path / name).exists() else []
                kept = [line for line in lines if line.endswith(b"\n") and json.loads(line)["step"] <= step]
                partial = self.path / f"{name}.partial"
                partial.write_bytes(b"".join(kept))
                partial.replace(self.path / name)

    def read_metrics(self, phase: str) -> list[dict[str, Any]]:
        """The records of a phase."""
        lines = (self.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [record for record in map(json.loads, lines) if record["phase"] == phase]

    def _restore_checkpoints(self) -> None:
        """Undo what a kill between two renames has left."""
        for target in (self.path / "checkpoint", self.path / "best"):
            if not target.exists() and target.with_suffix(".old").exists():
                with writing(self.path):
                    target.with_suffix(".old").rename(target)

    def _append(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        if not self.processes.is_main:
            return
        lines = "".join(json.dumps(record) + "\n" for record in records)
        with writing(self.path), open(self.path / name, "a", encoding="utf-8") as file:
            file.write(lines)


def read_config(path: Path) -> dict[str, Any]:
    """The settings of the run in a folder. Raises UsageError where there is none."""
    config = path / "config.json"
    try:
        settings = json.loads(config.read_text())["config"]
        settings.keys()
    except OSError as error:
        raise UsageError(f"{path} holds no run: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{config} does not say what run it belongs to; name another folder with --output") from error
    return settings


def check_equal_settings(
    path: Path, earlier: Mapping[str, Any], settings: Mapping[str, Any], besides: Collection[str] = ()
) -> None:
    """Raise UsageError if the settings are not those that a run began with."""
    names = sorted(name for name in earlier.keys() | settings.keys() if earlier.get(name) != settings.get(name))
    if names := [name for name in names if name not in besides]:
        differences = "; ".join(f"{name} was {earlier.get(name)!r}, is now {settings.get(name)!r}" for name in names)
        raise UsageError(
            f"{path} holds a run with other settings ({differences}); to go on with it, repeat its settings, "
            "else name another folder with --output"
        )


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
