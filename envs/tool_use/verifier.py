"""Executes the calls of a response, or judges its answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from envs.arguments import check_choice
from envs.tool_use.answers import is_right, numbers_in, occurs_in
from envs.tool_use.feedback import (
    LEVELS,
    Item,
    answer_item,
    error_item,
    format_item,
    log_item,
    render,
    turns_item,
)
from envs.tool_use.parsing import PARSERS, parse
from envs.tool_use.prompt import show_error, show_result
from envs.tool_use.tool import ToolError
from envs.tool_use.world import Call, World, replay
from sdpo_gym.tasks import Task, Verifier
from sdpo_gym.verdict import Verdict


class ToolUseVerifier(Verifier):
    """Makes the calls of a response and answers with their results; or judges a final answer, which ends the episode.

    It keeps nothing between responses: what has happened so far is in the answer key's `log`, and the task that a
    verdict hands on has the longer one. An answer is right if it has the right value, and if what the calls changed is
    what the question asks to change.

    The metrics are `solved`; `answered`; `calls` and `refused_calls` so far; `format_errors` so far; and
    `solution_calls_made`, the fraction of the calls of a solution that were made in any order.

    Args:
        call_format: The form of calls, a key of `PARSERS`.
        feedback: How much to say: `none`, `verdict`, `standard` or `full`.
        max_turns: How many responses an episode allows; the last one has to answer.
    """

    def __init__(self, *, call_format: str = "react", feedback: str = "standard", max_turns: int = 10):
        check_choice("call_format", call_format, tuple(PARSERS))
        check_choice("feedback", feedback, LEVELS)
        self.call_format = call_format
        self.feedback = feedback
        self.max_turns = max_turns

    def verify(self, task: Task, response: str) -> Verdict:
        key = task.answer_key
        reply = parse(response, self.call_format)
        turn = {"problem": reply.problem, "calls": []}
        key = key | {"log": [*key["log"], turn]}
        if reply.answer is not None:
            return self._judge(key, reply.answer)
        items: list[Item] = []
        observations: list[str] = []
        if reply.problem:
            items.append(format_item(reply.problem, self.call_format))
        world = _world_before(key)
        for call in reply.calls:
            entry = call.to_json() | {"error": ""}
            try:
                observations.append(show_result(world.run(call)))
            except ToolError as error:
                entry["error"] = str(error)
                observations.append(show_error(str(error)))
                items.append(error_item(call.name, str(error)))
            turn["calls"].append(entry)
        if len(key["log"]) >= self.max_turns:
            items.append(turns_item())
        return Verdict(
            0.0,
            False,
            *self._words(items, key),
            metrics=_metrics(key, answered=False, solved=False),
            observation="\n".join(observations) or None,
            next_task=replace(task, answer_key=key),
        )

    def _judge(self, key: dict[str, Any], answer: str) -> Verdict:
        expected = replay(key["world"], key["tools"], _calls(key["solution"])).changes
        changes = _world_before(key).changes
        success = is_right(answer, key["answer"]) and changes == expected
        items: list[Item] = []
        if not success:
            items.append(answer_item(_reasons(key, answer, changes, expected)))
        metrics = _metrics(key, answered=True, solved=success)
        return Verdict(float(success), success, *self._words(items, key), metrics=metrics, final=True)

    def _words(self, items: list[Item], key: dict[str, Any]) -> tuple[str, tuple[Item, ...]]:
        """The feedback and what it was rendered from."""
        if self.feedback == "none" or not items:
            return "", ()
        if self.feedback == "full" and items[-1]["kind"] in ("wrong_answer", "out_of_turns"):
            items += [log_item(_made(key))] if _made(key) else []
        return render(tuple(items), self.feedback), tuple(items)


def _calls(entries: list[dict[str, Any]]) -> list[Call]:
    return [Call(entry["name"], entry["arguments"]) for entry in entries]


def _made(key: dict[str, Any]) -> list[dict[str, Any]]:
    """All calls so far, with their errors."""
    return [entry for turn in key["log"] for entry in turn["calls"]]


def _succeeded(key: dict[str, Any]) -> list[Call]:
    return _calls([entry for entry in _made(key) if not entry["error"]])


def _world_before(key: dict[str, Any]) -> World:
    """The world after the calls so far."""
    return replay(key["world"], key["tools"], _succeeded(key))


def _results(key: dict[str, Any], calls: list[Call]) -> list[Any]:
    world = World(key["world"], key["tools"])
    return [world.run(call) for call in calls]


def _reasons(key: dict[str, Any], answer: str, changes: list[str], expected: list[str]) -> list[str]:
    """Why an answer is wrong, as far as that does not tell what is right."""
    reasons = []
    results = _results(key, _succeeded(key))
    if not results:
        reasons.append("no_results" if _made(key) else "no_calls")
    elif isinstance(key["answer"], int) and len(numbers_in(answer)) != 1:
        reasons.append("not_one_number")
    elif not is_right(answer, key["answer"]):
        if occurs_in(answer, results):
            reasons.append("other_value")
        elif occurs_in(str(key["answer"]), _results(key, _calls(key["solution"]))):  # it need not be computed
            reasons.append("not_in_results")
    if changes != expected:
        reasons.append("unasked_change" if not expected else "other_change" if changes else "no_change")
    return reasons


def _metrics(key: dict[str, Any], *, answered: bool, solved: bool) -> dict[str, float]:
    made = _made(key)
    succeeded = [call.canonical for call in _succeeded(key)]
    wanted = [call.canonical for call in _calls(key["solution"])]
    return {
        "solved": float(solved),
        "answered": float(answered),
        "calls": float(len(made)),
        "refused_calls": float(len(made) - len(succeeded)),
        "format_errors": float(sum(bool(turn["problem"]) for turn in key["log"])),
        "solution_calls_made": sum(call in succeeded for call in wanted) / len(wanted),
    }
