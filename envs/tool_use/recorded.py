"""Recorded calls: rows of the SDPO authors' ToolAlpaca-derived data, and their grading.

A row holds the whole prompt, with the tools, the form (`Thought`, `Action`, `Action Input`) and the question, and as
its answer the calls that count as right. Nothing is executed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from envs.arguments import check_choice
from envs.thoughts import after_thought
from envs.tool_use.feedback import LEVELS
from envs.tool_use.parsing import UNFINISHED_THOUGHT, load_json, parse_react
from envs.tool_use.world import Call
from sdpo_gym.tasks import Task, TaskList, Verifier
from sdpo_gym.verdict import Verdict

_ACTION = re.compile(r"Action:\s*(\w+)")
_INPUT = re.compile(r"Action Input:\s*(?=\{)")

_TEXTS = {
    "format": "The response has no calls that can be read: {problem}",
    "names": "The tools that are called are not the right ones.",
    "arguments": "The right tools are called, but the arguments are not right.",
}
_VERDICTS = {"format": "The response has no calls that can be read.", "wrong_calls": "The calls are not right."}


def load_recorded(path: str | Path) -> TaskList:
    """The rows of a file, JSON lines or a JSON list, as tasks.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row is malformed; the message says which.
    """
    path = Path(path).expanduser().absolute()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")  # splitlines would split at what JSON's texts may hold, such as U+2028
    try:
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(x) for x in lines if x.strip()]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is neither JSON lines nor a JSON list: {error}") from error
    tasks = []
    for number, row in enumerate(rows, 1):
        try:
            tasks.append(_task(row))
        except ValueError as error:
            raise ValueError(f"{path}, row {number}: {error}") from error
    return TaskList(tasks)


def grade_calls(response: str, expected: Sequence[Call]) -> tuple[bool, str]:
    """Whether the calls are the expected ones, each with its arguments, in any order; else which kind of mistake it is.

    Returns:
        Success, and `""`, `names`, `arguments`, or what is wrong with the form.
    """
    reply = parse_react(response)
    if not reply.calls:
        return False, reply.problem or "There is a final answer, but no call."
    if Counter(call.canonical for call in reply.calls) == Counter(call.canonical for call in expected):
        return True, ""
    same_names = Counter(call.name for call in reply.calls) == Counter(call.name for call in expected)
    return False, "arguments" if same_names else "names"


def grade_paper(response: str, expected: Sequence[Call]) -> tuple[bool, str]:
    """The paper's rule: the same names, and the same arguments when those of all calls are thrown into one object.

    Its way of finding an input, up to the first closing brace, is kept: nested objects cannot be right.
    """
    names = Counter(_ACTION.findall(response))
    if not names:
        return False, "There is no 'Action:'."
    merged: dict[str, Any] = {}
    for match in _INPUT.finditer(response):
        end = response.find("}", match.end()) + 1
        if not end:
            break
        try:
            merged |= load_json(response[match.end() : end])[0]
        except ValueError as error:
            return False, f"An Action Input is not a JSON object: {error}."
    wanted: dict[str, Any] = {}
    for call in expected:
        wanted |= call.arguments
    if names != Counter(call.name for call in expected):
        return False, "names"
    return (True, "") if merged == wanted else (False, "arguments")


GRADERS: dict[str, Callable[[str, Sequence[Call]], tuple[bool, str]]] = {"calls": grade_calls, "paper": grade_paper}


class RecordedCallsVerifier(Verifier):
    """Gives 1.0 for the recorded calls, else 0.0. The recorded calls are never in the feedback.

    What a response thinks, between `<think>` and `</think>`, is not read.

    The metrics are flags: `solved`, `format_error`, and `right_names`, whether the right tools are called.

    Args:
        grader: A key of `GRADERS`.
        feedback: How much to say: `none`; `verdict`, whether it was the form; `standard` and `full`, also what is wrong
            with the form, or whether it was the tools or their arguments.
    """

    def __init__(self, *, grader: str = "calls", feedback: str = "standard"):
        check_choice("grader", grader, tuple(GRADERS))
        check_choice("feedback", feedback, LEVELS)
        self.grader = grader
        self.feedback = feedback

    def verify(self, task: Task, response: str) -> Verdict:
        expected = [Call(call["name"], call["arguments"]) for call in task.answer_key["calls"]]
        said = after_thought(response)
        success, mistake = (False, UNFINISHED_THOUGHT) if said is None else GRADERS[self.grader](said, expected)
        wrong = mistake in ("names", "arguments")
        metrics = {
            "solved": float(success),
            "format_error": float(not success and not wrong),
            "right_names": float(success or mistake == "arguments"),
        }
        if success or self.feedback == "none":
            return Verdict(float(success), success, metrics=metrics)
        kind = "wrong_calls" if wrong else "format"
        item = {"kind": kind, "visibility": "visible", "problem": mistake}
        text = _TEXTS[mistake] if wrong else _TEXTS["format"].format(problem=mistake)
        return Verdict(0.0, False, _VERDICTS[kind] if self.feedback == "verdict" else text, (item,), metrics)


def _task(row: Any) -> Task:
    if not isinstance(row, Mapping):
        raise ValueError(f"a row must be a JSON object, not {row!r:.100}")
    prompt, index, system = row.get("prompt"), row.get("idx"), row.get("system")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError(f"field 'prompt' must be a text, not {prompt!r:.100}")
    if isinstance(index, bool) or not isinstance(index, int):
        raise ValueError(f"field 'idx' must be a whole number, not {index!r:.100}")
    calls = [call.to_json() for call in _recorded_calls(row.get("answer"))]
    messages = [{"role": "system", "content": system}] if isinstance(system, str) and system.strip() else []
    return Task(f"recorded-{index}", (*messages, {"role": "user", "content": prompt}), {"calls": calls})


def _recorded_calls(answer: Any) -> list[Call]:
    """The calls of a row's answer: a list, or JSON of one, of `Action` and `Action_Input`, which is JSON again."""
    try:
        entries = json.loads(answer) if isinstance(answer, str) else answer
        calls = []
        for entry in entries:
            arguments = entry["Action_Input"]
            arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
            calls.append(Call(entry["Action"], dict(arguments)))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "field 'answer' must be a list of objects with 'Action' and 'Action_Input', a JSON object, not "
            f"{answer!r:.100} ({type(error).__name__}: {error})"
        ) from error
    if not calls or not all(isinstance(call.name, str) and call.name for call in calls):
        raise ValueError(f"field 'answer' must hold calls with names, not {answer!r:.100}")
    return calls
