"""The server of environments, over real connections, and what it does with those who break its rules."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import gymnasium
import pytest
from environment_server import TOKEN, served

import sdpo_gym  # noqa: F401

pytest.importorskip("uvicorn", reason="the server needs the extra [serve]")
pytest.importorskip("fastapi", reason="the server needs the extra [serve]")
websockets = pytest.importorskip("websockets", reason="the server needs the extra [serve]")

from websockets.sync.client import connect  # noqa: E402


@pytest.fixture(scope="module")
def url():
    with served("toy_env:toy/Even-v0", "--env-arg", "max_turns=20", "--max-message-mb", "1") as address:
        yield address


def raw(url, headers=None, **kwargs):
    """A connection without our client."""
    headers = {"Authorization": f"Bearer {TOKEN}"} if headers is None else headers
    return connect(f"ws{url[4:]}/ws", additional_headers=headers, proxy=None, max_size=None, **kwargs)


def ask(connection, message):
    connection.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
    answer = json.loads(connection.recv(timeout=30))
    return answer["type"], answer["data"]


def remote(url, **kwargs):
    return gymnasium.make("sdpo/Remote-v0", url=url, token=TOKEN, **kwargs)


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 30 seconds"
        time.sleep(0.05)


def test_the_messages_of_an_episode(url):
    with raw(url) as connection:
        kind, data = ask(connection, {"type": "reset", "data": {"options": {"task": "beta"}, "episode_id": "e1"}})
        assert kind == "observation" and data["done"] is False and data["reward"] is None
        assert data["observation"]["text"] == "Say beta." and data["observation"]["success"] is None
        _, data = ask(connection, {"type": "step", "data": {"text": "odd"}})
        observation = data["observation"]
        assert (data["reward"], data["done"]) == (0.0, False)
        assert observation["feedback"] == "The response has 3 characters, an odd number."
        assert (observation["success"], observation["terminated"], observation["truncated"]) == (False, False, False)
        assert observation["info"]["task_id"] == "beta" and observation["metadata"] == {}
        assert ask(connection, {"type": "state"})[1] == {
            "episode_id": "e1",
            "step_count": 1,
            "env_id": "toy_env:toy/Even-v0",
            "num_tasks": 4,
            "action_length": 1_000_000,
            "observation_length": 1_000_000,
        }
        _, data = ask(connection, {"type": "step", "data": {"text": "even", "metadata": {"ignored": 1}}})
        assert (data["reward"], data["done"], data["observation"]["terminated"]) == (1.0, True, True)
        connection.send(json.dumps({"type": "close"}))
        with pytest.raises(websockets.exceptions.ConnectionClosedOK):
            connection.recv(timeout=30)


@pytest.mark.parametrize(
    ("message", "code", "says"),
    [
        ("", "INVALID_JSON", "Expecting value"),
        ("{", "INVALID_JSON", "Expecting"),
        (b"\x00\xff", "INVALID_JSON", "not bytes"),
        ("[" * 100_000, "VALIDATION_ERROR", "nested"),
        ("[]", "VALIDATION_ERROR", "object"),
        ("null", "VALIDATION_ERROR", "object"),
        ({"data": {}}, "VALIDATION_ERROR", "type"),
        ({"type": 1}, "VALIDATION_ERROR", "type"),
        ({"type": "step", "data": "text"}, "VALIDATION_ERROR", "data"),
        ({"type": "step", "data": {"text": "x"}, "more": 1}, "VALIDATION_ERROR", "nothing else"),
        ({"type": "fly"}, "UNKNOWN_TYPE", "'fly'"),
        ({"type": "mcp", "data": {}}, "UNKNOWN_TYPE", "'mcp'"),
        ({"type": "step", "data": {}}, "VALIDATION_ERROR", "text: Field required"),
        ({"type": "step", "data": {"text": 5}}, "VALIDATION_ERROR", "text: "),
        ({"type": "step", "data": {"text": "x", "code": "y"}}, "VALIDATION_ERROR", "code: "),
        ({"type": "reset", "data": {"seed": -1}}, "VALIDATION_ERROR", "seed: "),
        ({"type": "reset", "data": {"seed": True}}, "VALIDATION_ERROR", "seed: "),
        ({"type": "reset", "data": {"seed": "7"}}, "VALIDATION_ERROR", "seed: "),
        ({"type": "reset", "data": {"options": 1}}, "VALIDATION_ERROR", "options: "),
        ({"type": "reset", "data": {"colour": 1}}, "VALIDATION_ERROR", "colour: "),
        ({"type": "reset", "data": {"options": {"task": 99}}}, "VALIDATION_ERROR", "out of range"),
        ({"type": "reset", "data": {"episode_id": "x" * 256}}, "VALIDATION_ERROR", "episode_id: "),
    ],
)
def test_malformed_messages_are_refused_and_the_session_goes_on(url, message, code, says):
    with raw(url) as connection:
        ask(connection, {"type": "reset", "data": {"options": {"task": 0}}})
        kind, data = ask(connection, message)
        assert (kind, data["code"]) == ("error", code) and says in data["message"]
        assert ask(connection, {"type": "step", "data": {"text": "even"}})[1]["reward"] == 1.0


def test_a_response_that_cannot_be_encoded_is_a_failed_attempt(url):
    with raw(url) as connection:
        ask(connection, {"type": "reset", "data": {"options": {"task": 0}}})
        kind, data = ask(connection, '{"type": "step", "data": {"text": "\\ud800"}}')
        assert kind == "observation" and data["observation"]["info"]["messages"][1]["content"] == "?"


def test_a_step_before_the_reset_and_after_the_end(url):
    with raw(url) as connection:
        kind, data = ask(connection, {"type": "step", "data": {"text": "x"}})
        assert (kind, data["code"]) == ("error", "EXECUTION_ERROR") and "reset first" in data["message"]
        ask(connection, {"type": "reset"})
        ask(connection, {"type": "step", "data": {"text": "even"}})
        kind, data = ask(connection, {"type": "step", "data": {"text": "even"}})
        assert kind == "error" and "over" in data["message"]


def test_an_oversized_message_ends_its_session_alone(url):
    with raw(url) as other, raw(url) as connection:
        ask(other, {"type": "reset", "data": {"options": {"task": 0}}})
        # The head of a frame of 2 MiB alone: a rest that the server does not read would reset the connection.
        connection.socket.sendall(b"\x81\xff" + (1 << 21).to_bytes(8, "big") + bytes(4))
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            connection.recv(timeout=30)
        assert closed.value.rcvd.code == 1009
        assert ask(other, {"type": "step", "data": {"text": "even"}})[1]["reward"] == 1.0


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "/health", None, 200),
        ("GET", "/metadata", TOKEN, 200),
        ("GET", "/schema", TOKEN, 200),
        ("GET", "/metadata", None, 401),
        ("GET", "/schema", "another-token-altogether", 401),
        ("GET", "/ws", TOKEN, 404),
        ("GET", "/openapi.json", TOKEN, 404),
        ("POST", "/step", TOKEN, 404),
        ("POST", "/schema", TOKEN, 405),
    ],
)
def test_http(url, method, path, token, status):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = b"x" * 1000 if method == "POST" else None
    request = urllib.request.Request(url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == status and json.load(answer)
    except urllib.error.HTTPError as error:
        assert error.code == status


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["no HTTP", "half a handshake", "an endless path"],
)
def test_bytes_that_are_no_request(url, request_bytes):
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request_bytes)
        assert connection.recv(1000).startswith(b"HTTP/1.1 4")
    env = remote(url)
    assert env.reset(seed=0)[0]
    env.close()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer",
        "Bearer another-token-altogether",
        f"Basic {TOKEN}",
        "Basic ====",
        "Basic \xe9\xe9",
        f"Digest {TOKEN}",
        TOKEN,
    ],
)
def test_without_the_token_there_is_no_session(url, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        raw(url, headers)
    assert refused.value.response.status_code == 403


def test_the_token_as_the_password_of_a_url(url):
    with raw(url, {"Authorization": "Basic " + b64encode(f"anyone:{TOKEN}".encode()).decode()}) as connection:
        assert ask(connection, {"type": "reset"})[0] == "observation"


def test_a_session_too_many_is_sent_away_and_a_killed_client_leaves_its_place():
    code = f"""
