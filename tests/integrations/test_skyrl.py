"""SkyRL-gym: its registry makes our environment, and its interface plays an episode."""

import json

import pytest
import toy_env  # noqa: F401

skyrl_gym = pytest.importorskip("skyrl_gym", reason="SkyRL-gym is not installed: pip install -e '.[skyrl]'")

from skyrl_gym.envs import registration  # noqa: E402

PROMPT = [{"role": "user", "content": "Say beta."}]


@pytest.fixture(scope="module", autouse=True)
def registered():
    skyrl_gym.register(id="sdpo_gym", entry_point="sdpo_gym.integrations.skyrl:EpisodeEnv")
    yield
    registration.deregister("sdpo_gym")


def make(env_id="toy_env:toy/Even-v0", task_id="beta", **env_args):
    row = {"env_id": env_id, "env_args": json.dumps(env_args), "task_id": task_id, "seed": 0}
    return skyrl_gym.make("sdpo_gym", env_config={}, extras={"extra_info": row, "max_turns": 3})


def test_an_episode_with_feedback():
    env = make(max_turns=3)
    assert env.init(PROMPT) == (PROMPT, {"task_id": "beta"})
    feedback = "The response has 3 characters, an odd number."
    assert env.step("odd") == {
        "observations": [{"role": "user", "content": feedback}],
        "reward": 0.0,
        "done": False,
        "metadata": {"success": False, "feedback": feedback},
    }
    last = env.step("even")
    assert (last["observations"], last["reward"], last["done"]) == ([], 1.0, True)
    assert env.get_metrics() == {"characters": 4.0, "success": 1.0, "turns": 2.0}
    env.close()


def test_the_last_feedback_is_in_the_metadata():
    env = make(max_turns=1)
    env.init(PROMPT)
    last = env.step("odd")
    assert last["done"] and last["observations"] == [] and "an odd number" in last["metadata"]["feedback"]


def test_metrics_of_many_episodes():
    metrics = []
    for response in ("odd", "even"):
        env = make()
        env.init(PROMPT)
        env.step(response)
        metrics.append(env.get_metrics())
    assert type(env).aggregate_metrics(metrics)["success"] == 0.5


def test_an_environment_begins_again():
    env = make(max_turns=1)
    for _ in range(2):
        env.init(PROMPT)
        assert env.step("even")["done"]
    assert env.get_metrics()["turns"] == 1.0


def test_a_row_of_another_data_set_is_refused():
    with pytest.raises(ValueError, match="poses 'seed 0'; was the data set made with other arguments"):
        make("toy_env:toy/Plain-v0", "seed 4").init(PROMPT)


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="omega"):
        make(task_id="omega").init(PROMPT)
