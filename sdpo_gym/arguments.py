"""Environments as command lines name them."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
from gymnasium.spaces import Text

from sdpo_gym.registry import ADAPTERS, ENVIRONMENTS
from sdpo_gym.wrappers import SUCCESS_RETURN, CompleteInfo

PYTHON_WORDS = {"True": True, "False": False, "None": None}


def parse_env_args(pairs: Sequence[str], flag: str = "--env-arg") -> dict[str, Any]:
    """Turn `key=value` texts into keyword arguments; a value is read as JSON where it is JSON, else as text.

    `True`, `False` and `None` are read as Python's.

    Args:
        flag: The option that takes them, for the message of an error.

    Raises:
        ValueError: a text has no `=`.
    """
    arguments: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ValueError(f"{flag} takes key=value, not {pair!r}")
        arguments[key] = _value(value)
    return arguments


def _value(text: str) -> Any:
    if text in PYTHON_WORDS:
        return PYTHON_WORDS[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def import_from_current_folder() -> None:
    """Let `module:id` name a module in the current folder, as with `python -m`; a script's own folder is elsewhere."""
    if os.getcwd() not in sys.path and not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, os.getcwd())


def make_text_env(
    env_id: str, env_args: Mapping[str, Any] | None = None, success_return: float = SUCCESS_RETURN
) -> gymnasium.Env:
    """Make an environment whose observations and actions are texts, ours or another package's, with `CompleteInfo`.

    Args:
        env_id: A registered id, or `module:id`.
        env_args: Keyword arguments of the environment.
        success_return: See `CompleteInfo`.

    Raises:
        ValueError: the environment is unknown, refuses the arguments, or is not a text environment.
    """
    return CompleteInfo(make_bare_text_env(env_id, env_args), success_return)


def make_bare_text_env(env_id: str, env_args: Mapping[str, Any] | None = None) -> gymnasium.Env:
    """The same, saying in `info` only what it says itself."""
    env_args = dict(env_args or {})
    try:
        env = gymnasium.make(env_id, disable_env_checker=True, **env_args)
    except gymnasium.error.Error as error:
        known = ", ".join(sorted(ENVIRONMENTS | ADAPTERS))
        raise ValueError(
            f"cannot make the environment {env_id!r}: {_first_line(error)} "
            f"(ids of this project: {known}; another package's: module:namespace/Name-v0)"
        ) from error
    except (ImportError, TypeError, ValueError, LookupError, OSError) as error:
        raise ValueError(
            f"cannot make the environment {env_id!r} with the arguments {env_args}: {_first_line(error)}"
        ) from error
    for name, space in (("observations", env.observation_space), ("actions", env.action_space)):
        if not isinstance(space, Text):
            env.close()
            raise ValueError(f"{env_id!r} is not a text environment: its {name} are {space}, not gymnasium.spaces.Text")
    reset = inspect.signature(env.unwrapped.reset)
    try:
        reset.bind(seed=0, options=None)
    except TypeError as error:
        env.close()
        raise ValueError(f"{env_id!r}: its reset must take (*, seed=None, options=None), not {reset}") from error
    return env


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
