"""Several episodes at once: what single environments do, and what is a vector's own."""

import re

import gymnasium
import numpy as np
import pytest
import toy_env
from gymnasium.error import ResetNeeded
from hypothesis import given, settings
from hypothesis import strategies as st

from sdpo_gym import Task, TaskList, TextEnv, TextVectorEnv, Verdict, Verifier


@given(
    st.lists(st.text(max_size=5), min_size=9, max_size=9),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    st.integers(1, 3),
)
@settings(max_examples=50)
def test_a_vector_environment_equals_single_ones(texts, tasks, max_turns):
    vector = toy_env.EvenVectorEnv(num_envs=3, max_turns=max_turns)
    singles = [toy_env.EvenLengthEnv(max_turns=max_turns) for _ in range(3)]
    observations, infos = vector.reset(seed=[4, 5, 6], options={"task": tasks})
    done = [False] * 3
    for i, (env, task) in enumerate(zip(singles, tasks, strict=True)):
        observation, info = env.reset(seed=4 + i, options={"task": task})
        assert observation == observations[i] and info == entry(infos, i)
    for turn in range(3):
        if all(done):
            break
        actions = [None if done[i] else texts[3 * turn + i] for i in range(3)]
        observations, rewards, terminations, truncations, infos = vector.step(actions)
        for i, env in enumerate(singles):
            if done[i]:
                assert (observations[i], rewards[i], bool(terminations[i])) == ("", 0.0, True)
                continue
            observation, reward, terminated, truncated, info = env.step(actions[i])
            assert (observation, reward, terminated, truncated) == (
                observations[i],
                rewards[i],
                terminations[i],
                truncations[i],
            )
            assert info == entry(infos, i)
            done[i] = terminated


def entry(infos, i):
    """One environment's part of a vector environment's infos."""
    part = {}
    for key, values in infos.items():
        if not key.startswith("_"):
            part[key] = entry(values, i) if isinstance(values, dict) else values[i]
    return part


VALUES = (0, 0.5, None, "high", True, 2**70, [1, 2], {"deep": 1}, np.arange(3))


class ValuesEnv(TextEnv):
    """Its tasks have metadata of different types, and are solved to the degree that the response says."""

    def __init__(self, render_mode: str | None = None):
        tasks = [
            Task(str(i), ({"role": "user", "content": "?"},), metadata={"value": value, f"only_{i}": value})
            for i, value in enumerate(VALUES)
        ]
        super().__init__(TaskList(tasks), DegreeVerifier(), max_turns=2, render_mode=render_mode)


class DegreeVerifier(Verifier):
    def verify(self, task, response):
        degree = float(response)
        return Verdict(degree, False, metrics={"degree": int(degree) if degree.is_integer() else degree})


class ValuesVectorEnv(TextVectorEnv):
    env_type = ValuesEnv


@pytest.mark.parametrize("first", range(len(VALUES)))
def test_values_of_different_types_in_info_are_those_of_single_environments(first):
    count = len(VALUES)
    tasks = [(first + i) % count for i in range(count)]
    degrees = [str(i / 2) for i in range(count)]
    vector = ValuesVectorEnv(count)
    said = [vector.reset(options={"task": tasks})[1], vector.step(degrees)[4]]
    for i, (task, degree) in enumerate(zip(tasks, degrees, strict=True)):
        env = ValuesEnv()
        for infos, info in zip(said, (env.reset(options={"task": task})[1], env.step(degree)[4]), strict=True):
            values = infos["metadata"]
            assert values["_value"][i] and values["value"][i] is info["metadata"]["value"]
            assert np.flatnonzero(values[f"_only_{task}"]).tolist() == [i]
        assert infos["metrics"]["degree"][i] == info["metrics"]["degree"] == i / 2
        assert type(info["metrics"]["degree"]) is float


def test_vector_seeds_are_those_of_single_environments():
    vector = toy_env.EvenVectorEnv(num_envs=4)
    vector.reset(seed=10)
    _, infos = vector.reset()
    for i in range(4):
        env = toy_env.EvenLengthEnv()
        env.reset(seed=10 + i)
        assert env.reset()[1]["task_id"] == infos["task_id"][i]
    assert vector.reset(seed=10)[0] == toy_env.EvenVectorEnv(num_envs=4).reset(seed=10)[0]


def test_some_episodes_can_be_reset():
    vector = toy_env.EvenVectorEnv(num_envs=3)
    vector.reset(seed=0, options={"task": [0, 1, 2]})
    vector.step(["even", "odd", "even"])
    with pytest.raises(ResetNeeded, match=r"episode 0 is over: give None as its action, or .*'reset_mask'"):
        vector.step(["even", "even", "even"])
    mask = np.array([True, False, False])
    observations, infos = vector.reset(options={"reset_mask": mask, "task": ["delta", None, None]})
    assert observations[0] == "Say delta." and infos["_task_id"].tolist() == [True, False, False]
    _, rewards, *_ = vector.step(["even", None, None])
    assert rewards.tolist() == [1.0, 0.0, 0.0]


