"""Says what went wrong. The right answer, and the calls that lead to it, are never said.

What a tool says about a call that it refuses is part of the environment, and comes as an observation at every level.
"""

from __future__ import annotations

from typing import Any

from envs.tool_use.prompt import FORMS

Item = dict[str, Any]

LEVELS = ("none", "verdict", "standard", "full")

_VERDICTS = {
    "format": "The response is neither a call nor an answer that can be read.",
    "tool_error": "A tool refused a call.",
    "wrong_answer": "The final answer is not right.",
    "out_of_turns": "The turns ran out before a final answer.",
}
_REASONS = {
    "no_calls": "No tool was called before: the answer has to come from the tools' results.",
    "no_results": "No call gave a result: the answer has to come from the tools' results.",
    "not_one_number": "The answer must be one number.",
    "not_in_results": "No result of a tool has this value.",
    "other_value": "The value is in a result, but it is not the one that is asked for.",
    "unasked_change": "Something was ordered, booked or reserved that the question does not ask for.",
    "no_change": "The question asks to order, book or reserve something, which was not done.",
    "other_change": "What was ordered, booked or reserved is not what the question asks for.",
}


def format_item(problem: str, call_format: str) -> Item:
    """A response of the wrong form."""
    return {"kind": "format", "visibility": "visible", "problem": problem, "form": FORMS[call_format]}


def error_item(name: str, message: str) -> Item:
    """A call that was refused."""
    return {"kind": "tool_error", "visibility": "visible", "tool": name[:60], "message": message}


def answer_item(reasons: list[str]) -> Item:
    """A wrong answer, with keys of `_REASONS`."""
    return {"kind": "wrong_answer", "visibility": "visible", "reasons": reasons}


def turns_item() -> Item:
    """The last turn was used for something else than an answer."""
    return {"kind": "out_of_turns", "visibility": "visible"}


def log_item(log: list[dict[str, Any]]) -> Item:
    """The calls of the episode, and what became of them."""
    calls = [{"tool": entry["name"][:60], "error": entry["error"]} for entry in log]
    return {"kind": "log", "visibility": "visible", "calls": calls}


def render(items: tuple[Item, ...], level: str) -> str:
    """The records as one text."""
    if level == "none":
        return ""
    if level == "verdict":
        return "\n".join(dict.fromkeys(_VERDICTS[item["kind"]] for item in items))
    return "\n".join(_block(item) for item in items)


def _block(item: Item) -> str:
    match item["kind"]:
        case "format":
            return f"{item['problem']}\n{item['form']}"
        case "tool_error":
            return f"The call of {item['tool']!r} was refused: {item['message']}."
        case "wrong_answer":
            return " ".join([_VERDICTS["wrong_answer"], *(_REASONS[reason] for reason in item["reasons"])])
        case "log":
            lines = [
                f"{number}. {call['tool']}: {'refused, ' + call['error'] if call['error'] else 'a result'}"
                for number, call in enumerate(item["calls"], 1)
            ]
            return "\n".join(["The calls were:", *lines])
        case kind:
            return _VERDICTS[kind]
