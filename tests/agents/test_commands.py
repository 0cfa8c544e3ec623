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
import torch
import toy_env  # noqa: F401
from conftest import save_tiny_model
from rich.console import Console
from training import ALGORITHMS, SMALL, contents, records, run

from agents.cli import run_command
from agents.discovery.config import DiscoveryConfig
from agents.errors import UsageError, warn_once
from agents.grpo import presets as grpo_presets
from agents.grpo.config import GRPOConfig
from agents.learner import train
from agents.policy.load import load_policy
from agents.report.rollouts import choose_rollouts
from agents.report.rollouts import table as report_table
from agents.runs.load import load_run
from agents.sdpo import presets as sdpo_presets
from agents.sdpo.__main__ import main
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig
from agents.update import Updater
from sdpo_gym.sandbox import SandboxError

ROOT = Path(__file__).parents[2]


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
    page = (ROOT / "docs" / "learners.md").read_text()
    assert {name for r in metrics if r["phase"] == "train" for name in r if f"`{name}`" not in page} == set()
    rollouts = records(folder, "rollouts.jsonl")
    assert len([r for r in rollouts if r["phase"] == "train"]) == 2 * 2 * 4
    failed = next(r for r in rollouts if not r["success"])
    assert "odd number" in failed["turns"][0]["feedback"]
    config = json.loads((folder / "config.json").read_text())
    assert config["config"]["lr"] == 1e-3 and "torch" in config["versions"]
    before, after = load_policy(str(tiny_model)), load_policy(str(folder / "checkpoint"))
    changed = [not a.equal(b) for a, b in zip(before.model.parameters(), after.model.parameters(), strict=True)]
    assert any(changed)


def test_metrics_are_those_of_the_rollouts(tiny_model, tmp_path):
    folder = run("grpo", tiny_model, tmp_path / "run", group_size=2, tasks_per_step=4, steps=3, eval_tasks=0)
    rollouts, unequal = records(folder, "rollouts.jsonl"), 0
    for metrics in records(folder, "metrics.jsonl"):
        step = [rollout for rollout in rollouts if rollout["step"] == metrics["step"]]
        groups = [(a["success"], b["success"]) for a, b in zip(step[::2], step[1::2], strict=True)]
        assert metrics["responses"] == 8
        assert metrics["success_rate"] == sum(map(sum, groups)) / 8
        assert metrics["groups_all_solved"] == sum(map(all, groups)) / 4
        assert metrics["groups_unsolved"] == sum(not any(group) for group in groups) / 4
        unequal += metrics["groups_all_solved"] != metrics["groups_unsolved"]
    assert unequal


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


def test_a_minibatch_of_a_task_without_a_context_gives_no_step(tiny_model, tmp_path):
    settings = {"env": "toy/Rare-v0", "env_arg": ["modulus=4"], "context": "demonstration", "tasks_per_step": 4}
    settings |= {"minibatches": 4, "group_size": 2, "save_every": 1, "eval_tasks": 0, "steps": 2}
    folder = run("sdpo", tiny_model, tmp_path / "run", **settings)
    state = torch.load(folder / "checkpoint" / "training_state.pt", weights_only=True)
    tasks = {(r["step"], r["task"]): [] for r in records(folder, "rollouts.jsonl")}
    for record in records(folder, "rollouts.jsonl"):
        tasks[record["step"], record["task"]].append(record["success"])
    assert 0 < state["updater"]["optimizer_steps"] == sum(map(any, tasks.values())) < 8


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
    assert f"--model {tmp_path / 'run' / 'checkpoint'}\n" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "sdpo/Nothing-v0"], "error: cannot make the environment 'sdpo/Nothing-v0'"),
        (["--env", "sdpo/LiveCodeBench-v0", "--env-arg", "sandbox=remote"], "error: no sandbox server is named"),
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
    assert "Interrupted" in out and f"{tmp_path / 'run' / 'checkpoint'}\n" in out
    load_policy(str(tmp_path / "run" / "checkpoint"))
    assert [json.loads(line) for line in metrics.read_text().splitlines()]


