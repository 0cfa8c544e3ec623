"""Finds the program in a response."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

FENCE = "```"
EXTRACTIONS = ("last", "longest")


@dataclass(frozen=True)
class Extraction:
    """The program of a response, and what is wrong with the response's form."""

    code: str | None
    """None: there is no program."""

    problem: str = ""
    """Without a program one of `empty`, `unfinished_thought`, `no_code_block`, `empty_code_block` and `cut_off` (the
    response ends where the code should begin). With one, "", `unclosed` (the program's block is not closed) or
    `later_unclosed` (it is, but another one comes after it that is not)."""


def extract(response: str, which: str = "last") -> Extraction:
    """The last fenced code block of a response that is closed, or the longest.

    A language tag after the opening fence is optional. Only if no block is closed, as happens when a response is cut
    off, a last one without its closing fence is taken.
    """
    blocks, closed = _find_blocks(response)
    complete = [block for block in (blocks if closed else blocks[:-1]) if block.strip()]
    if complete:
        code = complete[-1] if which == "last" else max(complete, key=len)
        return Extraction(_dedent(code), "" if closed else "later_unclosed")
    if not closed and blocks[-1].strip():
        return Extraction(_dedent(blocks[-1]), "unclosed")
    return Extraction(None, _why_none(response, blocks, closed))


def _why_none(response: str, blocks: list[str], closed: bool) -> str:
    if not response.strip():
        return "empty"
    if response.rfind("<think>") > response.rfind("</think>"):
        return "unfinished_thought"
    if not closed:
        return "cut_off"
    return "empty_code_block" if blocks else "no_code_block"


def _dedent(code: str) -> str:
    return textwrap.dedent(code) if code[0] in " \t" else code  # a block may be indented, for example in a list


def _find_blocks(response: str) -> tuple[list[str], bool]:
    """The contents of all fenced blocks, and whether the last one is closed.

    A block that is interrupted by the opening of the next one counts as closed there.
    """
    blocks: list[list[str]] = []
    inside = False
    for line in response.replace("\r\n", "\n").split("\n"):
        text = line.strip()
        tag = text.lstrip("`")
        if text.startswith(FENCE) and "`" not in tag:
            # Inside a block, a fence with a tag begins the next block: the one before was not closed.
            inside = not inside or tag[:1].isalnum()
            if inside:
                blocks.append([])
        elif inside:
            inside = not text.endswith(FENCE)
            blocks[-1].append(line if inside else line.rstrip().removesuffix(FENCE))
    return ["\n".join(block) for block in blocks], not inside
