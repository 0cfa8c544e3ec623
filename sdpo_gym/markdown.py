"""Markdown as models write it."""

from __future__ import annotations

import re


def fenced(program: str) -> str:
    """A Python program as a fenced code block, whose fence is longer than any run of backticks in the program."""
    longest = max((len(run) for run in re.findall("`+", program)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{program.rstrip()}\n{fence}"
