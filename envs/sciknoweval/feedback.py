"""Says what is wrong with a response. The right option is never named or quoted."""

from __future__ import annotations

from typing import Any

from envs.sciknoweval.grading import Choice
from envs.sciknoweval.molecules import facts
from envs.sciknoweval.questions import Question

Item = dict[str, Any]

LEVELS = ("none", "verdict", "standard", "full")

_FORMS = {
    "paper": "End the response with the letter of one option ({letters}) between <answer> and </answer>, and nothing "
    "else between them.",
    "plain": "Reply with the letter of one option ({letters}), and nothing else.",
}
"""What each style of prompt asks for."""

_PROBLEMS = {
    "empty": "The response is empty.",
    "unfinished_thought": "The response ends before its thinking does.",
    "no_answer": "The response has no answer that could be read.",
    "not_one_letter": "What stands in <answer> is not one letter.",
    "unknown_letter": "The answer is no letter of an option.",
}


def describe(question: Question, choice: Choice, level: str, prompt: str, echo_response: bool) -> tuple[Item, ...]:
    """Records of what is wrong with a response that did not choose the right option.

    Args:
        question: What was asked.
        choice: What was read out of the response.
        level: One of `LEVELS`: nothing; the verdict; also how to answer such a question, or the form of an answer; also
            what RDKit says of the molecules, for chemistry.
        prompt: The style in which the question was posed.
        echo_response: Whether the chosen letter is named.
    """
    if level == "none":
        return ()
    if choice.letter is None:
        item: Item = {"kind": "format", "visibility": "visible", "problem": choice.problem}
        if level != "verdict":
            item["form"] = _FORMS[prompt].format(letters=question.letters)
        return (item,)
    item = {"kind": "wrong_answer", "visibility": "visible"}
    if echo_response:
        item["chosen"] = choice.letter
    items = [item]
    if level != "verdict":
        items.append({"kind": "hint", "visibility": "visible", "text": question.subtask.hint})
    if level == "full" and question.subtask.domain == "chemistry":
        found = facts(question, choice.letter)
        items += [{"kind": "molecule", "visibility": "visible", "text": text} for text in found]
    return tuple(items)


def render(items: tuple[Item, ...]) -> str:
    """The records as one text."""
    return "\n".join(_block(item) for item in items)


def _block(item: Item) -> str:
    match item["kind"]:
        case "format":
            return f"{_PROBLEMS[item['problem']]} {item.get('form', '')}".rstrip()
        case "wrong_answer" if "chosen" in item:
            return f"Option {item['chosen']} is not right."
        case "wrong_answer":
            return "The chosen option is not right."
        case _:
            return item["text"]
