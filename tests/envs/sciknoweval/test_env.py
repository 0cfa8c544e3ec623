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
from envs.sciknoweval.env import SciKnowEvalEnv, SciKnowEvalVectorEnv

ID = "sdpo/SciKnowEval-v0"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("max_turns", [1, 3])
def test_gymnasium_has_no_complaints(data, max_turns):
    check_env(gymnasium.make(ID, data=str(data), max_turns=max_turns, render_mode="ansi").unwrapped)


def test_one_episode(data):
    env = gymnasium.make(ID, data=str(data), max_turns=2, render_mode="ansi")
    prompt, info = env.reset(options={"task": "molar_weight_smiles/0"})
    assert "'CC(=O)O'?\n\nA: 46.070\nB: 60.050" in prompt
    assert info["messages"][0] == {"role": "system", "content": "Answer in tags."}
    observation, reward, terminated, truncated, info = env.step("<answer>A</answer>")
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert observation == info["feedback"] == info["messages"][-1]["content"]
    observation, reward, terminated, truncated, info = env.step(
        "<reasoning>24 + 4 + 32</reasoning>\n<answer>B</answer>"
    )
    assert (observation, reward, terminated, truncated) == ("", 1.0, True, False)
    assert info["stop_reason"] == "success" and info["feedback"] == ""
    assert info["metrics"] == {
        "solved": 1.0,
        "solved_molar_weight_smiles": 1.0,
        "shortcut": 0.0,
        "no_answer": 0.0,
        "well_formed": 1.0,
    }
    assert "[assistant]" in env.render()


def test_metrics_of_wrong_answers_and_of_none(data):
    """The rule that knows no science chooses A at this task, whatever the response, and that is right."""
    for response, solved, no_answer in (("A", 1.0, 0.0), ("B", 0.0, 0.0), ("E", 0.0, 1.0), ("hm", 0.0, 1.0)):
        env = SciKnowEvalEnv(data=data)
        env.reset(options={"task": "solubility/2"})
        metrics = env.step(f"<answer>{response}</answer>")[4]["metrics"]
        assert (metrics["solved"], metrics["no_answer"], metrics["shortcut"]) == (solved, no_answer, 1.0)


def test_graders(data):
    def reward(grader, response):
        env = SciKnowEvalEnv(data=data, grader=grader)
        env.reset(options={"task": 0})
        return env.step(response)[1]

    assert reward("lenient", "**B**") == 1.0
    assert reward("paper", "**B**") == 0.0
    assert reward("paper", "<answer>B</answer>") == 1.0


def test_prompts(data):
    env = SciKnowEvalEnv(data=data, prompt="plain")
    prompt, info = env.reset(options={"task": 0})
    assert [message["role"] for message in info["messages"]] == ["user"]
    assert prompt.endswith(
        "D: 74.080\n\nThe answer is one letter: A, B, C or D. Answer with that letter, and nothing else."
    )


def test_subtasks(data):
    assert SciKnowEvalEnv(data=data).num_tasks == 5
    assert SciKnowEvalEnv(data=data, subtasks="solubility").num_tasks == 1
    assert SciKnowEvalEnv(data=data, subtasks=["solubility", "retrosynthesis"]).num_tasks == 2


def test_right_letters_score_one_and_constant_ones_at_chance(data_folder):
    constant = {}
    for domain in ("chemistry", "biology", "physics", "materials"):
        env = SciKnowEvalEnv(data=data_folder, domain=domain, split="test", grader="paper")
        for task in env.tasks:
            answer = task.answer_key["answer"]
            assert env.verifier.verify(task, f"<answer>\n{answer}\n</answer>").reward == 1.0
        constant[domain] = [sum(env.verifier.verify(task, letter).success for task in env.tasks) for letter in "ABCD"]
        assert sum(constant[domain]) == env.num_tasks
    assert constant["chemistry"] == [64, 47, 57, 42]
    assert max(constant["physics"]) == 33  # of 80: the benchmark prefers B


