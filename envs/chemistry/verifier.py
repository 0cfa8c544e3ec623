"""Judges a response by the check of its task's family."""

from __future__ import annotations

from envs.arguments import check_choice
from envs.chemistry.answers import extract
from envs.chemistry.families import load_family
from envs.chemistry.wording import LEVELS, describe, render
from sdpo_gym.tasks import Task, Verifier
from sdpo_gym.verdict import Verdict

REWARDS = ("binary", "dense")


class ChemistryVerifier(Verifier):
    """Judges an answer, and says what is wrong with it.

    The metrics are `solved` (1.0 or 0.0), `score` (the dense reward), `answered` (whether there was an answer in the
    response's form) and `valid` (whether it could be read: for SMILES, whether it is an acceptable molecule).

    Args:
        reward: `binary`, 1.0 if all checks pass, else 0.0; or `dense`, the mean of the checks' credits, at most 0.99
            unless all pass.
        feedback: How much to say: `none`, `verdict`, `checks` or `full`.
        echo_response: Whether feedback quotes the wrong answer.
    """

    def __init__(self, *, reward: str = "binary", feedback: str = "full", echo_response: bool = False):
        check_choice("reward", reward, REWARDS)
        check_choice("feedback", feedback, LEVELS)
        check_choice("echo_response", echo_response, (False, True))
        self.reward = reward
        self.feedback = feedback
        self.echo_response = echo_response

    def verify(self, task: Task, response: str) -> Verdict:
        key = task.answer_key
        family = load_family(key["family"])
        extraction = extract(response, key["answer_format"])
        report = None if extraction.answer is None else family.check(key["params"], extraction.answer)
        solved = report is not None and report.solved
        score = 0.0 if report is None else report.score
        metrics = {
            "solved": float(solved),
            "score": score,
            "answered": float(report is not None),
            "valid": float(report is not None and report.problem is None),
        }
        items = []
        if not solved:
            items = describe(extraction, report, family.answer, key["answer_format"], self.feedback, self.echo_response)
        reward = score if self.reward == "dense" else float(solved)
        return Verdict(reward, solved, render(items), tuple(items), metrics)
