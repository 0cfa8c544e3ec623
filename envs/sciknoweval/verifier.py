"""Judges a response by the letter that it chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envs.arguments import check_choice
from envs.sciknoweval.feedback import LEVELS, describe, render
from envs.sciknoweval.grading import GRADERS, is_well_formed
from envs.sciknoweval.questions import PROMPTS, Question
from envs.sciknoweval.shortcut import shortcut
from sdpo_gym.tasks import Task, Verifier
from sdpo_gym.verdict import Verdict


class SciKnowEvalVerifier(Verifier):
    """Gives 1.0 for the right option's letter, else 0.0, and says what is wrong.

    The metrics are flags, 1.0 or 0.0: `solved`; `solved_SUBTASK`, the same, under the name of the question's subtask;
    `shortcut`, whether a rule that knows no science would have been right (see `shortcut`); `no_answer`, whether no
    letter could be read; and `well_formed`, whether the response has exactly the form of the paper's prompt.

    Args:
        grader: How the letter is read: `lenient`, or `paper`, which takes a bare letter only.
        feedback: How much to say: `none`, `verdict`, `standard` or `full`.
        prompt: The style in which the questions are posed; it decides what feedback says of the form of an answer.
        echo_response: Whether feedback names the chosen letter.
    """

    def __init__(
        self,
        *,
        grader: str = "lenient",
        feedback: str = "standard",
        prompt: str = "paper",
        echo_response: bool = False,
    ):
        check_choice("grader", grader, tuple(GRADERS))
        check_choice("feedback", feedback, LEVELS)
        check_choice("prompt", prompt, tuple(PROMPTS))
        check_choice("echo_response", echo_response, (False, True))
        self.grader = grader
        self.feedback = feedback
        self.prompt = prompt
        self.echo_response = echo_response

    def verify(self, task: Task, response: str) -> Verdict:
        question = question_of(task.answer_key)
        choice = GRADERS[self.grader](response, question.options)
        success = choice.letter == question.answer
        metrics = {
            "solved": float(success),
            f"solved_{question.subtask.name}": float(success),
            "shortcut": float(shortcut(question) == question.answer),
            "no_answer": float(choice.letter is None),
            "well_formed": float(is_well_formed(response)),
        }
        items = () if success else describe(question, choice, self.feedback, self.prompt, self.echo_response)
        return Verdict(float(success), success, render(items), items, metrics)


def make_answer_key(question: Question) -> dict[str, Any]:
    """What `SciKnowEvalVerifier` expects as the answer key of a task."""
    return {
        "index": question.index,
        "question": question.text,
        "options": [list(option) for option in question.options],
        "answer": question.answer,
    }


def question_of(answer_key: Mapping[str, Any]) -> Question:
    """The question of an answer key."""
    options = tuple((letter, text) for letter, text in answer_key["options"])
    return Question(answer_key["index"], answer_key["question"], options, answer_key["answer"])
