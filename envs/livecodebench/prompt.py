"""Poses a problem in words. No private test and no expected value of one appears in a prompt."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from envs.livecodebench.extraction import FENCE
from envs.livecodebench.rows import Problem
from sdpo_gym.markdown import fenced
from sdpo_gym.tasks import Message

MAX_EXAMPLES = 2


@dataclass(frozen=True)
class Rules:
    """What a response is held to. Prompts state it, and the verifier enforces it."""

    time_limit: float = 6.0
    """CPU seconds for each test."""

    memory_mb: int = 1024
    """Memory for each test."""

    extraction: str = "last"
    """Which fenced block is the program: the `last` or the `longest`."""

    @property
    def limits(self) -> str:
        """The limits in words."""
        seconds = "second" if self.time_limit == 1 else "seconds"
        return f"{self.time_limit:g} {seconds} of CPU time and {self.memory_mb} MB of memory for each test"


def plain(problem: Problem, rules: Rules) -> tuple[Message, ...]:
    """A short prompt, for small models. It states no limits.

    Signatures stand in the sentence: code that ends after one is copied by a small model that has answered before, as
    SDPO's teacher has.
    """
    signature = _signature(problem)
    if problem.entry_point is None:
        parts = ["Write a Python program that reads standard input and writes standard output."]
        parts += [problem.statement.strip(), *_examples(problem)]
    elif signature:
        parts = [f"Write the Python function `{signature}`", problem.statement.strip()]
    else:
        parts = ["Write a Python function.", problem.statement.strip()]
    if problem.starter_code.strip() and not signature:
        parts.append(fenced(problem.starter_code))
    parts.append(f"Reply with the code only, in a {FENCE}python block.")
    return ({"role": "user", "content": "\n\n".join(parts)},)


def livecodebench(problem: Problem, rules: Rules) -> tuple[Message, ...]:
    """LiveCodeBench's style for chat models: a system message, and sections for question, format and answer."""
    system = (
        "You are a skilled Python programmer. Each question specifies a program; answer it with a correct Python "
        "program that does what is specified and passes every test."
    )
    parts = [f"### Question:\n{problem.statement.strip()}", *_examples(problem)]
    if problem.starter_code.strip():
        form = "Complete the following code, keeping its names, and put the result between the same delimiters."
        code = problem.starter_code
    elif problem.entry_point is not None:
        form = f"Write a function `{problem.entry_point}` that returns the answer, between delimiters as follows."
        code = "# your code"
    else:
        form = (
            "Write a program that reads the input from standard input and writes the answer, and nothing else, to "
            "standard output. It is run as it stands, so do not leave it with the sample inputs in place of reading. "
            "Put it between delimiters as follows."
        )
        code = "# your code"
    parts.append(f"### Format: {form} It may use {rules.limits}, and the standard library.\n{fenced(code)}")
    parts.append(f"### Answer: (between the delimiters; {_which_block(rules)})")
    return ({"role": "system", "content": system}, {"role": "user", "content": "\n\n".join(parts)})


def sdpo(problem: Problem, rules: Rules) -> tuple[Message, ...]:
    """The style of the SDPO paper: one message, with the limits, and a bare function to begin with."""
    parts = [
        "As an expert in coding, solve the following problem in Python. Reason first where it helps, and end with the "
        f"final code in a block that begins with {FENCE}python and ends with {FENCE}; {_which_block(rules)}. The code "
        f"may use {rules.limits}.",
        problem.statement.strip(),
    ]
    if problem.entry_point is None:
        parts += _examples(problem)
        parts.append("The code reads the input from standard input and prints the answer, and nothing else.")
    elif problem.starter_code.strip():
        parts += ["The code must define this function:", fenced(_as_function(problem))]
    else:
        parts.append(f"The code must define a function `{problem.entry_point}` that returns the answer.")
    return ({"role": "user", "content": "\n\n".join(parts)},)


PROMPTS: dict[str, Callable[[Problem, Rules], tuple[Message, ...]]] = {
    "plain": plain,
    "livecodebench": livecodebench,
    "sdpo": sdpo,
}


def shows(text: str, test_input: str, test_output: str) -> bool:
    """Whether a text shows a test: its input and somewhere after it its output, each as whole lines.

    Spaces at the ends of lines, repeated spaces and empty lines make no difference.
    """
    lines = _lines(text)
    after = _find(_lines(test_input), lines, 0)
    return after is not None and _find(_lines(test_output), lines, after) is not None


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]


def _find(part: list[str], lines: list[str], start: int) -> int | None:
    """The index after the first place at or after `start` where `part` occurs in `lines`."""
    for index in range(start, len(lines) - len(part) + 1):
        if lines[index : index + len(part)] == part:
            return index + len(part)
    return None


def _which_block(rules: Rules) -> str:
    return f"of several blocks, the {rules.extraction} one is taken"


def _as_function(problem: Problem) -> str:
    """The starter code with a method of a class `Solution` as a function."""
    match = re.search(r"^class Solution\b.*\n", problem.starter_code + "\n", flags=re.MULTILINE)
    if match is None:
        return problem.starter_code
    body = textwrap.dedent(problem.starter_code[match.end() :])
    without_self = re.sub(rf"(def\s+{problem.entry_point}\s*\(\s*)self\s*,?\s*", r"\1", body)
    return problem.starter_code[: match.start()] + without_self


def _signature(problem: Problem) -> str:
    """The line `def …:`, if that is all of the starter code; the function's name, if there is none; else empty."""
    if problem.entry_point is None:
        return ""
    starter = _as_function(problem).strip()
    if not starter:
        return problem.entry_point
    return starter if re.fullmatch("def .*:", starter) else ""


def _examples(problem: Problem) -> list[str]:
    """Public tests, of a program that reads standard input, that the statement does not show."""
    if problem.entry_point is not None:
        return []
    missing = [test for test in problem.public_tests if not shows(problem.statement, test.input, test.output)]
    return [
        f"Example input:\n{test.input.rstrip()}\n\nExample output:\n{test.output.rstrip()}"
        for test in missing[:MAX_EXAMPLES]
    ]
