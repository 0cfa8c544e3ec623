"""Wrappers for text environments, of this project or of any other."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import RecordConstructorArgs

from sdpo_gym.json_values import as_json
from sdpo_gym.spaces import UnicodeText
from sdpo_gym.tasks import Message, chat_text, is_message
from sdpo_gym.verdict import is_feedback_items

CUT = "[…]\n\n"

RETURNED = {"reset": ("observation", "info"), "step": ("observation", "reward", "terminated", "truncated", "info")}

SUCCESS_RETURN = 1.0
"""An episode whose rewards sum to this counts as solved where the environment does not say so itself."""


class ContractError(ValueError):
    """An environment did what no text environment may do. The message begins with its id."""


class _Chat:
    """The chat of an episode: what the environment says it is, else its observations and the responses to them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def begin(self, observation: str, info: dict[str, Any]) -> None:
        self.messages = _told(info) or [{"role": "user", "content": observation}]

    def go_on(self, response: str, observation: str, info: dict[str, Any]) -> None:
        answer = [{"role": "user", "content": observation}] if observation else []
        self.messages = _told(info) or [*self.messages, {"role": "assistant", "content": response}, *answer]


def _told(info: dict[str, Any]) -> list[Message]:
    """The chat in `info`; empty where there is none, or the key means something else."""
    messages = info.get("messages")
    return list(messages) if isinstance(messages, (list, tuple)) and all(map(is_message, messages)) else []


def _name(env: gymnasium.Env[str, str]) -> str:
    return env.spec.id if env.spec else type(env.unwrapped).__name__


