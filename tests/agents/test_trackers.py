"""What TensorBoard's own reader finds in a run's events, and trackers that are not there or fail."""

import math
import shutil
import time

import pytest
from accelerate import PartialState
from accelerate.logging import get_logger
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker, get_available_trackers
from training import records, run

from agents import trackers
from agents.errors import UsageError

pytestmark = pytest.mark.usefixtures("one_thread")


def read_events(folder):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs the extra [trackers]"
    )
    return accumulator.EventAccumulator(str(folder / "tensorboard"), {"scalars": 0}).Reload()


def scalars(events):
    """Values by name and step, as they come."""
    return [(tag, e.step, pytest.approx(e.value)) for tag in events.Tags()["scalars"] for e in events.Scalars(tag)]


def logged(folder):
    """The same in the run's own file."""
    return [
        (f"{record['phase']}/{name}", record["step"], value)
        for record in records(folder, "metrics.jsonl")
        for name, value in record.items()
        if name != "step" and isinstance(value, (int, float)) and math.isfinite(value)
    ]


def by_name(triples):
    return sorted(triples, key=lambda triple: triple[:2])


def test_events_hold_the_metrics_and_the_settings(tiny_model, tmp_path):
    folder = run("sdpo", tiny_model, tmp_path / "run", eval_samples=1)  # so that there is no standard error
    events = read_events(folder)
    assert by_name(logged(folder)) == by_name(scalars(events))
    assert {tag.partition("/")[0] for tag in events.Tags()["scalars"]} == {"train", "evaluation"}
    settings = events.PluginTagToContent("hparams")
    assert any(b"max_new_tokens" in content for content in settings.values())


def test_resumed_events_have_no_step_twice(tiny_model, tmp_path):
    settings = {"save_every": 1, "eval_tasks": 0}
    folder = run("grpo", tiny_model, tmp_path / "run", **settings | {"steps": 2})
    shutil.copytree(folder / "checkpoint", tmp_path / "checkpoint")
    time.sleep(1.1)  # event files are read in the order of their names, which tell the second
    run("grpo", tiny_model, folder, **settings | {"steps": 4, "resume": True})
    # As after a kill in step 5, with the last checkpoint after step 2.
    shutil.rmtree(folder / "checkpoint")
    shutil.copytree(tmp_path / "checkpoint", folder / "checkpoint")
    time.sleep(1.1)
    run("grpo", tiny_model, folder, **settings | {"steps": 5, "resume": True})
    events = read_events(folder)
    assert [event.step for event in events.Scalars("train/reward")] == [1, 2, 3, 4, 5]
    assert by_name(logged(folder)) == by_name(scalars(events))


def test_none_leaves_no_events(tiny_model, tmp_path):
    folder = run("grpo", tiny_model, tmp_path / "run", steps=1, eval_tasks=0, tracker=["none"])
    assert not (folder / "tensorboard").exists()


def test_without_tensorboard_there_is_no_tracker_by_default(monkeypatch):
    monkeypatch.setattr(trackers, "get_available_trackers", lambda: ["tensorboard", "wandb"])
    assert trackers.tracker_names([]) == ["tensorboard"]
    monkeypatch.setattr(trackers, "get_available_trackers", lambda: ["wandb"])
    assert trackers.tracker_names([]) == []
    assert trackers.tracker_names(["wandb", "wandb"]) == ["wandb"]


def test_what_is_not_there_is_refused_before_anything_starts(tiny_model, tmp_path):
    installed = {str(name) for name in get_available_trackers()}
    missing = next(name for name in ("comet_ml", "aim", "clearml") if name not in installed)
    for names, message in (
        (["banana"], "no tracker 'banana'.*tensorboard.*wandb"),
        ([missing], f"--tracker {missing} is not installed: pip install {missing.replace('_', '-')}$"),
        (["none", "tensorboard"], "no other tracker"),
    ):
        with pytest.raises(UsageError, match=message):
            run("grpo", tiny_model, tmp_path / "run", tracker=names)
    assert not (tmp_path / "run").exists()


class FailingTracker(GeneralTracker):
    """Does not start, or fails from the second record on."""

    name, requires_logging_directory, tracker = "failing", False, None
    starts = True

    def __init__(self, project):
        super().__init__()
        self.records = 0

    def start(self):
        if not self.starts:
            raise RuntimeError("no API key\nand so on")

    def log(self, values, step=None):
        self.records += 1
        if self.records > 1:
            raise OSError("no network")


@pytest.fixture
def failing(monkeypatch):
    monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, "failing", FailingTracker)
    monkeypatch.setattr(trackers, "get_available_trackers", lambda: ["failing", "tensorboard"])


def test_a_tracker_that_fails_does_not_end_the_run(failing, tiny_model, tmp_path, caplog):
    pytest.importorskip("tensorboard", reason="needs the extra [trackers]")
    folder = run("grpo", tiny_model, tmp_path / "run", steps=3, eval_tasks=0, tracker=["failing", "tensorboard"])
    assert len(records(folder, "metrics.jsonl")) == 3
    assert by_name(logged(folder)) == by_name(scalars(read_events(folder)))
    warnings = [record.getMessage() for record in caplog.records if record.name == "agents"]
    assert warnings == ["the tracker failing failed and is given up: no network"]


def test_trackers_may_log_through_accelerate(failing, tmp_path, monkeypatch):
    """As those of services do when they start; accelerate's loggers raise where it keeps no state."""
    monkeypatch.setattr(FailingTracker, "start", lambda self: get_logger("accelerate").debug("started"))
    monkeypatch.setattr(PartialState, "_shared_state", {})
    with trackers.Trackers(["failing"]) as started:
        started.start(tmp_path, {}, first_step=1)


def test_a_tracker_that_does_not_start_ends_the_run(failing, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(FailingTracker, "starts", False)
    with pytest.raises(UsageError, match=r"the tracker failing does not start: no API key .*--tracker none"):
        run("grpo", tiny_model, tmp_path / "run", tracker=["failing"])