import gymnasium, sdpo_gym, sys, time
env = gymnasium.make("sdpo/Remote-v0", url=sys.argv[1], token={TOKEN!r})
env.reset(seed=0)
print("playing", flush=True)
time.sleep(600)
"""
    with served("toy_env:toy/Even-v0", "--max-sessions", "1") as url:
        for _ in range(2):  # what is freed once is freed again
            client = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
            try:
                assert client.stdout.readline() == "playing\n"
                with pytest.raises(ConnectionError, match="all 1 sessions are taken"):
                    remote(url)
            finally:
                client.send_signal(signal.SIGKILL)
                client.wait()
                client.stdout.close()
            wait_for(lambda: _is_free(url))


def test_a_new_session_waits_for_one_that_is_being_closed():
    with served("serving.odd_envs:odd/Failing-v0", "--max-sessions", "1", "--env-arg", "close_seconds=0.5") as url:
        for _ in range(3):
            env = remote(url)
            env.reset(seed=0)
            env.close()


def _is_free(url):
    try:
        remote(url).close()
    except ConnectionError:
        return False
    return True


def test_a_client_that_is_killed_during_a_step_leaves_its_place():
    code = f"""
import gymnasium, sdpo_gym, sys
env = gymnasium.make("sdpo/Remote-v0", url=sys.argv[1], token={TOKEN!r})
env.reset(seed=0)
print("playing", flush=True)
env.step("sleep")
"""
    with served("serving.odd_envs:odd/Failing-v0", "--max-sessions", "1") as url:
        client = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
        assert client.stdout.readline() == "playing\n"
        time.sleep(0.5)
        client.kill()
        client.wait()
        client.stdout.close()
        wait_for(lambda: _is_free(url))


def test_a_silent_session_is_ended():
    with served("toy_env:toy/Even-v0", "--max-sessions", "1", "--idle-seconds", "0.3") as url:
        with raw(url) as connection:
            ask(connection, {"type": "reset"})
            with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
                connection.recv(timeout=30)
            assert closed.value.rcvd.code == 1008 and "0.3 seconds" in closed.value.rcvd.reason
        wait_for(lambda: ask_once(url) == "observation")


def ask_once(url):
    with raw(url) as connection:
        return ask(connection, {"type": "reset"})[0]


def test_sessions_do_not_cross(url):
    def play(number):
        env = remote(url)
        seen = []
        for episode in range(3):
            _, info = env.reset(options={"task": (number + episode) % 4})
            seen.append(info["task_id"])
            for turn in range(4):
                word = f"{number}-{episode}-{turn}".ljust(21, ".")
                *_, info = env.step(word)
                assert info["turn"] == turn + 1 and info["messages"][2 * turn + 1]["content"] == word
        env.close()
        return seen

    words = ("alpha", "beta", "gamma", "delta")
    with ThreadPoolExecutor(24) as threads:
        for number, seen in enumerate(threads.map(play, range(24))):
            assert seen == [words[(number + episode) % 4] for episode in range(3)]


def test_an_environment_that_fails_ends_nothing_else():
    with served("serving.odd_envs:odd/Failing-v0") as url:
        env, other = remote(url), remote(url)
        other.reset(seed=0)
        env.reset(seed=0)
        with pytest.raises(RuntimeError, match="failed: RuntimeError: the judge is lost"):
            env.step("raise")
        env.reset(seed=0)
        with pytest.raises(RuntimeError, match="SystemExit: 1"):
            env.step("sys.exit")
        env.reset(seed=0)
        with pytest.raises(RuntimeError, match="ContractError: 'odd/Failing-v0': the info of step must be a dict, not"):
            env.step("no info")
        env.reset(seed=0)
        assert env.step("fraction")[1] == 0.5
        text, reward, terminated, truncated, info = env.step("truncate")
        assert (text, reward, terminated, truncated) == ("lone \ud800 surrogate", 1.0, False, True)
        assert info == {
            "array": [0, 1, 2],
            "number": 0.5,
            "nan": None,
            "nested": [{"1": "one"}, None, True],
            "feedback": "lone \ud800 surrogate",
        }

        slow = threading.Thread(target=_step, args=(remote(url), "sleep"), daemon=True)
        slow.start()
        assert other.step("fast")[1] == 1.0  # while another session's step takes its time
        assert slow.is_alive()


def test_an_environment_knows_one_thread():
    with served("serving.odd_envs:odd/OneThread-v0") as url, ThreadPoolExecutor(8) as threads:
        envs = [remote(url) for _ in range(8)]
        for _ in range(10):
            list(threads.map(_step_and_go_on, envs))
        for env in envs:
            env.close()


def _step_and_go_on(env):
    env.reset(seed=0)
    assert env.step("even")[1] == 1.0


def test_an_environment_that_cannot_be_made_keeps_its_arguments_to_itself():
    with served("serving.odd_envs:odd/Once-v0", "--env-arg", "key=a-secret") as url:
        env = remote(url)
        with pytest.raises(RuntimeError, match="could not be made; the server's log says why") as raised:
            env.reset(seed=0)
        assert "a-secret" not in str(raised.value)
        env.close()


def _step(env, action):
    env.reset(seed=0)
    with contextlib.suppress(ConnectionError):
        env.step(action)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sdpo/Nothing-v0"], "Nothing"),
        (["no_such_module:x/Y-v0"], "no_such_module"),
        (["toy_env:toy/Numbers-v0"], "not a text environment: its observations are Box"),
        (["toy_env:toy/Even-v0", "--env-arg", "colour=1"], "colour"),
        (["toy_env:toy/Even-v0", "--env-arg", "max_turns"], "key=value"),
        (["toy_env:toy/Even-v0", "--max-sessions", "0"], "max_sessions must be at least 1"),
        (["toy_env:toy/Even-v0", "--idle-seconds", "0"], "idle_seconds must be positive"),
        (["toy_env:toy/Even-v0", "--max-message-mb", "0"], "max_message_bytes must be positive"),
        (["toy_env:toy/Even-v0", "--port", "-1"], "0 for a free one, not -1"),
        (["toy_env:toy/Even-v0", "--port", "99999"], "from 1 to 65535, or 0 for a free one, not 99999"),
        (["toy_env:toy/Even-v0", "--certificate", "/nowhere.pem"], "/nowhere.pem cannot be used for https: No such"),
        (["toy_env:toy/Even-v0", "--certificate", __file__], f"{__file__} cannot be used for https: "),
        (["toy_env:toy/Even-v0", "--certificate", "/a.pem", "--key", "/b.pem"], "/a.pem and /b.pem cannot be used"),
        (["toy_env:toy/Even-v0", "--key", "/b.pem"], "the key /b.pem is of use only with its certificate"),
        (["toy_env:toy/Even-v0", "--host", "192.0.2.1"], "192.0.2.1"),
    ],
)
def test_misuse_of_the_command(words, message, monkeypatch, capsys):
    from sdpo_gym import cli

    monkeypatch.setenv("SDPO_GYM_SERVE_TOKEN", TOKEN)
    assert cli.main(["serve", "--port", "0", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_sandbox_that_does_not_work_is_found_before_serving(monkeypatch, capsys):
    from sdpo_gym import cli

    monkeypatch.setenv("SDPO_GYM_SERVE_TOKEN", TOKEN)
    monkeypatch.delenv("SDPO_GYM_SANDBOX_URL", raising=False)
    assert cli.main(["serve", "sdpo/LiveCodeBench-v0", "--env-arg", "sandbox=remote", "--port", "0"]) == 2
    said = capsys.readouterr()
    assert "no sandbox server is named" in said.err and said.out == ""


def test_the_command_wants_a_good_token(monkeypatch, capsys):
    from sdpo_gym import cli

    monkeypatch.delenv("SDPO_GYM_SERVE_TOKEN", raising=False)
    assert cli.main(["serve", "toy_env:toy/Even-v0", "--port", "0"]) == 2
    assert "SDPO_GYM_SERVE_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("SDPO_GYM_SERVE_TOKEN", "short")
    assert cli.main(["serve", "toy_env:toy/Even-v0", "--port", "0"]) == 2
    assert "16 or more" in capsys.readouterr().err