class CompleteInfo(gymnasium.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Fills in what `info` holds in this project's environments (see `TextEnv`), and in others may not.

    Without them, `messages` are the observations and the responses to them; `task_id` is what the reset named, else its
    seed, else the environment's id; an episode succeeds with a return of `success_return`; the feedback is the
    observation after a step that did not succeed; `stop_reason` is `"terminated"` or `"truncated"` at the end, also
    where it is `""`, as it is where a time limit cuts an episode. A key whose value has another shape means something
    else there, and counts as missing; so do metrics that are no finite numbers.

    `reset` and `step` raise `ContractError` where the environment returns what is no reset or step of texts, or raises
    `SystemExit`.

    Args:
        env: A text environment.
        success_return: An episode whose rewards sum to this, or more, succeeds.
    """

    def __init__(self, env: gymnasium.Env[str, str], success_return: float = SUCCESS_RETURN):
        RecordConstructorArgs.__init__(self, success_return=success_return)
        super().__init__(env)
        self._success_return = success_return
        self._chat = _Chat()
        self._return = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        observation, info = self._call("reset", seed=seed, options=options)
        self._chat.begin(observation, info)
        self._return = 0.0
        task = info.get("task_id")
        if not is_task_id(task):
            task = (options or {}).get("task")
            if task is None:
                task = _name(self) if seed is None else f"seed {seed}"
            task = str(task)
        metadata = info.get("metadata")
        completed = {
            **info,
            "task_id": task,
            "metadata": metadata if isinstance(metadata, Mapping) else {},
            "messages": self._chat.messages,
        }
        return observation, completed

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self._call("step", action)
        self._return += float(reward)
        self._chat.go_on(action, observation, info)
        success, feedback, items, reason = map(info.get, ("success", "feedback", "feedback_items", "stop_reason"))
        if not isinstance(success, (Real, np.bool_)):
            success = (terminated or truncated) and self._return >= self._success_return
        if not isinstance(reason, str) or not reason:  # an environment does not know of a time limit around it
            reason = "terminated" if terminated else "truncated" if truncated else ""
        completed = {
            **info,
            "success": bool(success),
            "feedback": feedback if isinstance(feedback, str) else "" if success else observation,
            "feedback_items": items if is_feedback_items(items) else (),
            "metrics": finite_numbers(info.get("metrics")),
            "stop_reason": reason,
            "messages": self._chat.messages,
        }
        return observation, reward, terminated, truncated, completed

    def _call(self, method: str, *arguments: Any, **options: Any) -> tuple[Any, ...]:
        try:
            returned = getattr(self.env, method)(*arguments, **options)
        except SystemExit as error:  # such as a model's exit(), where an environment runs programs in this process
            raise ContractError(f"{_name(self)!r}: {method} must not end the program by {error!r}") from error
        return check_returned(self, method, returned)


def check_returned(env: gymnasium.Env[str, str], method: str, returned: Any) -> tuple[Any, ...]:
    """What `reset` or `step` of an environment returned, if that is what a text environment returns.

    Raises:
        ContractError: a part is missing, the first is no text, the last no mapping, or the reward no finite number.
    """
    names = RETURNED[method]
    if not (isinstance(returned, tuple) and len(returned) == len(names)):
        found = f"{len(returned)} values" if isinstance(returned, tuple) else f"{returned!r:.100}"
        raise ContractError(f"{_name(env)!r}: {method} must return ({', '.join(names)}), not {found}")
    if not isinstance(returned[0], str):
        raise ContractError(f"{_name(env)!r}: the observation of {method} must be a str, not {returned[0]!r:.100}")
    if not isinstance(returned[-1], Mapping):
        raise ContractError(f"{_name(env)!r}: the info of {method} must be a dict, not {returned[-1]!r:.100}")
    if method == "step" and not _is_finite(returned[1]):
        raise ContractError(f"{_name(env)!r}: the reward of step must be a finite number, not {returned[1]!r:.100}")
    return returned


def _is_finite(reward: Any) -> bool:
    try:
        return math.isfinite(float(reward))
    except (TypeError, ValueError):
        return False


def is_task_id(value: Any) -> bool:
    """Whether this names a task."""
    return isinstance(value, (str, Integral))


def finite_numbers(metrics: Any) -> Mapping[str, Any]:
    """The finite numbers among an environment's metrics; none where they are no mapping."""
    if not isinstance(metrics, Mapping):
        return {}
    return {
        name: value for name, value in metrics.items() if isinstance(value, (Real, np.bool_)) and math.isfinite(value)
    }


class ChatHistory(gymnasium.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Makes the whole chat so far the observation, for agents that remember nothing themselves.

    The observation is one text, `[role]` and the message in turn, as in `TextEnv.render`.

    Args:
        env: A text environment.
        max_length: The longest observation, in code points. Of a longer chat the beginning is left out.
    """

    def __init__(self, env: gymnasium.Env[str, str], max_length: int = 1_000_000):
        if max_length <= len(CUT):
            raise ValueError(f"max_length must be more than {len(CUT)}, not {max_length}")
        RecordConstructorArgs.__init__(self, max_length=max_length)
        super().__init__(env)
        self.observation_space = UnicodeText(max_length)
        self._max_length = max_length
        self._chat = _Chat()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self._chat.begin(observation, info)
        return self._text(), info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._chat.go_on(action, observation, info)
        return self._text(), reward, terminated, truncated, info

    def _text(self) -> str:
        text = chat_text(self._chat.messages)
        return text if len(text) <= self._max_length else CUT + text[len(CUT) - self._max_length :]


class RecordEpisodes(gymnasium.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Writes every episode to a file, a line of JSON each, when it is over or given up.

    A record holds `env_id`, `seed` and `options` of the reset, `task_id`, `messages` (the chat), `rewards` and
    `feedback` of every step (the observation where the environment has no other), `success` (null where it does not
    say), `metrics` and `stop_reason` of the last step, `terminated` and `truncated`, which are both false in an episode
    that was given up. Lines are appended whole, so that several environments may write to the same file.

    Args:
        env: A text environment.
        path: The file. It may exist already.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, env: gymnasium.Env[str, str], path: str | os.PathLike[str]):
        RecordConstructorArgs.__init__(self, path=os.fspath(path))
        super().__init__(env)
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.open("a").close()
        self._chat = _Chat()
        self._record: dict[str, Any] | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        self._write()
        observation, info = self.env.reset(seed=seed, options=options)
        self._chat.begin(observation, info)
        self._record = {
            "env_id": _name(self),
            "seed": seed,
            "options": options,
            "task_id": info.get("task_id"),
            "rewards": [],
            "feedback": [],
            "success": None,
            "metrics": {},
            "stop_reason": "",
            "terminated": False,
            "truncated": False,
        }
        return observation, info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        record = self._record
        if record is None:
            raise ResetNeeded("no episode is under way; call reset() to begin one")
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._chat.go_on(action, observation, info)
        record["rewards"].append(float(reward))
        record["feedback"].append(info.get("feedback", observation))
        record |= {key: info[key] for key in ("success", "metrics", "stop_reason") if key in info}
        record |= {"terminated": bool(terminated), "truncated": bool(truncated)}
        if terminated or truncated:
            self._write()
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        self._write()
        super().close()

    def _write(self) -> None:
        record, self._record = self._record, None
        if record is not None:
            line = json.dumps(as_json(record | {"messages": self._chat.messages})) + "\n"
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
