"""Poses a problem in words. No private test and no expected value of one appears in a prompt."""

from __future__ import annotations

from collections.abc import Callable

from envs.livecodebench.extraction import FENCE
from envs.livecodebench.rows import Problem
from sdpo_gym.tasks import Message

MAX_EXAMPLES = 2


def plain(problem: Problem) -> tuple[Message, ...]:
    """A short prompt, for small models."""
    if problem.entry_point is None:
        parts = ["Write a Python program that reads standard input and writes standard output."]
        parts += [problem.statement.strip(), *_examples(problem)]
    else:
        parts = ["Write a Python function.", problem.statement.strip()]
    if problem.starter_code.strip():
        parts.append(_fenced(problem.starter_code))
    parts.append(f"Reply with the code only, in a {FENCE}python block.")
    return ({"role": "user", "content": "\n\n".join(parts)},)


def livecodebench(problem: Problem) -> tuple[Message, ...]:
    """A full instruction, for large models."""
    parts = [f"# Problem: {problem.title}", problem.statement.strip()]
    if problem.entry_point is None:
        parts += _examples(problem)
        task = (
            "Write a complete Python program. It reads the input from standard input and writes the answer, and "
            "nothing else, to standard output."
        )
    else:
        task = f"Write `{problem.entry_point}`, which returns the answer. It is called by the judge; print nothing."
    parts += ["# Task", task]
    if problem.starter_code.strip():
        parts += ["Begin with this code and keep its names:", _fenced(problem.starter_code)]
    parts.append(
        "The solution is run on many tests, some of them large, within limits of time and memory, with Python's "
        f"standard library only. Think first if it helps, and end with the complete solution in one {FENCE}python "
        "block; other blocks must be shorter, because the longest one is taken."
    )
    system = "You are an expert Python programmer. You solve programming problems with correct and efficient code."
    return ({"role": "system", "content": system}, {"role": "user", "content": "\n\n".join(parts)})


PROMPTS: dict[str, Callable[[Problem], tuple[Message, ...]]] = {"plain": plain, "livecodebench": livecodebench}


def _fenced(code: str) -> str:
    return f"{FENCE}python\n{code.rstrip()}\n{FENCE}"


def _examples(problem: Problem) -> list[str]:
    """Public tests that the statement does not show."""
    statement = " ".join(problem.statement.split())
    public = [test for test in problem.tests if test.visible]
    missing = [test for test in public if " ".join(test.input.split()) not in statement]
    return [
        f"Example input:\n{test.input.rstrip()}\n\nExample output:\n{test.output.rstrip()}"
        for test in missing[:MAX_EXAMPLES]
    ]
