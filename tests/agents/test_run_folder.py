"""The folder of a training run: whose it is, and what is left in it when something fails."""

import io
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
import toy_env  # noqa: F401
from rich.console import Console
from training import run

from agents.errors import UsageError
from agents.evaluate.__main__ import main as evaluate
from agents.evaluate.config import EvaluateConfig
from agents.policy.load import load_policy
from agents.runs.folder import RunFolder
from agents.runs.records import read_config


def test_an_output_folder_in_use_is_left_alone(tiny_model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        run("grpo", tiny_model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_of_runs_that_begin_at_once_each_has_a_folder_of_its_own(tmp_path):
    """Also where they take the same name, as default names have seconds only."""
    barrier = threading.Barrier(8)

    def begin(number, **settings):
        barrier.wait()
        try:
            return RunFolder(tmp_path / "run", {"seed": number}, **settings).path
        except UsageError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(begin, range(8)))
        (own,) = [path for path in found if isinstance(path, Path)]
        assert sum("is not empty" in message for message in map(str, found)) == 7
        found = list(threads.map(lambda number: begin(number, numbered=True), range(8)))
    assert read_config(own)["config"]["seed"] in range(8)
    assert sorted(found) == [tmp_path / f"run-{number}" for number in range(2, 10)]
    assert [read_config(path)["config"]["seed"] for path in found] == list(range(8))


@pytest.mark.parametrize("program", ["grpo", "evaluate"])
def test_a_default_folder_that_is_taken_is_left_alone(program, tiny_model, tmp_path, monkeypatch):
    module = {"grpo": "agents.learner", "evaluate": "agents.evaluate.__main__"}[program]
    monkeypatch.setattr(f"{module}.default_output", lambda algorithm, env_id: tmp_path / algorithm)
    for _ in range(2):
        if program == "grpo":
            run("grpo", tiny_model, None, steps=1, eval_tasks=0)
        else:
            config = EvaluateConfig(env="toy/Even-v0", model=(str(tiny_model),), samples=1, max_new_tokens=4)
            evaluate(config, Console(file=io.StringIO()))
    assert sorted(path.name for path in tmp_path.iterdir()) == [program, f"{program}-2"]
    first, second = (sorted(path.name for path in folder.iterdir()) for folder in sorted(tmp_path.iterdir()))
    assert first == second


def test_an_output_folder_that_cannot_be_made(tiny_model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        run("grpo", tiny_model, tmp_path / "file" / "run")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_is_reported(tiny_model, tmp_path):
    folder = RunFolder(tmp_path / "run", {})
    (folder.path / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(UsageError, match="No space left"):
        folder.log_metrics({"step": 1})


def test_a_failed_checkpoint_leaves_the_previous_one(policy, tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run", {})
    folder.save_checkpoint(policy)

    save = policy.save

    def failing(*arguments):
        save(*arguments)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(policy, "save", failing)
    with pytest.raises(UsageError, match="No space left"):
        folder.save_checkpoint(policy)
    assert sorted(path.name for path in folder.path.iterdir()) == ["checkpoint", "config.json"]
    load_policy(str(folder.path / "checkpoint"))


@pytest.mark.parametrize("most", [1_000, 1_500_000])
def test_a_disk_that_is_full_before_a_checkpoint_is_whole(most, policy, tmp_path):
    """Weights, then the state: each has a writer of its own."""
    folder = RunFolder(tmp_path / "run", {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
        with pytest.raises(UsageError, match="cannot write to the output folder"):
            folder.save_checkpoint(policy, {"moments": torch.zeros(1_000_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in folder.path.iterdir()) == ["config.json"]


def test_a_run_of_another_program_is_not_gone_on_with(tmp_path):
    RunFolder(tmp_path / "run", {"lr": 1e-5}, program="agents.grpo")
    with pytest.raises(UsageError, match=r"a run of agents\.grpo, not of agents\.sdpo; name another folder"):
        RunFolder(tmp_path / "run", {"lr": 1e-4}, program="agents.sdpo", resume=True)


@pytest.mark.parametrize("resumed", [False, True])
def test_a_kill_while_the_previous_checkpoint_is_removed(resumed, policy, tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run", {})
    folder.save_checkpoint(policy, {"step": 1})

    def killed(path, **_):
        if Path(path).name == "checkpoint.old" and Path(path).exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("agents.runs.folder.shutil.rmtree", killed)
        folder.save_checkpoint(policy, {"step": 2})
    assert (folder.path / "checkpoint.old").exists()
    if resumed:
        folder = RunFolder(folder.path, {}, resume=True)
        assert not (folder.path / "checkpoint.old").exists()
    assert folder.load_state()["step"] == 2
    folder.save_checkpoint(policy, {"step": 3})
    assert folder.load_state()["step"] == 3
    assert sorted(path.name for path in folder.path.iterdir()) == ["checkpoint", "config.json"]


def test_a_run_that_recorded_nothing_leaves_no_folder(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="leaves no room"):
        run("grpo", tiny_model, tmp_path / "run", eval_tasks=0, max_new_tokens=5000, tracker=("tensorboard",))
    assert not (tmp_path / "run").exists()
    run("grpo", tiny_model, tmp_path / "run", eval_tasks=0)


def test_nothing_of_others_is_removed(tmp_path):
    folder = RunFolder(tmp_path / "run", {})
    (folder.path / "notes.txt").write_text("mine")
    folder.remove_unused()
    assert sorted(path.name for path in folder.path.iterdir()) == ["config.json", "notes.txt"]