class TestResume:
    @pytest.mark.parametrize(
        ("algorithm", "settings"),
        [
            ("sdpo", {"context": "both", "ema_rate": 0.2, "preflight_tasks": 0}),
            ("sdpo", {"context": "both", "grpo_weight": 0.5, "teacher": "trust_region", "preflight_tasks": 0}),
            ("grpo", {"kl_coef": 0.1, "extra_batches": 1, "minibatches": 2, "warmup_steps": 3}),
        ],
    )
    def test_a_run_in_two_parts_equals_one_in_one(self, algorithm, settings, tiny_model, tmp_path):
        settings = settings | {"save_every": 1, "eval_every": 2}
        whole = run(algorithm, tiny_model, tmp_path / "whole", **settings | {"steps": 4})
        parts = run(algorithm, tiny_model, tmp_path / "parts", **settings | {"steps": 2})
        assert contents(parts) != contents(whole)
        run(algorithm, tiny_model, parts, **settings | {"steps": 4, "resume": True})
        assert contents(parts) == contents(whole)
        assert (whole / "best" / "model.safetensors").exists()

    def test_the_best_weights_so_far_stay_the_best(self, tiny_model, tmp_path):
        """No response succeeds, so the first evaluation is never surpassed."""
        settings = {"env": "toy/Echo-v0", "context": "feedback", "preflight_tasks": 0, "save_every": 1}
        folder = run("sdpo", tiny_model, tmp_path / "run", **settings | {"steps": 1})
        best = (folder / "best" / "model.safetensors").read_bytes()
        run("sdpo", tiny_model, folder, **settings | {"steps": 2, "resume": True})
        assert (folder / "best" / "model.safetensors").read_bytes() == best
        assert (folder / "checkpoint" / "model.safetensors").read_bytes() != best

    def test_after_a_kill(self, tiny_model, tmp_path):
        """Whatever was written after the last checkpoint is done again."""
        settings = {"env": "toy_env:toy/Even-v0", "eval_tasks": 0, "save_every": 2}
        arguments = SMALL | settings | {"model": tiny_model, "output": tmp_path / "killed", "steps": 100_000}
        process = command("grpo", *(f"--{name.replace('_', '-')}={value}" for name, value in arguments.items()))
        state = tmp_path / "killed" / "checkpoint" / "training_state.pt"
        deadline = time.monotonic() + 200
        while not state.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        finish(process)
        with open(tmp_path / "killed" / "metrics.jsonl", "a") as file:
            file.write('{"step": 99, "phase": "tr')
        steps = torch.load(state, weights_only=True)["step"] + 2
        run("grpo", tiny_model, tmp_path / "killed", **settings | {"resume": True, "steps": steps})
        whole = run("grpo", tiny_model, tmp_path / "whole", **settings | {"steps": steps})
        assert contents(tmp_path / "killed") == contents(whole)

    def test_its_settings_need_not_be_repeated(self, tiny_model, tmp_path, monkeypatch):
        """Those that are, lists too, may be."""
        settings = {"env": "toy_env:toy/Rare-v0", "env_arg": ["modulus=9"], "tracker": ["none"]}
        settings |= {"eval_tasks": 0, "save_every": 1, "context": "both", "preflight_tasks": 0, "lr": 2e-3}
        whole = run("sdpo", tiny_model, tmp_path / "whole", **settings | {"steps": 3})
        parts = run("sdpo", tiny_model, tmp_path / "parts", **settings | {"steps": 1})

        def resume(*words):
            monkeypatch.setattr(sys, "argv", ["sdpo", "--resume", f"--output={parts}", *words])
            run_command("agents.sdpo", SDPOConfig, main, sdpo_presets.PRESETS)

        resume("--steps", "2")
        resume("--steps=3", "--env-arg", "modulus=9", "--lr", "0.002")
        assert contents(parts) == contents(whole)
        with pytest.raises(SystemExit, match=r"lr was 0\.002, is now 1\.0"):
            resume("--lr=1")
        with pytest.raises(SystemExit, match="env_arg was"):
            resume("--env-arg=modulus=8")

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"lr": 2e-3}, "lr was 0.001, is now 0.002"),
            ({"save_every": 0}, "nothing to go on from"),
            ({"output": None}, "--output"),
        ],
    )
    def test_what_cannot_be_resumed(self, settings, message, tiny_model, tmp_path):
        run("grpo", tiny_model, tmp_path / "run", eval_tasks=0, save_every=settings.get("save_every", 1), steps=1)
        with pytest.raises(UsageError, match=message):
            run("grpo", tiny_model, **{"output": tmp_path / "run", "eval_tasks": 0, "resume": True} | settings)

    def test_where_nothing_is_left_to_do(self, tiny_model, tmp_path, capsys):
        settings = {"eval_tasks": 0, "save_every": 1}
        folder = run("grpo", tiny_model, tmp_path / "run", **settings, steps=2)
        before = contents(folder)
        for steps in (1, 2):
            capsys.readouterr()
            run("grpo", tiny_model, folder, **settings, steps=steps, resume=True)
            said = capsys.readouterr().out
            assert f"nothing is left to do: the run is at step 2, and --steps is {steps}" in said
            assert contents(folder) == before

    def test_a_folder_without_a_run(self, tiny_model, tmp_path):
        with pytest.raises(UsageError, match="holds no run"):
            run("grpo", tiny_model, tmp_path / "nothing", resume=True)


