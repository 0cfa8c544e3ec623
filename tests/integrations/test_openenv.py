"""OpenEnv's own client on our server, and our client on OpenEnv's own server."""

import asyncio
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest
from environment_server import TOKEN, served

import sdpo_gym  # noqa: F401

core = pytest.importorskip("openenv.core", reason="OpenEnv is not installed: pip install 'openenv>=0.10'")

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def url():
    with served("toy_env:toy/Even-v0", "--env-arg", "max_turns=2") as address:
        yield address


def test_its_client_plays_an_episode(url):
    with core.GenericEnvClient(base_url=url, headers=HEADERS).sync() as client:
        first = client.reset(seed=3, options={"task": "beta"}, episode_id="mine")
        assert first.observation["text"] == "Say beta." and not first.done
        failed = client.step({"text": "odd"})
        assert (failed.reward, failed.done) == (0.0, False)
        assert failed.observation["feedback"] == "The response has 3 characters, an odd number."
        assert failed.observation["info"]["task_id"] == "beta"
        assert client.state()["episode_id"] == "mine" and client.state()["step_count"] == 1
        solved = client.step({"text": "even"})
        assert (solved.reward, solved.done, solved.observation["success"]) == (1.0, True, True)
        assert solved.observation["terminated"] and not solved.observation["truncated"]


def test_its_client_is_told_what_is_wrong_and_goes_on(url):
    with core.GenericEnvClient(base_url=url, headers=HEADERS).sync() as client:
        with pytest.raises(RuntimeError, match=r"text: Field required.*VALIDATION_ERROR"):
            client.step({"message": "x"})
        with pytest.raises(RuntimeError, match="out of range"):
            client.reset(options={"task": 99})
        client.reset(seed=0)
        assert client.step({"text": "even"}).done
    with pytest.raises(ConnectionError, match="403"):
        core.GenericEnvClient(base_url=url).sync().connect()


def test_many_of_its_clients_at_once(url):
    async def play(number):
        async with core.GenericEnvClient(base_url=url, headers=HEADERS) as client:
            await client.reset(options={"task": number % 4})
            result = await client.step({"text": f"{number:05}"})
            return result.observation["info"]["messages"][1]["content"], result.observation["info"]["task_id"]

    async def play_all():
        return await asyncio.gather(*(play(number) for number in range(40)))

    words = ("alpha", "beta", "gamma", "delta")
    assert asyncio.run(play_all()) == [(f"{number:05}", words[number % 4]) for number in range(40)]


def test_its_client_without_headers_gives_the_token_in_the_url(url):
    address = url.replace("http://", f"ws://anyone:{TOKEN}@")
    with core.GenericEnvClient(base_url=address).sync() as client:
        assert client.reset(seed=0).observation["text"]


@pytest.fixture(scope="module")
def echo():
    program = Path(__file__).with_name("openenv_echo.py")
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def test_our_client_plays_on_its_server(echo):
    env = gymnasium.make("sdpo/Remote-v0", url=echo, action_field="message", observation_field="echo")
    text, info = env.reset(seed=7)
    assert text == "seed 7" and info["length"] == 0
    text, reward, terminated, truncated, info = env.step("four")
    assert (text, reward, terminated, truncated, info["length"]) == ("four", 0.4, False, False, 4)
    assert env.step("0123456789")[1:4] == (1.0, True, False)
    env.reset(seed=8)
    with pytest.raises(RuntimeError, match="lost"):
        env.step("raise")
    assert env.reset(seed=9)[0] == "seed 9"
    env.close()


def test_our_client_says_which_fields_there_are(echo):
    env = gymnasium.make("sdpo/Remote-v0", url=echo)
    with pytest.raises(ConnectionError, match=r"no text 'text'; their fields: \['echo', 'length', 'metadata'\]"):
        env.reset(seed=0)
    env.close()
    env = gymnasium.make("sdpo/Remote-v0", url=echo, observation_field="echo")
    env.reset(seed=0)
    with pytest.raises(ValueError, match="message"):
        env.step("x")
    env.close()