@pytest.mark.parametrize("max_turns", [1, 2])
def test_several_at_once_behave_as_several_alone(data, max_turns):
    n, responses = 4, ["A", "B", "<answer>C</answer>", "none"]
    singles = [SciKnowEvalEnv(data=data, max_turns=max_turns) for _ in range(n)]
    vector = DictInfoToList(SciKnowEvalVectorEnv(n, data=data, max_turns=max_turns))
    observations, infos = vector.reset(seed=3)
    alone = [env.reset(seed=3 + i) for i, env in enumerate(singles)]
    assert (list(observations), infos) == ([prompt for prompt, _ in alone], [info for _, info in alone])
    observations, rewards, terminations, truncations, infos = vector.step(responses)
    for i in range(n):
        together = (observations[i], rewards[i], bool(terminations[i]), bool(truncations[i]), infos[i])
        assert singles[i].step(responses[i]) == together


def test_made_as_a_vector(data):
    vector = gymnasium.make_vec(ID, num_envs=2, vectorization_mode="vector_entry_point", data=str(data))
    vector.reset(options={"task": [0, "solubility/2"]})
    assert vector.step(("B", "B"))[1].tolist() == [1.0, 0.0]


def test_pickled_environments_go_on_alike(data):
    env = SciKnowEvalEnv(data=data, max_turns=2)
    env.reset(seed=5)
    copy = pickle.loads(pickle.dumps(env))
    assert env.step("E") == copy.step("E")
    assert env.reset() == copy.reset()


def test_seeds_decide_the_task(data):
    env = SciKnowEvalEnv(data=data)
    ids = [env.reset(seed=seed)[1]["task_id"] for seed in range(30)]
    assert ids == [env.reset(seed=seed)[1]["task_id"] for seed in range(30)]
    assert len(set(ids)) == 5


SCRIPT = """
import sys
for name in ("torch", "huggingface_hub", "rdkit") if sys.argv[2] == "standard" else ():
    sys.modules[name] = None  # importing it raises ImportError
import gymnasium, json
log = []
env = gymnasium.make("sdpo_gym:sdpo/SciKnowEval-v0", data=sys.argv[1], feedback=sys.argv[2])
for seed in range(12):
    log.append(env.reset(seed=seed))
    log.append(env.step("A"))
print(json.dumps(log))
"""


@pytest.mark.parametrize("level", ["standard", "full"])
def test_equal_in_every_process_and_made_without_an_import(data, tmp_path, level):
    if level == "full":
        pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")

    def log(hash_seed):
        command = [sys.executable, "-c", SCRIPT, str(data), level]
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        return json.loads(subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True).stdout)

    assert log("1") == log("2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"domain": "history"}, r"domain must be one of \['chemistry', .*\], not 'history'"),
        ({"split": "valid"}, r"split must be one of \['train', 'test'\] or None, not 'valid'"),
        ({"subtasks": "weights"}, r"subtasks must be one or more of \['counts_smiles', .* not \['weights'\]"),
        ({"subtasks": []}, r"subtasks must be one or more of"),
        ({"prompt": "long"}, r"prompt must be one of \['paper', 'plain'\], not 'long'"),
        ({"grader": "strict"}, r"grader must be one of \['lenient', 'paper'\], not 'strict'"),
        ({"feedback": "rich"}, "feedback must be one of"),
        ({"echo_response": "yes"}, "echo_response must be one of"),
        ({"max_turns": 0}, "max_turns must be"),
    ],
)
def test_arguments_without_meaning(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        SciKnowEvalEnv(data=data, **arguments)


@pytest.mark.parametrize("response", ["", "\x00", "\ud800", "<answer>" * 10_000, "A" * 2_000_000, "\n" * 999_999])
@pytest.mark.parametrize("grader", ["lenient", "paper"])
def test_any_text_is_a_failed_attempt(data, response, grader):
    env = SciKnowEvalEnv(data=data, max_turns=2, grader=grader)
    env.reset(options={"task": 0})
    observation, reward, terminated, _, info = env.step(response)
    assert (reward, terminated) == (0.0, False)
    assert observation == info["feedback"] != ""
