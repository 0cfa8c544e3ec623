"""The agents train and are evaluated on environments of other packages, as users start them."""

import json
import runpy
import string
import sys

import pytest

pytest.importorskip("torch", reason="the agents need the extra [agents]")

THEIRS = f'''
import gymnasium
from gymnasium.spaces import Text


class Words(gymnasium.Env):
    """Three turns of anything; a reward for every response with an e. Nothing in `info`."""

    def __init__(self, word="tree"):
        self.word = word
        self.observation_space = Text(1000, charset={string.printable!r})
        self.action_space = Text(1000, charset={string.printable!r})

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return f"Say {{self.word}} number {{self.np_random.integers(1000)}}.", {{}}

    def step(self, action):
        found = "e" in action
        return "Good." if found else "There is no e.", float(found), found, False, {{}}


gymnasium.register("theirs/Words-v0", entry_point=Words, max_episode_steps=3)
'''
SMALL = ["--max-new-tokens", "8", "--device", "cpu", "--precision", "fp32"]
TRAINING = [*SMALL, "--steps", "1", "--tasks-per-step", "2", "--group-size", "4", "--eval-tasks", "0"]


@pytest.fixture(scope="module")
def start(tiny_model, tmp_path_factory):
    """Runs an agent's command where a module of somebody else's can be imported."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "their_package.py").write_text(THEIRS)

    def start(agent, *words):
        output = folder / f"{agent}-{len(list(folder.iterdir()))}"
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)
            command = [f"agents.{agent}", "--model", str(tiny_model), "--output", str(output), *words]
            patch.setattr(sys, "argv", command)
            runpy.run_module(f"agents.{agent}", run_name="__main__")
        return output

    return start


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("agent", ["grpo", "sdpo"])
def test_training_on_a_module_of_somebody_else(start, agent):
    words = ["--context", "feedback", "--preflight-tasks", "0"] if agent == "sdpo" else []
    output = start(agent, "--env", "their_package:theirs/Words-v0", "--env-arg", "word=bee", *TRAINING, *words)
    rollouts = lines(output / "rollouts.jsonl")
    assert len(rollouts) == 8
    tasks = [rollout["task"] for rollout in rollouts]
    assert sorted(tasks.count(task) for task in set(tasks)) == [4, 4]  # equal seeds are a group
    assert all(task.startswith("seed ") for task in tasks)
    for rollout in rollouts:
        assert rollout["messages"][0]["content"].startswith("Say bee number")
        assert rollout["success"] == (rollout["reward"] >= 1.0)
        for turn in rollout["turns"]:
            assert turn["feedback"] == ("" if "e" in turn["response"] else "There is no e.")


def test_evaluation_on_a_module_of_somebody_else(start):
    words = ["--env", "their_package:theirs/Words-v0", "--num-tasks", "3", "--samples", "2", *SMALL]
    output = start("evaluate", *words)
    [result] = output.glob("*/result.json")
    assert len(lines(next(output.glob("*/samples.jsonl")))) == 6 and json.loads(result.read_text())


@pytest.mark.parametrize(
    ("module", "env_id", "arguments"),
    [
        ("reasoning_gym", "sdpo/ReasoningGym-v0", ["dataset=chain_sum", 'config={"max_terms": 2}']),
        ("gem", "sdpo/Gem-v0", []),
        ("textarena", "sdpo/TextArena-v0", []),
    ],
)
def test_training_on_the_packages_that_have_an_adapter(start, module, env_id, arguments):
    pytest.importorskip(module, reason=f"{module} is not installed")
    words = [word for argument in arguments for word in ("--env-arg", argument)]
    rollouts = lines(start("grpo", "--env", env_id, *words, *TRAINING) / "rollouts.jsonl")
    assert len(rollouts) == 8
    assert all(rollout["turns"][-1]["feedback"] for rollout in rollouts if not rollout["success"])
