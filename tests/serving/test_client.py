"""An environment on a server is the environment that it would be here."""

import json
import signal
import socket
import subprocess
import threading
import time

import gymnasium
import numpy as np
import pytest
import toy_env
from environment_server import TOKEN, served, start_server
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import sdpo_gym  # noqa: F401

pytest.importorskip("uvicorn", reason="the server needs the extra [serve]")
pytest.importorskip("fastapi", reason="the server needs the extra [serve]")
pytest.importorskip("websockets", reason="the client needs the extra [serve]")

from websockets.sync.server import serve

RESPONSES = [
    "even",
    "odd",
    "",
    "x" * 100_001,
    "x" * 1_000_002,
    "≤ 汉字 🎉\r\n\t\x00",
    "lone \ud800 surrogate",
    '"}{"type": "close"}',
]


@pytest.fixture(scope="module")
def url():
    with served("toy_env:toy/Even-v0", "--env-arg", "max_turns=3") as address:
        yield address


@pytest.fixture
def remote(url):
    env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN)
    yield env
    env.close()


def test_it_equals_the_environment_here(remote):
    local = gymnasium.make("toy/Even-v0", max_turns=3)
    assert (remote.action_space, remote.observation_space) == (local.action_space, local.observation_space)
    assert remote.get_wrapper_attr("num_tasks") == 4
    for seed, response in enumerate(RESPONSES):
        assert remote.reset(seed=seed) == local.reset(seed=seed)
        assert remote.step("odd") == local.step("odd")
        there, here = remote.step(response), local.step(response)
        if len(response) <= 1_000_001:
            assert there == here
        else:  # what nobody reads is cut off on the way
            assert there[1:4] == here[1:4] and "at most 1000000" in there[4]["feedback"]
    for _ in range(20):  # random numbers go on there as here
        assert remote.reset() == local.reset()
    assert remote.reset(options={"task": "gamma"}) == local.reset(options={"task": "gamma"})


@pytest.mark.parametrize("env_id", ["sdpo/LiveCodeBench-v0", "sdpo/ToolUse-v0"])
def test_our_environments(env_id):
    def play(env):
        yield env.reset(seed=3)
        yield env.step("```python\nprint(input(\n```")
        yield env.step("no answer")

    with served(env_id, "--env-arg", "max_turns=2") as url:
        remote = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN)
        local = gymnasium.make(env_id, max_turns=2)
        assert _as_json(list(play(remote))) == _as_json(list(play(local)))
        local.close()
        remote.close()


def _as_json(value):
    return json.loads(json.dumps(value))


def test_environments_of_other_packages():
    with served("toy_env:toy/Plain-v0") as url:
        remote, local = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN), toy_env.PlainEnv()
        assert remote.reset(seed=5) == local.reset(seed=5)
        assert remote.step("odd") == local.step("odd") == ("odd", 0.0, True, False, {})
        assert remote.get_wrapper_attr("num_tasks") is None and remote.action_space.max_length == 1000
        for response in ("x" * 1002, "x" * 1003):  # more than the space holds, which this environment reads
            assert remote.reset(seed=5) == local.reset(seed=5)
            assert remote.step(response) == local.step(response)
        remote.close()


@pytest.mark.parametrize("said", [None, "a note", 7])
def test_a_server_that_means_something_else_by_info(said):
    def answer(connection):
        for message in connection:
            observation = {"text": "Go on.", "info": said, "level": 3}
            data = {} if json.loads(message)["type"] == "state" else {"observation": observation, "reward": 0.5}
            connection.send(json.dumps({"type": "observation" if data else "state", "data": data}))

    with serve(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        env = gymnasium.make("sdpo/Remote-v0", url=f"http://127.0.0.1:{server.socket.getsockname()[1]}")
        assert env.reset() == ("Go on.", {"info": said, "level": 3})
        assert env.step("x") == ("Go on.", 0.5, False, False, {"info": said, "level": 3})
        env.close()
        server.shutdown()
        thread.join()


def test_gymnasiums_checker(remote):
    check_env(remote.unwrapped, skip_render_check=True)


def test_several_at_once(url):
    kwargs = {"url": url, "token": TOKEN}
    vector = gymnasium.make_vec("sdpo/Remote-v0", num_envs=3, vectorization_mode="sync", **kwargs)
    observations, infos = vector.reset(seed=[5, 6, 5])
    assert observations[0] == observations[2] and len(set(infos["task_id"])) > 1
    _, rewards, terminations, _, infos = vector.step(["even", "odd", "even"])
    assert rewards.tolist() == [1.0, 0.0, 1.0] and terminations.tolist() == [True, False, True]
    assert "odd number" in infos["feedback"][1]
    vector.close()


def test_misuse(remote, url):
    with pytest.raises(ResetNeeded):
        remote.unwrapped.step("x")
    remote.reset(seed=0)
    with pytest.raises(TypeError, match="str"):
        remote.step(5)
    remote.step("even")
    with pytest.raises(ResetNeeded, match="reset"):
        remote.step("even")
    with pytest.raises(ValueError, match="out of range"):
        remote.reset(options={"task": 99})
    assert remote.reset(options={"task": 0})[0] == "Say alpha."
    assert remote.reset(options={"task": np.int64(1)})[0] == "Say beta."
    with pytest.raises(TypeError, match="JSON can hold, not object"):
        remote.reset(options={"task": object()})
    remote.reset(options={"task": 0})
    remote.close()
    with pytest.raises(ResetNeeded):
        remote.step("even")
    for arguments, message in (
        ({"url": "127.0.0.1:1"}, "looks like http"),
        ({"url": url, "render_mode": "ansi"}, "render_mode"),
        ({"url": url, "answer_seconds": 0}, "positive"),
    ):
        with pytest.raises(ValueError, match=message):
            gymnasium.make("sdpo/Remote-v0", **arguments)


def test_the_token_comes_from_the_environment(url, monkeypatch):
    monkeypatch.setenv("SDPO_GYM_SERVE_TOKEN", TOKEN)
    gymnasium.make("sdpo/Remote-v0", url=url).close()
    monkeypatch.setenv("SDPO_GYM_SERVE_TOKEN", "another-token-altogether")
    with pytest.raises(PermissionError, match="does not know this token"):
        gymnasium.make("sdpo/Remote-v0", url=url)
    monkeypatch.delenv("SDPO_GYM_SERVE_TOKEN")
    with pytest.raises(PermissionError, match="SDPO_GYM_SERVE_TOKEN"):
        gymnasium.make("sdpo/Remote-v0", url=url)


def test_no_server():
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts, and says nothing
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ConnectionError, match="no environment server answers"):
            gymnasium.make("sdpo/Remote-v0", url=address, connect_seconds=0.5)
    with pytest.raises(ConnectionError, match="no environment server answers"):
        gymnasium.make("sdpo/Remote-v0", url=address)


