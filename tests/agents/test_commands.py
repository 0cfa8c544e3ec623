"""Whole runs: through `train`, and through the commands as users type them."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy_env  # noqa: F401
from conftest import save_tiny_model
from rich.console import Console

from agents.errors import UsageError
from agents.grpo.__main__ import main as grpo
from agents.grpo.config import GRPOConfig
from agents.policy.load import load_policy
from agents.runs.folder import RunFolder
from agents.sdpo.__main__ import main as sdpo
from agents.sdpo.config import SDPOConfig

ROOT = Path(__file__).parents[2]
SMALL = {
    "env": "toy/Even-v0",
    "tasks_per_step": 2,
    "group_size": 4,
    "max_new_tokens": 8,
    "steps": 2,
    "lr": 1e-3,
    "eval_tasks": 2,
    "eval_samples": 2,
    "eval_every": 1,
    "device": "cpu",
    "precision": "fp32",
}
ALGORITHMS = {"grpo": (GRPOConfig, grpo), "sdpo": (SDPOConfig, sdpo)}


def run(algorithm, tiny_model, output, **settings):
    config_type, main = ALGORITHMS[algorithm]
    main(config_type(**SMALL | {"model": str(tiny_model), "output": output} | settings))
    return output


def records(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def command(algorithm, *arguments, **kwargs):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests"), "COLUMNS": "120"}
    return subprocess.Popen(
        [sys.executable, "-m", f"agents.{algorithm}", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


def finish(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_run_leaves_metrics_rollouts_and_a_checkpoint(algorithm, tiny_model, tmp_path):
    folder = run(algorithm, tiny_model, tmp_path / "run")
    metrics = records(folder, "metrics.jsonl")
    assert [r["step"] for r in metrics if r["phase"] == "train"] == [1, 2]
    assert [r["step"] for r in metrics if r["phase"] == "evaluation"] == [0, 1, 2]
    assert any(r["phase"] == "preflight" for r in metrics) == (algorithm == "sdpo")
    rollouts = records(folder, "rollouts.jsonl")
    assert len([r for r in rollouts if r["phase"] == "train"]) == 2 * 2 * 4
    failed = next(r for r in rollouts if not r["success"])
    assert "odd number" in failed["turns"][0]["feedback"]
    config = json.loads((folder / "config.json").read_text())
    assert config["config"]["lr"] == 1e-3 and "torch" in config["versions"]
    before, after = load_policy(str(tiny_model)), load_policy(str(folder / "checkpoint"))
    changed = [not a.equal(b) for a, b in zip(before.model.parameters(), after.model.parameters(), strict=True)]
    assert any(changed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_gives_the_same_run(algorithm, tiny_model, tmp_path):
    settings = {"eval_every": 2, "seed": 3}
    first = run(algorithm, tiny_model, tmp_path / "1", **settings)
    again = run(algorithm, tiny_model, tmp_path / "2", **settings)
    other = run(algorithm, tiny_model, tmp_path / "3", **settings | {"seed": 4})
    assert (first / "rollouts.jsonl").read_text() == (again / "rollouts.jsonl").read_text()
    assert (first / "rollouts.jsonl").read_text() != (other / "rollouts.jsonl").read_text()
    weights = [(folder / "checkpoint" / "model.safetensors").read_bytes() for folder in (first, again)]
    assert weights[0] == weights[1]


def test_a_learning_rate_of_zero_is_a_control(tiny_model, tmp_path):
    folder = run("sdpo", tiny_model, tmp_path / "run", lr=0.0)
    before, after = load_policy(str(tiny_model)), load_policy(str(folder / "checkpoint"))
    for a, b in zip(before.model.parameters(), after.model.parameters(), strict=True):
        assert a.equal(b)
    rates = [r["success_rate"] for r in records(folder, "metrics.jsonl") if r["phase"] == "evaluation"]
    assert len(set(rates)) == 1


def test_environments_of_others_and_several_turns(tiny_model, tmp_path):
    run("grpo", tiny_model, tmp_path / "plain", env="toy_env:toy/Plain-v0", steps=1)
    folder = run("sdpo", tiny_model, tmp_path / "turns", env_arg=["max_turns=3"], context="both", steps=1)
    assert max(len(r["turns"]) for r in records(folder, "rollouts.jsonl")) > 1


@pytest.mark.parametrize(
    "settings",
    [
        {"reprompt": "paper", "context": "both", "divergence": "jsd"},
        {"context": "feedback", "divergence": "forward_kl", "top_k": 0, "teacher": "frozen"},
        {"level": "token", "teacher": "live", "exclude_own_success": True, "aggregation": "sequence"},
        {"context": "demonstration-else-feedback", "tail": False, "minibatches": 2, "eval_tasks": 0},
    ],
)
def test_variants_of_sdpo(settings, tiny_model, tmp_path):
    folder = run("sdpo", tiny_model, tmp_path / "run", **settings | {"steps": 1})
    (step,) = [r for r in records(folder, "metrics.jsonl") if r["phase"] == "train"]
    assert step["learned_fraction"] > 0 and step["grad_norm"] > 0


def test_a_preflight_without_gain_warns(tiny_model, tmp_path):
    """A random model gains nothing from a context on a coin toss; over many attempts the gap is near zero."""
    from agents.learner import train
    from agents.sdpo.algorithm import SDPO
    from agents.sdpo.preflight import Gap, report_gaps

    console = Console(record=True, width=120, file=io.StringIO())
    config = SDPOConfig(**SMALL | {"model": str(tiny_model), "output": tmp_path / "run", "steps": 0})
    train(config, lambda policy, console: SDPO(config, policy, console), console)
    assert "Pre-flight" in console.export_text()
    for gap, warns in ((Gap("both", 8, 0.5, 0.4), True), (Gap("both", 8, 0.4, 0.5), False)):
        report_gaps([gap], "both", "chat", console)
        assert ("warning" in console.export_text()) == warns
    nan = float("nan")
    report_gaps([Gap("both", 0, nan, nan)], "both", "chat", console)
    assert "nothing to show" in console.export_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"group_size": 0}, "--group-size"),
        ({"lr": -1.0}, "--lr"),
        ({"temperature": 0.0}, "--temperature"),
        ({"top_p": 1.5}, "--top-p"),
        ({"minibatches": 9}, "--minibatches"),
        ({"ema_rate": 2.0}, "--ema-rate"),
        ({"level": "token", "divergence": "jsd"}, "--level token"),
        ({"jsd_alpha": 1.0}, "--jsd-alpha"),
        ({"env": "sdpo/Nothing-v0"}, "sdpo/Nothing-v0"),
        ({"env": "toy/Numbers-v0"}, "not a text environment"),
        ({"env_arg": ["nothing"]}, "key=value"),
        ({"model": "./no/model"}, "no/model"),
        ({"max_new_tokens": 5000}, "leaves no room"),
    ],
)
def test_bad_settings_are_refused(settings, message, tiny_model, tmp_path):
    with pytest.raises(UsageError, match=message):
        run("sdpo", tiny_model, tmp_path / "run", **settings)


def test_a_group_of_one_has_no_advantage(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="--group-size"):
        run("grpo", tiny_model, tmp_path / "run", group_size=1)


def test_several_processes_are_refused(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="one process"):
        run("grpo", tiny_model, tmp_path / "run")


def test_an_output_folder_in_use_is_left_alone(tiny_model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        run("grpo", tiny_model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


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


def test_a_failed_checkpoint_leaves_the_previous_one(policy, tmp_path):
    folder = RunFolder(tmp_path / "run", {})
    folder.save_checkpoint(policy)

    class Failing:
        def save(self, path):
            policy.save(path)
            raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match="No space left"):
        folder.save_checkpoint(Failing())
    assert sorted(path.name for path in folder.path.iterdir()) == ["checkpoint", "config.json"]
    load_policy(str(folder.path / "checkpoint"))


def test_the_command_prints_a_table(tiny_model, tmp_path):
    code, out, err = finish(
        command(
            "sdpo", "--env", "toy_env:toy/Even-v0", "--env-arg", "max_turns=1", "--model", tiny_model, "--steps", 1,
            "--tasks-per-step", 2, "--group-size", 4, "--max-new-tokens", 8, "--eval-tasks", 2, "--lr", 1e-3,
            "--seed", 1, "--output", tmp_path / "run",
        )
    )  # fmt: skip
    assert code == 0, err
    assert "Pre-flight" in out and "success rate" in out and "before → after" in out
    assert str(tmp_path / "run" / "checkpoint") in out.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "sdpo/Nothing-v0"], "error: cannot make the environment 'sdpo/Nothing-v0'"),
        (["--steps", "many"], "--steps"),
        (["--no-such-flag", "1"], "no-such-flag"),
    ],
)
def test_the_command_says_what_is_wrong_without_a_traceback(arguments, message, tiny_model):
    code, _, err = finish(command("grpo", "--model", tiny_model, *arguments))
    assert code not in (0, None) and message in err and "Traceback" not in err


def test_a_model_without_chat_template_ends_the_command(tmp_path):
    save_tiny_model(tmp_path / "model", chat_template=None)
    code, _, err = finish(
        command("grpo", "--env", "toy_env:toy/Even-v0", "--model", tmp_path / "model", "--output", tmp_path / "run")
    )
    assert code == 1 and "chat template" in err and "Traceback" not in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_says_where(number, tiny_model, tmp_path):
    process = command(
        "sdpo", "--env", "toy_env:toy/Even-v0", "--model", tiny_model, "--steps", 100_000, "--tasks-per-step", 1,
        "--group-size", 2, "--max-new-tokens", 4, "--eval-tasks", 0, "--output", tmp_path / "run",
    )  # fmt: skip
    metrics = tmp_path / "run" / "metrics.jsonl"
    deadline = time.monotonic() + 200
    while not (metrics.exists() and metrics.read_text().count("\n") > 3):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    code, out, err = finish(process)
    assert code == 130 and "Traceback" not in err
    assert "Interrupted" in out and str(tmp_path / "run" / "checkpoint") in out.replace("\n", "")
    load_policy(str(tmp_path / "run" / "checkpoint"))
    assert [json.loads(line) for line in metrics.read_text().splitlines()]
