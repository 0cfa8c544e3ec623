"""What a server of environments and its clients say: OpenEnv's messages, with the fields of a text environment.

A client sends JSON objects `{"type": "reset" | "step" | "state" | "close", "data": {…}}` over one WebSocket. They are
answered with `{"type": "observation" | "state" | "error", "data": {…}}`, in order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_STRICT = ConfigDict(extra="forbid", strict=True)


class TextAction(BaseModel):
    """The data of a `step`."""

    model_config = _STRICT

    text: str = Field(description="the response of the model")
    metadata: dict[str, Any] = Field(default_factory=dict, description="not read")


class ResetRequest(BaseModel):
    """The data of a `reset`."""

    model_config = _STRICT

    seed: int | None = Field(default=None, ge=0, description="decides the task where no option names it")
    episode_id: str | None = Field(default=None, max_length=255, description="told back in the state")
    options: dict[str, Any] | None = Field(default=None, description="the environment's, such as a task's index or id")


class TextObservation(BaseModel):
    """What is answered to `reset` and `step`, beside `reward` and `done`.

    All of Gymnasium's five values and the feedback are fields, as clients of OpenEnv may drop the metadata.
    """

    model_config = _STRICT

    text: str = Field(description="the observation")
    feedback: str = Field(default="", description="what is wrong with the response, in words")
    success: bool | None = Field(default=None, description="whether the task is solved; null where nobody says so")
    terminated: bool = Field(default=False, description="whether the episode came to its end")
    truncated: bool = Field(default=False, description="whether the episode was cut off")
    info: dict[str, Any] = Field(default_factory=dict, description="everything else that the environment says")
    metadata: dict[str, Any] = Field(default_factory=dict, description="always empty")


class SessionState(BaseModel):
    """What is answered to `state`."""

    model_config = _STRICT

    episode_id: str | None = None
    step_count: int = Field(default=0, description="steps of this episode")
    env_id: str = Field(description="the environment's id")
    num_tasks: int | None = Field(description="how many tasks can be asked for by index; null: only the seed decides")
    action_length: int = Field(description="longest text that is a response, in code points")
    observation_length: int = Field(description="longest text that is an observation, in code points")


def decode_message(text: str) -> tuple[str, dict[str, Any]]:
    """The type and the data of a client's message.

    Raises:
        json.JSONDecodeError: it is no JSON.
        ValueError: it is no message.
    """
    try:
        message = json.loads(text)
    except RecursionError:
        raise ValueError("the message is nested too deeply") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ValueError('a message is an object {"type": …, "data": {…}}')
    data = message.get("data", {})
    if not isinstance(data, dict) or not message.keys() <= {"type", "data"}:
        raise ValueError('a message has a "type", may have "data", which is an object, and has nothing else')
    return message["type"], data


def encode_message(kind: str, data: Mapping[str, Any]) -> str:
    """A message as ASCII, which lone surrogates survive."""
    return json.dumps({"type": kind, "data": data}, allow_nan=False)


def describe(error: ValidationError) -> str:
    """What is wrong with a request, in one line."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'data'}: {e['msg']}" for e in error.errors(include_url=False))
