"""The examples run as their first lines say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest
from chat_server import ChatServer, ok

EXAMPLES = Path(__file__).parents[2] / "examples"
ROOT = EXAMPLES.parent
TESTS = ROOT / "tests"


def run(name, *words, **environment):
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
@pytest.mark.parametrize(
    ("name", "last_line"),
    [
        ("judge_many_at_once.py", "reward 0.0: "),
        ("own_environment.py", "bone: reward 1.0"),
        ("solve_by_hand.py", "reward 1.0, tests passed 100%"),
    ],
)
def test_examples(name, last_line):
    assert run(name).strip().splitlines()[-1].startswith(last_line)


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
def test_the_bandit_finds_the_right_answer():
    *arms, last = run("bandit.py").splitlines()
    pulls = {line[:14].strip(): int(line[14:].split()[0]) for line in arms}
    assert last == "best: right" and pulls["right"] > sum(pulls.values()) / 2 and len(pulls) == 4


def test_the_training_loop_learns():
    rates = re.findall(r"(\d+)%", run("training_loop.py"))
    assert int(rates[0]) < 70 and int(rates[1]) > 90


def test_the_chat_agent_sees_the_feedback():
    with ChatServer([ok("odd"), ok("even"), ok("even")]) as server:
        words = ["--base-url", server.url, "--model", "name", "--env", "toy_env:toy/Even-v0", "--episodes", "2"]
        printed = run("chat_agent.py", *words, "--env-arg", "max_turns=2", PYTHONPATH=str(TESTS), OPENAI_API_KEY="k")
    assert printed.endswith("solved 2 of 2\n") and "[reward 0.0] The response has 3 characters" in printed
    first, second, third = server.requests
    assert first["model"] == "name" and len(first["messages"]) == len(third["messages"]) == 1
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    assert second["messages"][2]["content"] == "The response has 3 characters, an odd number."
    assert server.headers[0]["Authorization"] == "Bearer k"


def test_the_chat_agent_plays_on_a_server():
    for module in ("uvicorn", "fastapi", "websockets"):
        pytest.importorskip(module, reason="the server needs the extra [serve]")
    from environment_server import TOKEN, served

    with ChatServer(default="even") as models, served("toy_env:toy/Even-v0") as url:
        words = ["--base-url", models.url, "--model", "name", "--env", "sdpo_gym:sdpo/Remote-v0"]
        printed = run("chat_agent.py", *words, "--env-arg", f"url={url}", SDPO_GYM_SERVE_TOKEN=TOKEN)
    assert printed.endswith("solved 3 of 3\n")


def test_the_chat_agent_on_an_environment_without_info():
    with ChatServer(default="even") as server:
        words = ["--base-url", server.url, "--model", "name", "--env", "toy_env:toy/Plain-v0", "--episodes", "1"]
        assert run("chat_agent.py", *words, PYTHONPATH=str(TESTS)).endswith("solved 1 of 1\n")
    assert gymnasium.make("toy_env:toy/Plain-v0").reset(seed=0)[0] == server.requests[0]["messages"][0]["content"]


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
def test_the_walkthrough_trains_and_shows_what_came_of_it(tiny_model):
    environment = {"MODEL": str(tiny_model), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    printed = run("walkthrough.py", **environment)
    assert "reward 0.0, tests passed 7%\nWrong Answer in Test 1" in printed
    steps = [line for line in printed.splitlines() if line.startswith("step ") and line.endswith(" tokens")]
    assert [line.split()[1] for line in steps] == ["1", "2", "3"]
    feedback = printed[printed.rindex(steps[-1]) :]
    assert ", step 0:\n" in feedback and "```python" in feedback
    checkpoint = Path(printed.splitlines()[-1].removeprefix("weights in "))
    assert (checkpoint / "model.safetensors").exists()


def test_agents_train_on_an_environment_of_ones_own(tiny_model, tmp_path):
    words = ["--env", "own_environment:example/Rhyme-v0", "--context", "both", "--model", str(tiny_model)]
    words += ["--max-new-tokens", "8", "--steps", "1", "--eval-tasks", "0", "--output", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "agents.sdpo", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(EXAMPLES), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rollouts = [json.loads(line) for line in (tmp_path / "run" / "rollouts.jsonl").read_text().splitlines()]
    assert {rollout["task"] for rollout in rollouts} == {"light", "stone", "rain", "day"}
    feedback = {turn["feedback"] for rollout in rollouts for turn in rollout["turns"]}
    assert any("One word is asked for" in text or "does not end in" in text for text in feedback)
