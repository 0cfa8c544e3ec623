"""The folder of a run: its configuration, metrics, sampled rollouts and checkpoint.

config.json      format, program, settings, and the versions of what computed
metrics.jsonl    one record per training step or evaluation
rollouts.jsonl   every sampled attempt with its feedback
credit.jsonl     of some attempts, what each token was credited with
checkpoint/      weights and tokenizer, in the layout of `from_pretrained`; with what else it takes to go on from there
best/            the weights that did best in an evaluation

docs/run-folder.md describes the fields, agents/runs/load.py reads them.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from agents.config import ENGINE_PLACES
from agents.episode import Episode
from agents.errors import UsageError
from agents.policy.policy import Policy
from agents.policy.sharding import whole, whole_weights
from agents.processes import ALONE, Processes
from agents.runs.load import rollout_id
from agents.runs.records import check_equal_settings, check_same_program, config_text, keep_records, read_config

STATE = "training_state.pt"
RESUMED_WITH_OTHERS = ("steps", "save_every", "resume", "shard", "output", "tracker", "credit_samples", *ENGINE_PLACES)
"""Settings that may change when a run is resumed."""


class RunFolder:
    """Writes a run's files. Whatever keeps it from writing becomes a UsageError that says so.

    Args:
        path: The folder; made if it does not exist.
        config: The run's settings, JSON-able.
        program: What writes it, such as `agents.sdpo`; not needed to resume.
        resume: Whether the folder holds an earlier part of the run.
        numbered: Whether to take another name where the folder is taken; see `claim`.
        processes: Those of the run; only the main one writes.

    Raises:
        UsageError: the folder holds something already, or cannot be written; or, to resume, it holds no run that can be
            gone on with, or one with other settings.
    """

    def __init__(
        self,
        path: Path,
        config: Mapping[str, Any],
        *,
        program: str = "",
        resume: bool = False,
        numbered: bool = False,
        processes: Processes = ALONE,
    ):
        self.path = path
        self.processes = processes
        if resume:
            processes.on_main(lambda: self._go_on(program, config))
        else:
            self.path = processes.on_main(lambda: claim(path, config_text(program, config), numbered=numbered))

    def _go_on(self, program: str, config: Mapping[str, Any]) -> None:
        known = read_config(self.path)
        check_same_program(self.path, known["program"], program)
        settings = json.loads(json.dumps(dict(config), default=str))
        check_equal_settings(self.path, known["config"], settings, besides=RESUMED_WITH_OTHERS)
        self._restore_checkpoints()
        if not (self.path / "checkpoint" / STATE).is_file():
            raise UsageError(
                f"{self.path} holds nothing to go on from: it was run without --save-every, ended too early, or was "
                "rolled back (then go on with --model on its checkpoint)"
            )

    def log_metrics(self, record: Mapping[str, Any]) -> None:
        self._append("metrics.jsonl", [record])

    def log_rollouts(
        self, step: int, phase: str, episodes: Sequence[Episode], credit: Mapping[int, Mapping[str, Any]] | None = None
    ) -> None:
        """Write down attempts, and what the tokens of some were credited with.

        Args:
            episodes: All of this phase and step.
            credit: Records by the attempts' places in `episodes`.
        """
        ids = [rollout_id(phase, step, place) for place in range(len(episodes))]
        rollouts = zip(ids, episodes, strict=True)
        self._append("rollouts.jsonl", [{"id": i, "step": step, "phase": phase} | e.to_json() for i, e in rollouts])
        if credit:
            self._append("credit.jsonl", [{"rollout": ids[i], "step": step, **credit[i]} for i in sorted(credit)])

    def remove_unused(self) -> None:
        """Remove the folder of a run that recorded nothing, so that the same command can be given again."""
        if self.processes.is_main and {path.name for path in self.path.iterdir()} <= {"config.json", "tensorboard"}:
            with writing(self.path):
                shutil.rmtree(self.path)

    def save_checkpoint(self, policy: Policy, state: Mapping[str, Any] | None = None, name: str = "checkpoint") -> Path:
        """Write the policy to a folder, which is either the previous one or complete, never half-written.

        All processes call this together.

        Args:
            state: What else it takes to go on from there, of tensors and plain values.
            name: The folder's.
        """
        target = self.path / name
        weights = whole_weights(policy)
        state = whole(state)
        if not self.processes.is_main:
            return target
        partial, previous = target.with_suffix(".partial"), target.with_suffix(".old")
        with writing(self.path):
            shutil.rmtree(partial, ignore_errors=True)
            try:
                policy.save(partial, weights)
                if state is not None:
                    torch.save(dict(state), partial / STATE)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            if target.exists():
                shutil.rmtree(previous, ignore_errors=True)  # of a save that was killed before it had removed it
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
        for name in ("metrics.jsonl", "rollouts.jsonl", "credit.jsonl"):
            with writing(self.path):
                keep_records(self.path / name, lambda record: record["step"] <= step)

    def _restore_checkpoints(self) -> None:
        """Undo what a kill in `save_checkpoint` has left."""
        for target in (self.path / "checkpoint", self.path / "best"):
            previous = target.with_suffix(".old")
            with writing(self.path):
                if target.exists():
                    shutil.rmtree(previous, ignore_errors=True)
                elif previous.exists():
                    previous.rename(target)

    def _append(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        if not self.processes.is_main:
            return
        lines = "".join(json.dumps(record) + "\n" for record in records)
        with writing(self.path), open(self.path / name, "a", encoding="utf-8") as file:
            file.write(lines)


def claim(path: Path, config: str, *, numbered: bool = False) -> Path:
    """Make a folder a run's own by writing its `config.json`; of several runs that try this at once, one succeeds.

    Args:
        path: The folder, new or empty.
        config: The file's content.
        numbered: Whether to try the folder's name with -2, -3, … where it is taken.

    Returns:
        The folder.

    Raises:
        UsageError: the folder is taken, or cannot be written.
    """
    for number in itertools.count(1):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not any(folder.iterdir()):
                with contextlib.suppress(FileExistsError), open(folder / "config.json", "x", encoding="utf-8") as file:
                    file.write(config)
                    return folder
        if not numbered:
            raise UsageError(f"the output folder {folder} is not empty; name another one with --output")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """What keeps the block from writing to the folder `path` becomes a UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write to the output folder {path}: {error}") from error
    except Exception as error:
        # How safetensors, tokenizers and torch report a full disk.
        if type(error) is Exception or type(error).__name__ == "SafetensorError" or "inline_container" in str(error):
            raise UsageError(f"cannot write to the output folder {path}: {error}") from error
        raise


def default_output(algorithm: str, env_id: str) -> Path:
    """The name of a new folder unless it is taken: algorithm, environment and the time of the start."""
    name = env_id.rpartition("/")[2].lower()
    return Path("runs") / f"{algorithm}-{name}-{datetime.now():%Y%m%d-%H%M%S}"