def test_a_reset_with_an_unknown_task_leaves_all_episodes_as_they_were():
    vector = toy_env.EvenVectorEnv(num_envs=2, max_turns=3, render_mode="ansi")
    vector.reset(seed=0, options={"task": [0, 1]})
    vector.step(["odd", "odd"])
    before = vector.render()
    with pytest.raises(ValueError, match="omega"):
        vector.reset(options={"task": [2, "omega"]})
    assert vector.render() == before
    assert vector.step(["even", "even"])[1].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("mask", [[True], np.array([1, 0, 0]), np.zeros(3, dtype=bool)])
def test_bad_reset_masks(mask):
    vector = toy_env.EvenVectorEnv(num_envs=3)
    vector.reset(seed=0)
    with pytest.raises(ValueError, match="reset_mask"):
        vector.reset(options={"reset_mask": mask})


def test_vector_misuse():
    vector = toy_env.EvenVectorEnv(num_envs=2)
    with pytest.raises(ResetNeeded, match="reset"):
        vector.step(["a", "b"])
    vector.reset(seed=0)
    for actions in (["a"], "ab", 3):
        with pytest.raises(ValueError, match="list of 2"):
            vector.step(actions)
    with pytest.raises(TypeError, match="str"):
        vector.step(["a", 1])
    with pytest.raises(ValueError, match="num_envs"):
        toy_env.EvenVectorEnv(num_envs=0)


gymnasium.register(
    "limited/Even-v0",
    toy_env.EvenLengthEnv,
    vector_entry_point=toy_env.EvenVectorEnv,
    max_episode_steps=2,
    kwargs={"max_turns": 3},
)


@pytest.mark.parametrize("limit", [{}, {"max_episode_steps": 1}, {"max_episode_steps": 3}, {"max_episode_steps": -1}])
def test_a_limit_on_steps_truncates_as_in_single_environments(limit):
    vector = gymnasium.make_vec("limited/Even-v0", num_envs=2, vectorization_mode="vector_entry_point", **limit)
    singles = [gymnasium.make("limited/Even-v0", **limit) for _ in range(2)]
    vector.reset(options={"task": [0, 1]})
    for task, env in enumerate(singles):
        env.reset(options={"task": task})
    over = np.zeros(2, dtype=bool)
    for words in (("odd", "odd"), ("odd", "even"), ("odd", "odd")):
        actions = [None if ended else word for word, ended in zip(words, over, strict=True)]
        observations, rewards, terminations, truncations, infos = vector.step(actions)
        for i in np.flatnonzero(~over):
            said = singles[i].step(actions[i])
            assert said[:4] == (observations[i], rewards[i], terminations[i], truncations[i])
            assert said[4] == entry(infos, i)
        assert not (over & ~(terminations | truncations)).any()
        over = terminations | truncations
    assert over.all()


def test_a_truncated_episode_is_over_until_it_is_reset():
    vector = toy_env.EvenVectorEnv(2, max_turns=3, max_episode_steps=1)
    vector.reset(seed=0)
    assert vector.step(["odd", "even"])[3].tolist() == [True, True]
    with pytest.raises(ResetNeeded, match="episode 0 is over"):
        vector.step(["even", None])
    vector.reset(options={"reset_mask": np.array([True, False])})
    _, rewards, terminations, truncations, _ = vector.step(["even", None])
    assert (rewards.tolist(), terminations.tolist(), truncations.tolist()) == ([1.0, 0.0], [True, True], [True, True])
    vector.reset(seed=0)
    assert "odd number" in vector.step(["even", "odd"])[0][1]
    assert vector.step([None, None])[0] == ("", "")


@pytest.mark.parametrize("limit", [0, -2, 1.5, True, "2"])
def test_limits_on_steps_that_make_no_sense(limit):
    with pytest.raises(ValueError, match=re.escape("max_episode_steps must be a whole number of at least 1, or")):
        toy_env.EvenVectorEnv(max_episode_steps=limit)


@pytest.mark.parametrize("arguments", [{"num_envs": 0}, {"max_turns": 0}])
def test_a_vector_environment_that_was_not_made_can_be_closed(arguments):
    made = []

    class KeptVectorEnv(toy_env.EvenVectorEnv):
        def __init__(self, **arguments):
            made.append(self)
            super().__init__(**arguments)

    with pytest.raises(ValueError, match=next(iter(arguments))):
        KeptVectorEnv(**arguments)
    made[0].close()


def test_made_by_gymnasium():
    vector = gymnasium.make_vec("sdpo/LiveCodeBench-v0", num_envs=2, vectorization_mode="vector_entry_point")
    assert isinstance(vector, TextVectorEnv) and vector.num_envs == 2
    vector.close()
