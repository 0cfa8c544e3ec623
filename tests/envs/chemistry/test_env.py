"""The environment through Gymnasium's interface."""

import json
import os
import re
import subprocess
import sys

import gymnasium
import pytest

pytest.importorskip("rdkit")

from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers.vector import DictInfoToList
from hypothesis import given, settings
from hypothesis import strategies as st

import sdpo_gym  # noqa: F401  (registers the environment)
from envs.chemistry.answers import posed
from envs.chemistry.env import ChemistryEnv, ChemistryVectorEnv
from envs.chemistry.families import FAMILIES
from envs.chemistry.smiles.read import molecule
from envs.chemistry.tasks import MAX_SHOTS, examples, make_question
from envs.chemistry.verifier import ChemistryVerifier
from sdpo_gym import Task

ID = "sdpo/Chemistry-v0"


def right_answer(env):
    key = env.unwrapped._episode.task.answer_key
    return posed(key["answer"], key["answer_format"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("arguments", [{}, {"max_turns": 3, "n_shots": 3, "answer_format": "bare", "reward": "dense"}])
def test_gymnasium_has_no_complaints(arguments):
    check_env(gymnasium.make(ID, render_mode="ansi", **arguments).unwrapped)


def test_one_task_from_question_to_answer():
    env = gymnasium.make(ID, families="isomer", levels=0, max_turns=3)
    prompt, info = env.reset(options={"task": "isomer-0-train-1"})
    assert prompt.startswith("Give the SMILES string of a molecule with the formula")
    assert info["metadata"] == {"family": "isomer", "level": 0}
    observation, reward, terminated, *_, info = env.step("I do not know")
    assert (reward, terminated) == (0.0, False)
    assert observation == (
        "The response has no <answer> tag. Put the SMILES string, and nothing else, between <answer> and </answer>."
    )
    observation, *_, info = env.step("<answer>CC1</answer>")
    assert observation.startswith("The answer is not valid: ring label 1 at character 3 is never closed")
    assert info["feedback_items"][0]["kind"] == "unreadable" and info["feedback_items"][0]["position"] == 3
    assert info["metrics"] == {"solved": 0.0, "score": 0.0, "answered": 1.0, "valid": 0.0}
    observation, reward, terminated, _, info = env.step("Let me think. " + right_answer(env))
    assert (reward, terminated, info["feedback"], info["stop_reason"]) == (1.0, True, "", "success")
    assert info["metrics"]["solved"] == info["metrics"]["score"] == 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_through_the_environment(family):
    env = ChemistryEnv(families=family, n_shots=2)
    for seed in range(10):
        _, info = env.reset(seed=seed)
        assert info["task_id"].startswith(f"{family}-") and len(info["messages"]) == 5
        assert env.step(right_answer(env))[1] == 1.0
        env.reset(options={"task": info["task_id"]})
        _, reward, terminated, _, info = env.step("<answer>?</answer>")
        assert (reward, terminated) == (0.0, True) and len(info["feedback"]) > 20


@pytest.mark.parametrize("max_turns", [1, 3])
def test_several_at_once_behave_as_several_alone(max_turns):
    n = 6
    arguments = {"max_turns": max_turns, "levels": [0, 1], "echo_response": True}
    singles = [ChemistryEnv(**arguments) for _ in range(n)]
    vector = DictInfoToList(gymnasium.make_vec(ID, num_envs=n, vectorization_mode="vector_entry_point", **arguments))
    assert isinstance(vector.unwrapped, ChemistryVectorEnv) and vector.unwrapped.num_tasks is None
    observations, infos = vector.reset(seed=3)
    alone = [env.reset(seed=3 + i) for i, env in enumerate(singles)]
    assert (list(observations), infos) == ([prompt for prompt, _ in alone], [info for _, info in alone])
    done = [False] * n
    texts = ["<answer>CCO</answer>", "", "<answer>C1</answer>", "<answer>3", "<think>", "<answer>\n</answer>"]
    for turn in range(max_turns):
        responses = [None if done[i] else texts[(i + turn) % n] for i in range(n)]
        if turn == 1 and not done[0]:
            responses[0] = right_answer(singles[0])
        observations, rewards, terminations, truncations, infos = vector.step(responses)
        for i in range(n):
            if not done[i]:
                together = (observations[i], rewards[i], bool(terminations[i]), bool(truncations[i]), infos[i])
                assert singles[i].step(responses[i]) == together
        done = terminations.tolist()
    assert all(done)


def test_levels_of_feedback():
    def feedback(response, **arguments):
        env = ChemistryEnv(families="groups", levels=1, **arguments)
        env.reset(options={"task": 5})
        info = env.step(response)[4]
        assert "\n".join(item["text"] for item in info["feedback_items"]) == info["feedback"]
        return info["feedback"]

    wrong, broken, nothing = "<answer>CCO</answer>", "<answer>CC(</answer>", "CCO"
    assert [feedback(text, feedback="none") for text in (wrong, broken, nothing)] == ["", "", ""]
    assert feedback(wrong, feedback="verdict") == "The answer is valid, but wrong."
    assert feedback(broken, feedback="verdict") == "The answer is not valid."
    assert feedback(nothing, feedback="verdict") == "The response has no <answer> tag."
    assert feedback(wrong, feedback="checks").startswith("[wrong] formula: C2H6O, required ")
    assert "Hint" not in feedback(wrong, feedback="checks") and "Hint: " in feedback(wrong)
    assert "character 3" in feedback(broken, feedback="checks")
    assert "CCO" not in feedback(wrong)
    assert feedback(wrong, echo_response=True).startswith("Your answer: CCO\n[wrong]")
    assert feedback(broken, echo_response=True).startswith(
        "Your answer: CC(\n               ^\nThe answer is not valid"
    )


def test_binary_and_dense_rewards():
    def reward(response, **arguments):
        env = ChemistryEnv(families="isomer", levels=1, **arguments)
        env.reset(options={"task": 5})
        return env.step(right_answer(env) if response is None else response)[1]

    for kind in ("binary", "dense"):
        assert reward(None, reward=kind) == 1.0
        assert reward("", reward=kind) == reward("<answer>C1</answer>", reward=kind) == 0.0
    assert reward("<answer>CCCCCO</answer>") == 0.0 < reward("<answer>CCCCCO</answer>", reward="dense") < 1.0


def test_an_isomer_that_is_as_similar_as_can_be_is_wrong():
    params = {"smiles": "CCCCCC(C)CCCCCCC"}
    key = {"family": "name", "params": params, "answer_format": "bare"}
    task = Task("t", ({"role": "user", "content": "?"},), key)
    verdict = ChemistryVerifier().verify(task, "CCCCCCC(C)CCCCCC")
    assert (verdict.reward, verdict.success, verdict.metrics["score"]) == (0.0, False, 0.99)
    assert ChemistryVerifier(reward="dense").verify(task, "CCCCCCC(C)CCCCCC").reward == 0.99
    assert ChemistryVerifier().verify(task, "CCCCCCCC(C)CCCCC").success


def test_answer_formats():
    def solved(response, answer_format):
        env = ChemistryEnv(families="count", levels=0, answer_format=answer_format)
        env.reset(options={"task": 3})
        answer = env._episode.task.answer_key["answer"]
        return env.step(response.replace("@", answer))[1] == 1.0

    for response in (
        "<answer>@</answer>",
        "so <answer> `@` </answer> it is",
        "<answer>9</answer> no, <answer>@</answer>",
        "<answer>@",
        "<answer>@\nand so on",
        "<think><answer>9</answer></think><answer>@</answer>",
        "<answer>@</answer> without a <think>",
        "<answer>```@```</answer>",
        "<answer>```text\n@\n```</answer>",
        "<answer>\n```\n@\n```\n</answer>",
        "<answer>```text\n@",
    ):
        assert solved(response, "tags"), response
    for response in (
        "@",
        "<answer></answer>@",
        "<answer>@ @</answer>",
        "<think><answer>@</answer>",
        "<answer>@\n9</answer>",
    ):
        assert not solved(response, "tags"), response
    for response in (
        "@",
        "\n\n @ \nbecause",
        "`@`",
        "<think>hm 9</think>\n@",
        "```\n@\n```",
        "```text\n\n@\n```\nbecause",
    ):
        assert solved(response, "bare"), response
    for response in ("the answer is @", "<answer>@</answer>", "<think>@", "", "x\n@"):
        assert not solved(response, "bare"), response


@pytest.mark.parametrize(
    ("response", "words"),
    [
        ("", "The response is empty."),
        ("<think>hm", "ends before its thinking does"),
        ("CCO", "no <answer> tag"),
        ("<answer></answer>", "The answer is empty."),
        ("<answer>```\n```</answer>", "The answer is empty."),
        ("<answer>C\nC</answer>", "several lines"),
        ("<answer>" + "C" * 500 + "</answer>", "longer than 400 characters"),
        ("<answer>CH3CH2OH</answer>", "hydrogens are implicit"),
        ("<answer>ethanol</answer>", "'e' at character 1 is no atom symbol"),
        ("<answer>CCO\ud800</answer>", "has no meaning in SMILES"),
        ("<answer>" + "c1ccc(cc1)" * 15 + "</answer>", "at most"),
    ],
)
def test_bad_responses_are_failed_attempts_with_help(response, words):
    env = ChemistryEnv(families="atoms", max_turns=2)
    env.reset(seed=4)
    observation, reward, terminated, _, info = env.step(response)
    assert (reward, terminated) == (0.0, False)
    assert words in observation == info["feedback"]


@given(st.text(max_size=60), st.sampled_from(FAMILIES), st.integers(0, 4), st.booleans())
@settings(max_examples=150)
def test_no_response_is_an_exception(text, family, level, tags):
    env = ChemistryEnv(families=family, levels=level, answer_format="tags" if tags else "bare", echo_response=True)
    env.reset(options={"task": 1})
    _, reward, terminated, _, info = env.step(f"<answer>{text}</answer>" if tags else text)
    assert reward in (0.0, 1.0) and terminated
    assert info["feedback"] or reward == 1.0


SCRIPT = """
import gymnasium, json
env = gymnasium.make("sdpo_gym:sdpo/Chemistry-v0", n_shots=1)
log = []
for seed in range(40):
    prompt, info = env.reset(seed=seed)
    log.append([prompt, info["task_id"], env.step("<answer>CC(C)N</answer>")[4]["feedback"]])
print(json.dumps(log))
"""


def test_equal_in_every_process_and_made_without_an_import(tmp_path):
    def log(hash_seed):
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        result = subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, env=env, check=True, capture_output=True)
        assert not result.stderr, result.stderr
        return json.loads(result.stdout)

    first = log("1")
    assert first == log("2")
    assert len({task_id for _, task_id, _ in first}) > 35


@pytest.mark.parametrize("family", FAMILIES)
def test_train_and_test_share_no_question_and_examples_are_never_asked(family):
    for level in range(5):
        train = {make_question(family, level, "train", number).key for number in range(40)}
        test = {make_question(family, level, "test", number).key for number in range(4)}
        shown = {example.key for example in examples(family, level, MAX_SHOTS)}
        assert not train & test and not (train | test) & shown and len(shown) == MAX_SHOTS


def sides(question):
    return frozenset(question.params["left"]), frozenset(question.params["right"])


def structure(question):
    return molecule(question.params["smiles"]).canonical


def mentioned(question):
    """The molecule of which the text asks, and what."""
    [smiles] = re.findall(r"(?:of|molecule) (\S+?)(?:\?| have)", question.text)
    return molecule(smiles).canonical, question.params.get("thing")


def asked(question):
    return question.text.partition("\n")[0]


@pytest.mark.parametrize(
    ("family", "substance"),
    [("balance", sides), ("chain", structure), ("choice", asked), ("count", mentioned), ("formula", mentioned)],
)
def test_no_question_is_in_another_split_in_another_form(family, substance):
    """An equation whose sides are in another order, a chain numbered from its other end, other wrong options, another
    SMILES."""
    for level in range(3):
        train, test = (
            {substance(make_question(family, level, split, number)) for number in range(count)}
            for split, count in (("train", 500), ("test", 50))
        )
        shown = [substance(example) for example in examples(family, level, MAX_SHOTS)]
        assert not train & test and not (train | test) & set(shown) and len(set(shown)) == MAX_SHOTS
        assert len(test) > 5


def test_examples_are_earlier_turns():
    env = ChemistryEnv(families="count", levels=0, n_shots=3, answer_format="bare")
    _, info = env.reset(seed=0)
    assert [message["role"] for message in info["messages"]] == ["user", "assistant"] * 3 + ["user"]
    assert all(message["content"].isdigit() for message in info["messages"][1::2])
    assert info["messages"][-1]["content"].endswith("Reply with the number only.")
    assert env.reset(seed=1)[1]["messages"][:6] == info["messages"][:6]


def test_mixtures():
    def drawn(**arguments):
        env = ChemistryEnv(**arguments)
        return [tuple(env.reset(seed=seed)[1]["metadata"].values()) for seed in range(200)]

    assert {family for family, _ in drawn(levels=0)} == set(FAMILIES)
    assert {level for _, level in drawn(families="count")} == {0, 1, 2, 3, 4}
    weighted = [family for family, _ in drawn(families={"count": 3, "balance": 1, "name": 0}, levels=0)]
    assert set(weighted) == {"count", "balance"} and 120 < weighted.count("count") < 180
    levels = [level for _, level in drawn(families=["balance"], levels={"0": 1, 4: 9})]
    assert set(levels) == {0, 4} and levels.count(4) > 150


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"families": "counting"}, r"families must be one or more of \['choice', .*, not 'counting'"),
        ({"families": ["count", 3]}, "not 3"),
        ({"families": 1.5}, "not 1.5"),
        ({"families": []}, "families leaves nothing to choose from"),
        ({"families": {"count": 0}}, "leaves nothing"),
        ({"families": {"count": -1}}, "the weight of 'count' in families must be a number of at least 0, not -1"),
        ({"families": {"count": "much"}}, "must be a number"),
        ({"levels": 5}, r"levels must be one or more of \[0, 1, 2, 3, 4\], not 5"),
        ({"levels": "easy"}, "not 'easy'"),
        ({"levels": True}, "not True"),
        ({"levels": {"x": 1}}, "not 'x'"),
        ({"split": "valid"}, r"split must be one of \['train', 'test', 'all'\], not 'valid'"),
        ({"answer_format": "xml"}, "answer_format must be one of"),
        ({"n_shots": 5}, "n_shots must be a whole number from 0 to 4, not 5"),
        ({"n_shots": 1.0}, "n_shots must be"),
        ({"reward": "sparse"}, "reward must be one of"),
        ({"feedback": "standard"}, r"feedback must be one of \['none', 'verdict', 'checks', 'full'\], not 'standard'"),
        ({"echo_response": "no"}, "echo_response must be one of"),
        ({"max_turns": 0}, "max_turns must be"),
        ({"render_mode": "human"}, "render_mode must be"),
    ],
)
def test_arguments_without_meaning(arguments, message):
    with pytest.raises(ValueError, match=message):
        ChemistryEnv(**arguments)


@pytest.mark.parametrize(
    "task", ["count-0-test-3", "name-0-train-3", "count-1-train-3", "count-0-train-x", "omega", -1]
)
def test_tasks_that_are_not_there(task):
    env = ChemistryEnv(families="count", levels=0)
    with pytest.raises(ValueError, match=r"look like 'count-0-train-0', and they are endless|out of range"):
        env.reset(options={"task": task})
