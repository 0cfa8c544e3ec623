"""The data that tools work on, and what calls do to it."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any

from envs.tool_use.apis import APIS, TOOLS
from envs.tool_use.schema import problems
from envs.tool_use.tool import ToolError

MAX_PROBLEMS = 3
"""So many mistakes in the arguments of one call are named."""


@dataclass(frozen=True)
class Call:
    """A call of a tool that a model asked for. The arguments are data, and are never evaluated."""

    name: str
    arguments: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": dict(self.arguments)}

    @property
    def canonical(self) -> str:
        """A text that equal calls share, whatever the order of their arguments and the form of their numbers."""
        return json.dumps([self.name, plain_numbers(self.arguments)], sort_keys=True)


class World:
    """The data of all APIs. It is drawn with a seed, and equal seeds give equal worlds.

    Args:
        seed: Decides the data.
        tools: Names of the tools that may be called.
    """

    def __init__(self, seed: str, tools: Sequence[str]):
        self.seed = seed
        self.tools = tuple(tools)
        self._states: dict[str, Any] = {}

    def state(self, api: str) -> Any:
        """The data of one API, made when it is first needed."""
        if api not in self._states:
            self._states[api] = APIS[api].make_state(random.Random(f"{self.seed}/{api}"))
        return self._states[api]

    def run(self, call: Call) -> Any:
        """Execute a call; returns its result as JSON.

        Raises:
            ToolError: there is no such tool, its arguments do not fit, or it refuses. The data is as it was before.
        """
        if call.name not in self.tools:
            close = get_close_matches(call.name[:100], self.tools, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(self.tools)}"
            raise ToolError(f"no tool is called {call.name[:60]!r}; {hint}")
        tool = TOOLS[call.name]
        found = list(islice(problems(call.arguments, tool.parameters), MAX_PROBLEMS + 1))
        if found:
            more = "; and more" if len(found) > MAX_PROBLEMS else ""
            raise ToolError("; ".join(found[:MAX_PROBLEMS]) + more)
        try:
            result = tool.function(self.state(tool.api), **plain_numbers(call.arguments))
        except ToolError as error:
            if error.source in self.tools:
                raise ToolError(f"{error}; {error.source} gives ids") from error
            raise
        return copy.deepcopy(result)

    @property
    def changes(self) -> list[str]:
        """What calls have changed, as one text for each change; in the same order for the same changes."""
        return sorted(
            json.dumps([api, change], sort_keys=True)
            for api, state in self._states.items()
            for change in state["changes"]
        )


def replay(seed: str, tools: Sequence[str], calls: Sequence[Call]) -> World:
    """The world after calls, all of which succeeded when they were made."""
    world = World(seed, tools)
    for call in calls:
        world.run(call)
    return world


def plain_numbers(value: Any) -> Any:
    """A copy of JSON with 2.0 as 2, so that both are written alike."""
    if isinstance(value, Mapping):
        return {key: plain_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
