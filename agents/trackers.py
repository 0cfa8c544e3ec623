"""Metrics of a run, sent to TensorBoard, Weights & Biases and the like while it goes, through accelerate's trackers."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from accelerate import PartialState
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker, TensorBoardTracker, get_available_trackers

from agents.errors import UsageError, first_line
from agents.runs.interrupt import held

NONE = "none"
DEFAULT = "tensorboard"
PROJECT = "sdpo-gym"
"""What services call the project that a run belongs to."""

PACKAGES = {"comet_ml": "comet-ml"}
"""Packages that are not called like their tracker."""

_log = logging.getLogger("agents")


def tracker_names(chosen: Sequence[str]) -> list[str]:
    """The trackers of a run: those chosen, or TensorBoard where it is installed.

    Raises:
        UsageError: one is unknown or not installed.
    """
    installed = {str(name) for name in get_available_trackers()}
    if importlib.util.find_spec("tensorboard") is None:
        installed.discard("tensorboard")  # accelerate counts tensorboardX
    if not chosen:
        return [DEFAULT] if DEFAULT in installed else []
    if NONE in chosen:
        if len(set(chosen)) > 1:
            raise UsageError(f"--tracker {NONE} goes with no other tracker")
        return []
    for name in chosen:
        if name not in LOGGER_TYPE_TO_CLASS:
            raise UsageError(
                f"there is no tracker {name!r}; --tracker takes {', '.join(sorted(LOGGER_TYPE_TO_CLASS))} or {NONE}"
            )
        if name not in installed:
            raise UsageError(f"--tracker {name} is not installed: pip install {PACKAGES.get(name, name)}")
    return list(dict.fromkeys(chosen))


class Trackers:
    """Sends on the records of `metrics.jsonl`. Use it as a context manager around a run.

    Once started, a tracker that fails is given up with a warning: the run goes on, and its folder holds everything.

    Args:
        names: What `tracker_names` returns.
    """

    def __init__(self, names: Sequence[str]):
        self._names = names
        self._trackers: list[GeneralTracker] = []

    def start(self, folder: Path, settings: Mapping[str, Any], first_step: int) -> None:
        """Begin.

        Args:
            folder: The run's; its name is the run's.
            settings: Hyper-parameters.
            first_step: The step that will be logged next. If it is not the first, TensorBoard forgets later ones, and
                Weights & Biases and Trackio go on with their run; other trackers begin another.

        Raises:
            UsageError: a tracker does not start.
        """
        values = {name: _simple(value) for name, value in settings.items()}
        for name in self._names:
            try:
                PartialState()  # accelerate's trackers do not log without one
                tracker = _make(name, folder, first_step)
                tracker.start()
                self._trackers.append(tracker)
                if name != "tensorboard":
                    tracker.store_init_configuration(values)
                elif first_step == 1:
                    with held():
                        _write_hyperparameters(tracker, values)
            except Exception as error:  # of a package that is not ours, or of the service behind it
                raise UsageError(
                    f"the tracker {name} does not start: {first_line(error)} (--tracker {NONE} does without)"
                ) from error

    def log(self, record: Mapping[str, Any]) -> None:
        """Send on the finite numbers of a record, called `PHASE/NAME`, with its step."""
        values = {
            f"{record['phase']}/{name}": value
            for name, value in record.items()
            if name != "step" and isinstance(value, (int, float)) and math.isfinite(value)
        }
        for tracker in list(self._trackers) if values else ():
            with held():  # TensorBoard's has a thread that reads a queue
                self._attempt(tracker, partial(tracker.log, values, step=record["step"]))

    def close(self) -> None:
        for tracker in list(self._trackers):
            self._attempt(tracker, tracker.finish)
        self._trackers = []

    def __enter__(self) -> Trackers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _attempt(self, tracker: GeneralTracker, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:
            self._trackers.remove(tracker)
            _log.warning("the tracker %s failed and is given up: %s", tracker.name, first_line(error))


def _make(name: str, folder: Path, first_step: int) -> GeneralTracker:
    resumed, run = first_step > 1, folder.resolve().name
    if name == "tensorboard":
        return TensorBoardTracker("tensorboard", folder, purge_step=first_step if resumed else None)
    if name == "wandb":
        # A folder called latest-run links to one whose name ends in the run's id.
        latest = folder / "wandb" / "latest-run"
        again = (
            {"id": latest.resolve().name.rpartition("-")[2], "resume": "allow"} if resumed and latest.exists() else {}
        )
        project = os.environ.get("WANDB_PROJECT", PROJECT)
        return LOGGER_TYPE_TO_CLASS[name](project, dir=str(folder), name=run, **again)
    if name == "trackio":
        return LOGGER_TYPE_TO_CLASS[name](PROJECT, name=run, resume="allow" if resumed else "never")
    tracker_type = LOGGER_TYPE_TO_CLASS[name]
    return tracker_type(PROJECT, *([folder] if tracker_type.requires_logging_directory else []))


def _simple(value: Any) -> bool | int | float | str:
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _write_hyperparameters(tracker: TensorBoardTracker, values: Mapping[str, Any]) -> None:
    """Into the run's own event file; what accelerate does would make a run of its own for them."""
    from torch.utils.tensorboard.summary import hparams

    for summary in hparams(dict(values), {"evaluation/success_rate": 0.0, "train/success_rate": 0.0}):
        tracker.writer.file_writer.add_summary(summary)
    tracker.writer.flush()
