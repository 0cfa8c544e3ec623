"""What a tool is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from envs.tool_use.schema import Schema


class ToolError(Exception):
    """A call that a tool refuses.

    Args:
        message: Why, for the model that made it.
        source: Name of the tool that gives the id which the call lacks.
    """

    def __init__(self, message: str, *, source: str | None = None):
        super().__init__(message)
        self.source = source


@dataclass(frozen=True)
class Tool:
    """A function of an API that a model can call."""

    name: str
    api: str
    """Which API it belongs to."""

    description: str
    """What it does, in one sentence for the model."""

    parameters: Schema
    """JSON Schema of its arguments, an object."""

    function: Callable[..., Any]
    """Called with the API's data and the arguments, which fit `parameters`. Returns JSON. Raises ToolError, and then
    has changed nothing."""


def parameters(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """JSON Schema of an object."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


TEXT: Schema = {"type": "string"}


def integer(lowest: int, highest: int) -> Schema:
    """JSON Schema of a whole number within limits."""
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def choice(*values: str) -> Schema:
    """JSON Schema of one of a few texts."""
    return {"type": "string", "enum": list(values)}
