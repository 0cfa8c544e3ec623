"""Every registered environment is what Gymnasium and its tools expect."""

import json
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import OrderEnforcing, RecordEpisodeStatistics, TimeLimit
from gymnasium.wrappers.vector import DictInfoToList

import sdpo_gym

RESPONSES = ["", "no answer", "```python\nprint(1)\n```", "\\boxed{C}", "<answer>B</answer>", "≤ 🎉\n", "x" * 5000]
EXTRAS = {"sdpo/Chemistry-v0": ("rdkit", "chem")}


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    """SciKnowEval's questions are not ours to ship: a file of some of our own in its format."""
    question = "What is the molar weight (g/mol) of the molecule with the canonical SMILES representation '{}'?\n\n{}"
    rows = []
    for carbons in range(1, 9):
        weights = [14.027 * (carbons + more) + 2.016 for more in (1, 0, 2, 3)]
        options = "\n".join(f"{letter}: {weight:.3f}" for letter, weight in zip("ABCD", weights, strict=True))
        prompt = question.format("C" * carbons, options)
        rows.append({"idx": carbons, "answer": "B", "prompt": prompt, "system": "Answer with a letter."})
    path = tmp_path_factory.mktemp("sciknoweval") / "rows.json"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(params=sorted(sdpo_gym.ENVIRONMENTS))
def spec(request, questions):
    """An id and keyword arguments that need no network."""
    if request.param in EXTRAS:
        module, extra = EXTRAS[request.param]
        pytest.importorskip(module, reason=f"{request.param} needs the extra [{extra}]")
    return request.param, {"data": str(questions)} if request.param == "sdpo/SciKnowEval-v0" else {}


@pytest.fixture
def make(spec):
    """Makes the environment, as often as one likes."""
    env_id, arguments = spec
    made = []

    def make(**more):
        made.append(gymnasium.make(env_id, **arguments, **more))
        return made[-1]

    yield make
    for env in made:
        env.close()


def play(env, seed, responses=RESPONSES):
    """Everything that an episode says."""
    said = [env.reset(seed=seed)]
    for response in responses:
        said.append(env.step(response))
        if said[-1][2] or said[-1][3]:
            break
    return said


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("max_turns", [1, 3])
def test_gymnasiums_checker(make, max_turns):
    check_env(make(max_turns=max_turns, render_mode="ansi").unwrapped)


def test_the_contract_of_info(make):
    env = make(max_turns=3)
    (prompt, info), *steps = play(env, 0)
    assert {"task_id", "messages", "turn"} <= info.keys() and info["turn"] == 0
    assert prompt in "\n\n".join(message["content"] for message in info["messages"])
    for turn, (observation, reward, terminated, truncated, info) in enumerate(steps, 1):
        assert env.observation_space.contains(observation) and isinstance(reward, float)
        assert isinstance(info["success"], bool) and isinstance(info["feedback"], str) and info["turn"] == turn
        assert all({"kind", "visibility"} <= item.keys() for item in info["feedback_items"])
        assert (info["stop_reason"] != "") == terminated and not truncated
        assert json.loads(json.dumps(info, allow_nan=False)) == info


def test_the_seed_decides(make):
    one, other = make(max_turns=3), make(max_turns=3)
    for seed in (0, 1, 12345):
        assert play(one, seed) == play(other, seed)
    assert [one.reset()[0] for _ in range(5)] == [other.reset()[0] for _ in range(5)]
    assert len({one.reset(seed=seed)[1]["task_id"] for seed in range(40)}) > 3


def test_a_task_by_its_id_and_index(make):
    env = make()
    task_id = env.reset(seed=5)[1]["task_id"]
    for seed in (0, 1):
        assert env.reset(seed=seed, options={"task": task_id})[1]["task_id"] == task_id
    prompts = {env.reset(seed=seed, options={"task": 3})[0] for seed in range(3)}
    assert len(prompts) == 1


def test_reset_must_come_first(make):
    env = make()
    with pytest.raises(ResetNeeded):
        env.step("x")
    assert isinstance(env, OrderEnforcing)
    play(env, 0, ["final answer"] * 200)
    with pytest.raises(ResetNeeded, match="over"):
        env.step("x")


def test_time_limit(make):
    env = TimeLimit(make(max_turns=5), 2)
    *_, (_, _, terminated, truncated, _) = play(env, 0, ["x", "y", "z"])
    assert (terminated, truncated) == (False, True)


def test_episode_statistics(make):
    env = RecordEpisodeStatistics(make(max_turns=2))
    said = play(env, 0, ["x"] * 200)
    episode = said[-1][4]["episode"]
    assert episode["l"] == len(said) - 1 and episode["r"] == sum(step[1] for step in said[1:])


def test_a_pickled_environment_goes_on_alike(make):
    env = make(max_turns=3).unwrapped
    env.reset(seed=0)
    env.step(RESPONSES[0])
    copy = pickle.loads(pickle.dumps(env))
    assert [copy.step(response) for response in RESPONSES[1:3]] == [env.step(response) for response in RESPONSES[1:3]]
    assert copy.reset()[0] == env.reset()[0]
    copy.close()


def test_the_spec_makes_it_again(make, spec):
    env = make(max_turns=2)
    assert env.spec.kwargs == {**spec[1], "max_turns": 2}
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert play(again, 3) == play(env, 3)
    again.close()


def test_unknown_arguments_are_errors(make):
    with pytest.raises(TypeError, match="colour"):
        make(colour="red")
    with pytest.raises(ValueError, match="max_turns"):
        make(max_turns=0)


@pytest.mark.parametrize("mode", ["sync", "async", "vector_entry_point"])
def test_vector_environments_equal_single_ones(spec, make, mode):
    env_id, arguments = spec
    same_step = {"vector_kwargs": {"autoreset_mode": AutoresetMode.SAME_STEP}}
    more = {"sync": same_step, "vector_entry_point": {}}.get(mode)
    if more is None:
        more = {"vector_kwargs": same_step["vector_kwargs"] | {"shared_memory": False, "context": "spawn"}}
    vector = DictInfoToList(
        gymnasium.make_vec(env_id, num_envs=2, vectorization_mode=mode, **more, **arguments, max_turns=1)
    )
    observations, infos = vector.reset(seed=[4, 5])
    response = "```python\nprint(1)\n```"
    _, rewards, terminations, truncations, after = vector.step([response, "x"])
    for i, action in enumerate([response, "x"]):
        (prompt, info), (_, reward, terminated, truncated, last) = play(make(max_turns=1), 4 + i, [action])
        assert (observations[i], infos[i]["task_id"]) == (prompt, info["task_id"])
        assert (rewards[i], terminations[i], truncations[i]) == (reward, terminated, truncated)
        final = after[i]["final_info"] if mode != "vector_entry_point" and terminated else after[i]
        assert final["feedback"] == last["feedback"] and final["success"] == last["success"]
    vector.close()


def test_some_environments_of_a_vector_are_reset(spec):
    env_id, arguments = spec
    vector = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="vector_entry_point", **arguments, max_turns=1)
    vector.reset(seed=0, options={"task": [0, 1]})
    mask = np.array([False, True])
    observations, infos = vector.reset(options={"task": [None, 0], "reset_mask": mask})
    assert infos["_task_id"].tolist() == [False, True] and observations[0] == observations[1]
    vector.close()