@pytest.mark.parametrize("page", ["run-folder.md", "learners.md"])
@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [("grpo", {"kl_coef": 0.1}), ("sdpo", {"context": "both", "grpo_weight": 0.5, "preflight_tasks": 2})],
)
def test_every_metric_is_documented(algorithm, settings, page, tiny_model, tmp_path):
    folder = run(algorithm, tiny_model, tmp_path / "run", steps=1, **settings)
    text = (ROOT / "docs" / page).read_text().replace("pass@k", "pass@2").replace("pass@K", "pass@2")
    names = {name for record in records(folder, "metrics.jsonl") for name in record} - {"gaps"}
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_batches_are_sampled_until_there_is_something_to_learn(tiny_model, tmp_path):
    plain = run("grpo", tiny_model, tmp_path / "plain", eval_tasks=0)
    more = run("grpo", tiny_model, tmp_path / "more", eval_tasks=0, extra_batches=3)
    counts = [[r for r in records(folder, "rollouts.jsonl") if r["step"] == 1] for folder in (plain, more)]
    with_signal = [
        sum(len({r["reward"] for r in rollouts[i : i + 4]}) > 1 for i in range(0, len(rollouts), 4))
        for rollouts in counts
    ]
    assert len(counts[0]) == 8 and len(counts[1]) % 8 == 0
    assert (len(counts[1]) > 8) == (with_signal[0] < 2)
    assert with_signal[1] >= 2 or len(counts[1]) == 4 * 8


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        ("grpo", {"extra_batches": 1, "curriculum": "uncertain"}),
        ("sdpo", {"context": "both", "past_successes": 2}),
        ("sdpo", {"context": "demonstration", "route": "success", "minibatches": 2}),
    ],
)
def test_a_prompt_that_is_too_long_ends_no_run(algorithm, settings, tiny_model, tmp_path, caplog):
    warn_once.cache_clear()
    folder = run(algorithm, tiny_model, tmp_path / "run", env="toy/Long-v0", tasks_per_step=4, eval_tasks=4, **settings)
    rollouts = records(folder, "rollouts.jsonl")
    long = [r for r in rollouts if r["task"] in ("gamma", "delta")]
    assert all(r["turns"] for r in rollouts if r not in long)
    assert all((r["turns"], r["success"], r["stop_reason"]) == ([], False, "context_length") for r in long)
    for record in records(folder, "metrics.jsonl"):
        if record["phase"] == "train":
            assert 0 < record["learned_fraction"] <= 0.5 and record["groups_unsolved"] >= 0.5
    assert sum("leaves no room" in message for message in caplog.messages) == 2
    table = report_table(choose_rollouts([load_run(folder)], 1000, 1000))
    assert table["outcome"].count("prompt too long") == len(long) > 0


