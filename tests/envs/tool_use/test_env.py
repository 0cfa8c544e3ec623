import json
import os
import pickle
import subprocess
import sys

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers.vector import DictInfoToList

import sdpo_gym  # noqa: F401  (registers the environment)
from envs.tool_use.env import ToolUseEnv, ToolUseVectorEnv
from envs.tool_use.tasks import solution_of

ID = "sdpo/ToolUse-v0"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("max_turns", [1, 3, None])
def test_gymnasium_has_no_complaints(max_turns):
    check_env(gymnasium.make(ID, max_turns=max_turns, n_shots=1, render_mode="ansi").unwrapped)


def test_made_as_a_vector():
    vector = gymnasium.make_vec(ID, num_envs=2, vectorization_mode="vector_entry_point", levels=[0, 4])
    prompts, infos = vector.reset(options={"task": [0, "level4-train-2"]})
    assert infos["task_id"].tolist() == ["level0-train-0", "level4-train-2"]
    assert "Final Answer:" in prompts[0]


@pytest.mark.parametrize("call_format", ["react", "json"])
def test_several_at_once_behave_as_several_alone(call_format):
    n, arguments = 6, {"call_format": call_format, "max_turns": 5}
    singles = [ToolUseEnv(**arguments) for _ in range(n)]
    vector = DictInfoToList(ToolUseVectorEnv(n, **arguments))
    observations, infos = vector.reset(seed=3)
    alone = [env.reset(seed=3 + i) for i, env in enumerate(singles)]
    assert (list(observations), infos) == ([prompt for prompt, _ in alone], [info for _, info in alone])
    solutions = [solution_of(singles[0].tasks.question(info["task_id"]), call_format) for _, info in alone]
    done = [False] * n
    for turn in range(5):
        plans = [[*solution, "x"] if i % 2 else ["x", *solution] for i, solution in enumerate(solutions)]
        responses = [None if done[i] else plan[min(turn, len(plan) - 1)] for i, plan in enumerate(plans)]
        observations, rewards, terminations, truncations, infos = vector.step(responses)
        for i in range(n):
            if not done[i]:
                together = (observations[i], rewards[i], bool(terminations[i]), bool(truncations[i]), infos[i])
                assert singles[i].step(responses[i]) == together
        done = terminations.tolist()
    assert all(done)


def test_pickled_environments_go_on_alike():
    env = ToolUseEnv(levels=[3])
    env.reset(options={"task": 0})
    *calls, answer = solution_of(env.tasks.question("level3-train-0"), "react")
    env.step(calls[0])
    copy = pickle.loads(pickle.dumps(env))
    for response in [*calls[1:], answer]:
        result = env.step(response)
        assert result == copy.step(response)
    assert result[1] == 1.0
    assert env.reset(seed=1) == copy.reset(seed=1)


def test_seeds_decide_the_task():
    env = ToolUseEnv()
    ids = [env.reset(seed=seed)[1]["task_id"] for seed in range(30)]
    assert ids == [ToolUseEnv().reset(seed=seed)[1]["task_id"] for seed in range(30)]
    assert {task_id[:6] for task_id in ids} == {f"level{level}" for level in range(5)}


SCRIPT = """
import sys
for name in ("torch", "huggingface_hub", "rdkit", "jsonschema"):
    sys.modules[name] = None  # importing it raises ImportError
import gymnasium, json
from envs.tool_use.tasks import solution_of
env = gymnasium.make("sdpo_gym:sdpo/ToolUse-v0", n_shots=1)
log = []
for seed in range(15):
    log.append(env.reset(seed=seed))
    question = env.unwrapped.tasks.question(log[-1][1]["task_id"])
    log += [env.step(response) for response in solution_of(question, "react")]
print(json.dumps(log))
"""


def test_equal_in_every_process(tmp_path):
    def log(hash_seed):
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", SCRIPT]
        return json.loads(subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True).stdout)

    assert log("1") == log("2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": 5}, r"levels must be one or more different ones of \[0, 1, 2, 3, 4\], not 5"),
        ({"levels": []}, "levels must be one or more"),
        ({"levels": [1, 1]}, "levels must be one or more different"),
        ({"split": "valid"}, r"split must be one of \['train', 'test'\], not 'valid'"),
        ({"call_format": "xml"}, r"call_format must be one of \['react', 'json'\], not 'xml'"),
        ({"n_shots": 9}, "n_shots must be a whole number from 0 to 8, not 9"),
        ({"n_shots": -1}, "n_shots must be a whole number from 0 to 8, not -1"),
        ({"feedback": "rich"}, "feedback must be one of"),
        ({"grader": "paper"}, "grader has a meaning for data only"),
        ({"data": "x.json", "levels": 1, "n_shots": 2}, "with data, levels, n_shots has no meaning"),
        ({"max_turns": 0}, "max_turns must be"),
    ],
)
def test_arguments_without_meaning(arguments, message):
    with pytest.raises(ValueError, match=message):
        ToolUseEnv(**arguments)


@pytest.mark.parametrize(
    "response", ["", "\x00", "\ud800", "Action:" * 10_000, "A" * 2_000_000, "{" * 40_000, "\n" * 999_999]
)
@pytest.mark.parametrize("call_format", ["react", "json"])
def test_any_text_is_a_failed_attempt(response, call_format):
    env = ToolUseEnv(max_turns=2, call_format=call_format)
    env.reset(options={"task": 0})
    observation, reward, terminated, _, info = env.step(response)
    assert (reward, terminated) == (0.0, False)
    assert observation == info["feedback"] != ""
    assert observation in env.observation_space
