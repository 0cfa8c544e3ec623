"""Reads calls and answers out of a response. JSON is parsed by a real parser, and nothing is evaluated.

Two forms are known. `react` is that of the SDPO paper's third domain:

    Thought: anything
    Action: get_stock
    Action Input: {"product_id": "A4821"}

or, at the end, `Final Answer: 57`. `json` is one object, `{"name": "get_stock", "arguments": {…}}` or `{"answer": 57}`,
which may stand among other text. Several calls may be in a response; they are made in order. What is thought, between
`<think>` and `</think>`, is not read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from envs.thoughts import after_thought
from envs.tool_use.world import Call

UNFINISHED_THOUGHT = "The response ends before its thinking does. Think less, so that the call or answer fits."
MAX_CALLS = 8
MAX_CHARACTERS = 50_000
MAX_DEPTH = 30
_MAX_FALSE_STARTS = 20

_OBJECT = re.compile(r"""\{(?=\s*(?:["']|\w+\s*:))""")  # a brace before a key, quoted or not: LaTeX has other braces
_LABEL = re.compile(r"^[ \t*]*(thought|action input|action|observation|final answer)[ \t*]*:[ \t*]*", re.I | re.M)


@dataclass(frozen=True)
class Reply:
    """What a response says."""

    calls: tuple[Call, ...] = ()
    answer: str | None = None
    """The final answer; None if there is none, or if calls come first, whose results have to be seen before."""

    problem: str = ""
    """What is wrong with the form, in words for the model. Then there are no calls and no answer."""


def parse_react(response: str) -> Reply:
    """Read the form with `Action`, `Action Input` and `Final Answer`."""
    labels = list(_LABEL.finditer(response))
    ends = [*(label.start() for label in labels), len(response)][1:]
    calls: list[Call] = []
    name: str | None = None
    for label, end in zip(labels, ends, strict=True):
        kind = label[1].lower()
        text = response[label.end() : end]
        if kind == "observation":
            break  # results are not the model's to write: what follows is made up
        if kind == "final answer" and not calls:
            lines = text.strip().splitlines()
            return Reply(answer=lines[0].strip()) if lines else Reply(problem="Nothing stands after 'Final Answer:'.")
        if kind == "action":
            if name is not None:
                return Reply(problem=f"'Action: {name[:60]}' has no 'Action Input:' after it.")
            name = text.strip().strip("`'\"[]*")
        elif kind == "action input":
            if not name:
                return Reply(problem="'Action Input:' comes without the name of a tool after 'Action:' before it.")
            try:
                calls.append(Call(name, _arguments(text)))
            except ValueError as error:
                return Reply(problem=f"The Action Input of {name[:60]!r} is not a JSON object: {error}.")
            name = None
    if name is not None:
        return Reply(problem=f"'Action: {name[:60]}' has no 'Action Input:' after it.")
    if not calls:
        return Reply(problem="The response has neither an 'Action:' with its 'Action Input:' nor a 'Final Answer:'.")
    return Reply(calls=tuple(calls))


def parse_json(response: str) -> Reply:
    """Read the form with one JSON object for a call or an answer."""
    calls: list[Call] = []
    problem = "The response has no JSON object with a 'name' and 'arguments', or with an 'answer'."
    for value in _objects(response):
        if isinstance(value, ValueError):
            problem = f"The response's JSON cannot be read: {value}."
        elif isinstance(value.get("name"), str) and "arguments" in value:
            if not isinstance(value["arguments"], dict):
                return Reply(problem=f"The 'arguments' of {value['name'][:60]!r} must be a JSON object.")
            calls.append(Call(value["name"], value["arguments"]))
        elif "answer" in value and not calls:
            answer = value["answer"]
            if isinstance(answer, (dict, list, bool, type(None))):
                return Reply(problem="The 'answer' must be a text or a number.")
            return Reply(answer=str(answer).strip())
    return Reply(calls=tuple(calls)) if calls else Reply(problem=problem)


PARSERS: dict[str, Callable[[str], Reply]] = {"react": parse_react, "json": parse_json}


def parse(response: str, call_format: str) -> Reply:
    """Read a response in one of the forms of `PARSERS`. Never raises, whatever the text."""
    if not response.strip():
        return Reply(problem="The response is empty.")
    said = after_thought(response)
    if said is None:
        return Reply(problem=UNFINISHED_THOUGHT)
    if len(said) > MAX_CHARACTERS:
        return Reply(problem=f"The response has {len(said)} characters; at most {MAX_CHARACTERS} are read.")
    reply = PARSERS[call_format](said)
    if len(reply.calls) > MAX_CALLS:
        return Reply(problem=f"The response has {len(reply.calls)} calls; at most {MAX_CALLS} can be made at once.")
    return reply


def load_json(text: str, start: int = 0) -> tuple[Any, int]:
    """The JSON value that begins at an offset, and where it ends.

    Stricter than Python's parser: no NaN or infinity, no key twice, no half of a surrogate pair, at most `MAX_DEPTH`
    levels.

    Raises:
        ValueError: there is none; the message says where and why.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
        _check_depth(value, MAX_DEPTH)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos - start + 1}") from error
    except UnicodeEncodeError as error:
        raise ValueError("it has half of a surrogate pair") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value, end


def _arguments(text: str) -> dict[str, Any]:
    """The JSON object at the beginning of a text, which may be in a fence."""
    fence = re.match(r"\s*(?:`{1,3}(?:json)?\s*)?", text, re.I)
    start = fence.end() if fence else 0
    if start == len(text.rstrip()):
        raise ValueError("it is empty")
    value, _ = load_json(text, start)
    if not isinstance(value, dict):
        raise ValueError(f"it must begin with '{{', but is {json.dumps(value)[:60]}")
    return value


def _objects(text: str) -> Iterator[dict[str, Any] | ValueError]:
    """The JSON objects in a text, and the reasons why others cannot be read."""
    position = 0
    for _ in range(MAX_CALLS + 1 + _MAX_FALSE_STARTS):
        match = _OBJECT.search(text, position)
        if match is None:
            return
        try:
            value, position = load_json(text, match.start())
            yield value
        except ValueError as error:
            yield error
            position = match.end()


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise ValueError("it is nested too deeply")
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:60]!r} is there twice")
    return value


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_unique)
