"""What is to be seen of a run while it goes."""

import io
import re
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console
from training import SMALL

from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig
from agents.learner import train
from agents.progress import ProgressDisplay, memory, training_numbers
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig

METRICS = {
    "responses": 32,
    "success_rate": 0.25,
    "reward": 0.5,
    "response_tokens": 50.0,
    "learned_fraction": 0.5,
    "loss": 0.25,
    "sample_seconds": 16.0,
    "grade_seconds": 0.5,
    "update_seconds": 3.5,
}


def watched_run(tiny_model, output, algorithm="grpo", *, width=80, force_terminal=False, **settings):
    console = Console(file=io.StringIO(), color_system=None, width=width, force_terminal=force_terminal)
    config_type = {"grpo": GRPOConfig, "sdpo": SDPOConfig}[algorithm]
    settings = {"model": str(tiny_model), "output": output, "steps": 3, "eval_every": 2} | settings
    config = config_type(**SMALL | settings)
    make = {
        "grpo": lambda policy, console: GRPO(config, policy),
        "sdpo": lambda policy, console: make_sdpo(config, policy, console),
    }
    train(config, make[algorithm], console)
    return console.file.getvalue()


def test_numbers_of_a_step():
    numbers = training_numbers(METRICS)
    assert (numbers["success"], numbers["reward"], numbers["length"]) == ("0.25", "0.50", "50")
    assert (numbers["tokens/s"], numbers["graded/s"], numbers["seconds"]) == ("100", "64", "20.0")
    assert numbers["loss"] == "0.2500" and "learned" not in numbers
    assert 0.05 < float(numbers["memory"].removesuffix(" GiB")) < 100


def test_a_step_without_anything_to_learn_shows_it():
    metrics = {name: value for name, value in METRICS.items() if name != "loss"} | {"learned_fraction": 0.0}
    numbers = training_numbers(metrics)
    assert (numbers["loss"], numbers["learned"]) == ("–", "0 of 32")
    assert training_numbers(metrics | {"grade_seconds": 0.0})["graded/s"] == "–"  # all prompts were too long


@pytest.mark.parametrize(
    ("algorithm", "settings", "why"),
    [
        ("grpo", {}, "same reward"),
        ("sdpo", {"context": "demonstration"}, "no success to show the teacher"),
        ("sdpo", {"context": "demonstration", "route": "success"}, "and all attempts at a task got the same reward"),
    ],
)
def test_a_run_that_learns_nothing_says_so_and_why(algorithm, settings, why, tiny_model, tmp_path):
    settings = {"env": "toy/Echo-v0", "eval_tasks": 0, "save_every": 1} | settings
    text = watched_run(tiny_model, tmp_path / "run", algorithm, width=400, steps=6, **settings)
    assert text.count("in 5 steps nothing was learned") == text.count("in 6 steps nothing was learned") == 1
    assert text.count(why) == 2 and "learned 0 of 8" in text
    text = watched_run(tiny_model, tmp_path / "run", algorithm, width=400, steps=7, resume=True, **settings)
    assert text.count("nothing was learned") == text.count("in 7 steps nothing was learned") == 1
    text = watched_run(tiny_model, tmp_path / "other", width=400, steps=6, eval_tasks=0)
    assert "nothing was learned" not in text


@pytest.mark.parametrize("name", ["run[lr=1]", "run[/a]"])
def test_names_with_brackets_are_printed_as_they_are(tiny_model, tmp_path, name):
    settings = {"eval_tasks": 0, "save_every": 1, "steps": 1}
    for text in (
        watched_run(tiny_model, tmp_path / name, width=400, **settings),
        watched_run(tiny_model, tmp_path / name, width=400, resume=True, **settings),
    ):
        assert f"--model {tmp_path / name}/checkpoint" in text


def test_a_penalty_may_move_the_weights_where_rewards_are_equal(tiny_model, tmp_path):
    settings = {"env": "toy/Echo-v0", "eval_tasks": 0, "kl_coef": 0.1}
    text = watched_run(tiny_model, tmp_path / "run", "grpo", width=400, steps=2, **settings)
    assert "learned 0 of 8" in text and "nothing was learned" not in text


def test_memory_of_a_gpu_is_shown_once_it_is_used(monkeypatch):
    assert "GPU" not in memory()
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: SimpleNamespace(total_memory=80 << 30))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 3 << 29)
    assert memory()["GPU"] == "1.5 of 80 GiB"


def test_a_log_file_gets_a_line_per_step_and_evaluation(tiny_model, tmp_path):
    text = watched_run(tiny_model, tmp_path / "run", width=80)
    assert re.findall(r"^(step \d/3|evaluation at step \d)  success \d\.\d\d", text, re.MULTILINE) == [
        "evaluation at step 0", "step 1/3", "step 2/3", "evaluation at step 2", "step 3/3", "evaluation at step 3",
    ]  # fmt: skip
    for line in re.findall("^step .*", text, re.MULTILINE):
        assert re.search(r"reward .*length .*tokens/s \d+  graded/s \d+  seconds .*memory [\d.]+ GiB", line)
    assert "left 0:00:0" in text
    assert "\x1b" not in text and text.count("memory") == 3


def test_a_terminal_shows_the_numbers_beneath_the_bar(tiny_model, tmp_path):
    text = watched_run(tiny_model, tmp_path / "run", width=80, force_terminal=True)
    last = text[: text.index("before → after")].rpartition("training")[2]
    assert "3/3" in last and "memory" in last and "evaluation" not in last
    assert not re.search(r"step \d/3", text)


@pytest.mark.parametrize("seconds", [0.1, 100.0, 5000.0])
def test_the_time_left_is_known_however_long_a_step_takes(seconds):
    now = 0.0
    console = Console(file=io.StringIO(), width=80, get_time=lambda: now)
    with ProgressDisplay(console) as display:
        bar = display.add_task("training", total=10, note="")
        for step in (1, 2, 3):
            now += seconds
            display.step_done(bar, step, {})
        assert display.tasks[0].time_remaining == pytest.approx(7 * seconds, abs=1)
