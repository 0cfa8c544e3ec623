"""A text environment on another machine, played over the network."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
from typing import Any, ClassVar
from urllib.parse import urlsplit

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from sdpo_gym.extras import needs
from sdpo_gym.network import is_loopback
from sdpo_gym.spaces import UnicodeText

TOKEN_VARIABLE = "SDPO_GYM_SERVE_TOKEN"
PING_SECONDS = 20.0
PONG_SECONDS = 60.0
MAX_ANSWER_BYTES = 256 << 20
MOST_CHARACTERS = 1_000_000
"""Longer responses are sent whole only where the server's action space holds them."""


class RemoteEnv(gymnasium.Env[str, str]):
    """An episode at a time of the environment that a server holds.

    ## Description
    The server is `sdpo-gym serve ENV`, or any other that speaks OpenEnv's protocol over WebSockets and whose actions
    and observations have a field that holds the text. With `sdpo-gym serve`, everything is what it would be here:
    observations, rewards, seeds, options, `info`, and the number of tasks.

    A lost connection ends its episode: `step` raises, as nothing was judged. `reset` connects again where the previous
    connection is gone.

    ## Action Space
    `UnicodeText`, as long as the server says.

    ## Observation Space
    `UnicodeText`, as long as the server says.

    ## Rewards, Starting State, Episode End
    The server's environment's. Another server that does not tell terminated from truncated ends an episode with
    `terminated`; what it says beside the text is the `info`.

    ## Arguments
    ```python
    gymnasium.make("sdpo/Remote-v0", url="http://127.0.0.1:8643", token=None, action_field="text",
                   observation_field="text", connect_seconds=10.0, answer_seconds=600.0, certificate=None)
    ```

    ## Version History
    * v0: first version.

    Args:
        url: `http://host:port` or `https://host:port`, perhaps with a path in front of the server's own.
        token: The server's token. None: from `SDPO_GYM_SERVE_TOKEN`; without it, none is sent.
        action_field: The field of an action that holds the response.
        observation_field: The field of an observation that holds the text.
        connect_seconds: How long it may take to connect.
        answer_seconds: How long a reset or a step may take.
        certificate: A file of certificates to trust instead of the system's.
        render_mode: None, as there is nothing to see here.

    Raises:
        ConnectionError: no such server answers, or it has no session left.
        PermissionError: the token is not the server's.
        ValueError: an argument makes no sense.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        action_field: str = "text",
        observation_field: str = "text",
        connect_seconds: float = 10.0,
        answer_seconds: float = 600.0,
        certificate: str | None = None,
        render_mode: str | None = None,
    ):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"the address of a server looks like http://host:port, not {url!r}")
        if render_mode is not None:
            raise ValueError(f"render_mode must be None, not {render_mode!r}")
        if not (connect_seconds > 0 and answer_seconds > 0):
            raise ValueError("connect_seconds and answer_seconds must be positive")
        self.url = url
        self.render_mode = None
        self._token = os.environ.get(TOKEN_VARIABLE) if token is None else token
        self._action_field = action_field
        self._observation_field = observation_field
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._local = is_loopback(parts.hostname)
        self._tls = ssl.create_default_context(cafile=certificate) if parts.scheme == "https" else None
        self._stack = contextlib.ExitStack()
        self._connection = None
        self._playing = False

        state = self._ask("state", None, "state")
        self.num_tasks: int | None = state.get("num_tasks")
        self.action_space = UnicodeText(state.get("action_length", MOST_CHARACTERS))
        self.observation_space = UnicodeText(state.get("observation_length", MOST_CHARACTERS))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        request = {"seed": seed, "options": options}
        data = {key: value for key, value in request.items() if value is not None}
        connected = self._connection is not None
        try:
            answer = self._ask("reset", data, "observation")
        except ConnectionError as error:
            # The server may have been restarted, or have ended a silent session, since the last step.
            if not connected or isinstance(error.__cause__, TimeoutError):
                raise
            answer = self._ask("reset", data, "observation")
        text, info = self._read(answer)
        self._playing = True
        return text, info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if not self._playing:
            raise ResetNeeded("no episode is under way; call reset() to begin one")
        if not isinstance(action, str):
            raise TypeError(f"an action is the response as a str, not {type(action).__name__}: {action!r:.100}")
        self._playing = False  # unless the answer says otherwise
        # Many environments read what their space does not hold. One character too many tells the others as much.
        longest = max(self.action_space.max_length, MOST_CHARACTERS)
        response = action[: longest + 1].encode("utf-8", "replace").decode()
        answer = self._ask("step", {self._action_field: response}, "observation")
        text, info = self._read(answer)
        observation, done, reward = answer["observation"], bool(answer.get("done")), answer.get("reward")
        if not isinstance(reward, (int, float)):
            raise ConnectionError(f"{self.url} gave no reward for the response, but {reward!r}")
        truncated = bool(observation.get("truncated", False))
        terminated = bool(observation.get("terminated", done and not truncated))
        self._playing = not (terminated or truncated)
        return text, float(reward), terminated, truncated, info

    def close(self) -> None:
        self._playing = False
        self._connection = None
        self._stack.close()

    def _read(self, answer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        observation = answer.get("observation")
        text = observation.get(self._observation_field) if isinstance(observation, dict) else None
        if not isinstance(text, str):
            known = sorted(observation) if isinstance(observation, dict) else "none"
            raise ConnectionError(
                f"the observations of {self.url} have no text {self._observation_field!r}; their fields: {known}"
            )
        rest = {key: value for key, value in observation.items() if key != self._observation_field}
        info = rest.get("info")
        return text, info if isinstance(info, dict) else rest

    def _ask(self, kind: str, data: dict[str, Any] | None, expected: str) -> dict[str, Any]:
        """Send a message; return the data of the answer.

        Raises:
            ConnectionError: there is no connection, or it broke; the session is lost.
            RuntimeError: the environment failed.
            ValueError: the server refuses the message.
        """
        with needs("sdpo-gym[serve]"):
            from websockets.exceptions import ConnectionClosed, WebSocketException

        message = json.dumps({"type": kind} if data is None else {"type": kind, "data": data}, default=_plain)
        if self._connection is None:
            self._connection = self._connect()
        try:
            with contextlib.suppress(ConnectionClosed):  # what the server said before it closed is still to be read
                self._connection.send(message)
            answer = json.loads(self._connection.recv(timeout=self._answer_seconds))
        except (WebSocketException, OSError, ValueError) as error:
            self.close()
            what = f"no answer for {self._answer_seconds:g} seconds" if isinstance(error, TimeoutError) else error
            raise ConnectionError(f"the session at {self.url} is lost: {what}") from error
        except BaseException:  # such as Ctrl-C: the answer that is still to come must not be taken for another one
            self.close()
            raise
        content = answer.get("data", {}) if isinstance(answer, dict) else {}
        if isinstance(answer, dict) and answer.get("type") == expected:
            return content
        self._fail(content)

    def _fail(self, content: dict[str, Any]) -> None:
        code, message = content.get("code"), content.get("message", "it does not speak OpenEnv's protocol")
        if code == "VALIDATION_ERROR":
            raise ValueError(f"{self.url}: {message} {content.get('errors', '')}".rstrip())
        if code == "EXECUTION_ERROR":
            raise RuntimeError(f"the environment at {self.url} failed: {message}")
        self.close()
        raise ConnectionError(f"{self.url}: {message}")

    def _connect(self):
        from websockets.exceptions import InvalidStatus, WebSocketException
        from websockets.sync.client import connect

        address = f"{'wss' if self._tls else 'ws'}{self.url[self.url.index(':') :].rstrip('/')}/ws"
        try:
            return self._stack.enter_context(
                connect(
                    address,
                    additional_headers={"Authorization": f"Bearer {self._token}"} if self._token else None,
                    ssl=self._tls,
                    open_timeout=self._connect_seconds,
                    close_timeout=self._connect_seconds,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PONG_SECONDS,
                    max_size=MAX_ANSWER_BYTES,
                    compression=None,
                    **({"proxy": None} if self._local else {}),
                )
            )
        except InvalidStatus as error:
            if error.response.status_code in (401, 403):
                what = "does not know this token" if self._token else "wants a token"
                advice = f"the token of `sdpo-gym serve` belongs into {TOKEN_VARIABLE}"
                raise PermissionError(f"{self.url} {what}, or has no server at this path; {advice}") from error
            raise ConnectionError(f"there is no environment server at {self.url}: {error}") from error
        except (WebSocketException, OSError, EOFError) as error:
            raise ConnectionError(f"no environment server answers at {self.url}: {error}") from error


def _plain(value: Any) -> Any:
    """A number of NumPy's, such as a task's index, as JSON knows it."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a server can only be told what JSON can hold, not {type(value).__name__}: {value!r:.100}")