@pytest.mark.parametrize("eval_tasks", [0, 2])
def test_prompts_that_are_all_too_long_are_an_error(eval_tasks, tiny_model, tmp_path):
    with pytest.raises(UsageError, match="every task leaves no room"):
        run("grpo", tiny_model, tmp_path / "run", env="toy/Long-v0", env_arg=["every=true"], eval_tasks=eval_tasks)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("error", [UsageError("a mistake"), SandboxError("gone"), torch.OutOfMemoryError("full")])
def test_weights_are_kept_when_a_later_step_fails(error, tiny_model, tmp_path, monkeypatch):
    update, calls = Updater.update, []

    def fail_at_the_third(self, *batch):
        calls.append(batch)
        if len(calls) == 3:
            raise error
        return update(self, *batch)

    monkeypatch.setattr(Updater, "update", fail_at_the_third)
    console = Console(file=io.StringIO(), width=200)
    config = SDPOConfig(**SMALL | {"model": str(tiny_model), "output": tmp_path / "run", "steps": 9, "context": "both"})
    with pytest.raises(type(error)):
        train(config, lambda policy, console: make_sdpo(config, policy, console), console)
    assert "Failed in step 3; the weights are in" in console.file.getvalue()
    load_policy(str(tmp_path / "run" / "checkpoint"))


class TestPresets:
    @pytest.mark.parametrize(
        ("config_type", "preset"),
        [
            *((SDPOConfig, preset) for preset in sdpo_presets.PRESETS.values()),
            *((GRPOConfig, preset) for preset in grpo_presets.PRESETS.values()),
            (DiscoveryConfig, sdpo_presets.TEST_TIME | {"tasks": ("x",)}),
        ],
    )
    def test_are_settings_that_can_be_run(self, config_type, preset):
        config = config_type(**preset)
        config.defaults = config_type(**preset)
        config.check()

    def test_numbers_of_the_paper(self):
        """Section 4's teachers have the rate 0.01 (Table 4), Section 3's 0.05; Section 5 has five seeds."""
        science, code = (SDPOConfig(**sdpo_presets.PRESETS[name]) for name in ("paper-science", "paper-lcb"))
        assert (science.ema_rate, science.trust_region_mix) == (0.05, 0.05)
        assert (code.ema_rate, code.trust_region_mix) == (0.01, 0.01)
        test_time = DiscoveryConfig(**sdpo_presets.TEST_TIME)
        assert (test_time.ema_rate, test_time.trust_region_mix, test_time.seeds) == (0.01, 0.01, 5)

    def test_flags_take_precedence(self, tiny_model, tmp_path):
        small = {"tasks-per-step": 1, "group-size": 2, "max-new-tokens": 4, "minibatches": 1, "eval-tasks": 0}
        arguments = ["--env", "toy_env:toy/Even-v0", "--steps", 1, "--model", tiny_model, "--output", tmp_path / "run"]
        arguments += [f"--{name}={number}" for name, number in small.items()]
        code, _, err = finish(command("sdpo", "--preset", "paper-lcb", *arguments))
        assert code == 0, err
        config = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
        assert (config["top_k"], config["ema_rate"], config["group_size"]) == (20, 0.01, 2)

    def test_an_unknown_one_is_refused(self):
        code, _, err = finish(command("grpo", "--preset", "papr"))
        assert code == 2 and "paper-on-policy" in err and "Traceback" not in err

    def test_help_names_them(self):
        code, out, _ = finish(command("sdpo", "--help"))
        assert code == 0 and "paper-lcb" in out
