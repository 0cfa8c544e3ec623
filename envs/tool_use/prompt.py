"""Poses a task in words: the tools, how to call them, examples, and the question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from envs.tool_use.apis import TOOLS
from envs.tool_use.schema import signature
from envs.tool_use.world import Call
from sdpo_gym.tasks import Message

FORMS = {
    "react": "To call a tool, write two lines and stop:\nAction: the tool's name\nAction Input: its arguments as a JSON"
    " object\nThe result comes as the next message. When you know the answer, write one line:\nFinal Answer: the value "
    "alone, without a sentence",
    "json": 'To call a tool, write a JSON object and stop:\n{"name": "the tool\'s name", "arguments": {…}}\nThe result '
    'comes as the next message. When you know the answer, write another:\n{"answer": the value alone, without a '
    "sentence}",
}
"""What each form of calls asks for."""


def instructions(tools: Sequence[str], call_format: str) -> str:
    """The tools and how to call them."""
    lines = [f"{name} {signature(TOOLS[name].parameters)}\n  {TOOLS[name].description}" for name in tools]
    listing = "\n".join(lines)
    return (
        "Answer the question with the help of tools. A tool's name is followed by its arguments; those with a question "
        f"mark may be left out.\n\n{listing}\n\n{FORMS[call_format]}"
    )


def show_call(call: Call, call_format: str) -> str:
    """A call as a response."""
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    if call_format == "react":
        return f"Action: {call.name}\nAction Input: {arguments}"
    return json.dumps(call.to_json(), ensure_ascii=False)


def show_answer(answer: str | int | float, call_format: str) -> str:
    """An answer as a response."""
    return f"Final Answer: {answer}" if call_format == "react" else json.dumps({"answer": answer}, ensure_ascii=False)


def show_result(result: Any) -> str:
    """A tool's result as the model sees it."""
    return f"Observation: {json.dumps(result, ensure_ascii=False)}"


def show_error(message: str) -> str:
    """A refused call as the model sees it."""
    return f"Observation: Error: {message}."


def chat(
    question: str, examples: Sequence[Sequence[Message]], tools: Sequence[str], call_format: str
) -> tuple[Message, ...]:
    """The messages of a task: instructions, worked examples as earlier turns of the chat, and the question."""
    messages: list[Message] = [{"role": "system", "content": instructions(tools, call_format)}]
    for example in examples:
        messages += example
    return (*messages, {"role": "user", "content": f"Question: {question}"})