def test_a_server_that_dies_loses_the_episode_and_the_next_one_begins_on_its_successor():
    server, url = start_server("toy_env:toy/Even-v0", "--env-arg", "max_turns=3")
    try:
        env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN)
        env.reset(seed=0)
        server.send_signal(signal.SIGKILL)
        server.wait()
        with pytest.raises(ConnectionError, match="is lost"):
            env.step("even")
        with pytest.raises(ConnectionError):
            env.reset(seed=0)
        server.stdout.close()
        server, _ = start_server("toy_env:toy/Even-v0", "--env-arg", "max_turns=3", port=url.rpartition(":")[2])
        assert env.reset(options={"task": 1})[0] == "Say beta."
        assert env.step("even")[1] == 1.0
        env.close()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_an_episode_begins_on_a_server_that_was_restarted_after_the_last_one():
    server, url = start_server("toy_env:toy/Even-v0")
    try:
        env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN)
        env.reset(seed=0)
        env.step("even")
        server.kill()
        server.wait()
        server.stdout.close()
        server, _ = start_server("toy_env:toy/Even-v0", port=url.rpartition(":")[2])
        assert env.reset(options={"task": 1})[0] == "Say beta."
        env.close()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_an_episode_begins_after_a_silence_that_ended_the_session():
    with served("toy_env:toy/Even-v0", "--idle-seconds", "0.5") as url:
        env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN)
        time.sleep(1)
        assert env.reset(options={"task": 1})[0] == "Say beta."
        time.sleep(1)
        with pytest.raises(ConnectionError, match="is lost"):  # an episode is not begun anew unasked
            env.step("even")
        env.close()


def test_a_reset_that_takes_too_long_is_not_tried_again():
    with served("serving.odd_envs:odd/Failing-v0") as url:
        env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN, answer_seconds=0.5)
        with pytest.raises(ConnectionError, match=r"no answer for 0\.5 seconds"):
            env.reset(options={"sleep": True})
        assert env.reset(options={"sleep": True})[0]
        env.close()


def test_a_judge_that_takes_too_long():
    with served("serving.odd_envs:odd/Failing-v0") as url:
        env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN, answer_seconds=0.5)
        env.reset(seed=0)
        with pytest.raises(ConnectionError, match=r"no answer for 0\.5 seconds"):
            env.step("sleep")
        assert env.reset(seed=0)[0]
        env.close()


def test_an_interrupted_step_is_not_answered_later():
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        _interrupt_a_step()
    finally:
        signal.signal(signal.SIGINT, previous)


def _interrupt_a_step():
    with served("serving.odd_envs:odd/Failing-v0") as url:
        env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN)
        env.reset(seed=0)
        main = threading.get_ident()
        threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            env.step("sleep")
        assert env.reset(seed=7)[0] == toy_env.PlainEnv().reset(seed=7)[0]
        env.close()


def test_over_tls(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
        + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr
    with served("toy_env:toy/Even-v0", "--certificate", str(certificate), "--key", str(key)) as url:
        assert url.startswith("https://")
        env = gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN, certificate=str(certificate))
        env.reset(seed=0)
        assert env.step("even")[1] == 1.0
        env.close()
        with pytest.raises(ConnectionError, match="certificate"):
            gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN)


def test_the_agents_train_on_a_server(url, tiny_model, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="the agents need the extra [agents]")
    from agents.grpo.__main__ import main
    from agents.grpo.config import GRPOConfig

    monkeypatch.setenv("SDPO_GYM_SERVE_TOKEN", TOKEN)
    settings = {"tasks_per_step": 2, "group_size": 2, "max_new_tokens": 8, "steps": 1, "device": "cpu"}
    evaluation = {"eval_tasks": 2, "eval_samples": 1, "eval_every": 1}
    folder = tmp_path / "run"
    main(
        GRPOConfig(
            model=str(tiny_model), env="sdpo/Remote-v0", env_arg=[f"url={url}"], output=folder, **settings, **evaluation
        )
    )
    rollouts = [json.loads(line) for line in (folder / "rollouts.jsonl").read_text().splitlines()]
    assert {rollout["task"] for rollout in rollouts} <= set(toy_env.WORDS)
    failures = [turn for rollout in rollouts for turn in rollout["turns"] if turn["reward"] == 0]
    assert failures and all("odd number" in turn["feedback"] for turn in failures)
