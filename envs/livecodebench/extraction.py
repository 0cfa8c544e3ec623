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

    A language tag after the opening fence is optional, and there may be words before it. Only if no block is closed, as
    happens when a response is cut off, a last one without its closing fence is taken. What was thought (up to the last
    `</think>`) counts only if no block comes after it.
    """
    answer = response.rpartition("</think>")[2]
    blocks, closed = _find_blocks(answer if FENCE in answer else response)
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
    backticks = 0  # of the fence that opened the block; outside of blocks 0
    for line in response.replace("\r\n", "\n").split("\n"):
        text = line.strip()
        before, fence, after = text.partition(FENCE)
        tag = after.lstrip("`")
        length = len(fence + after) - len(tag)
        if not backticks:
            opens = bool(fence) and "`" not in tag and (not before or len(tag.split()) <= 1)
            closes = False
        else:
            at_start = not before and length >= backticks
            opens = at_start and tag[:1].isalnum() and "`" not in tag  # the block before was not closed
            closes = at_start or text.endswith("`" * backticks)
        if opens:
            blocks.append([])
            backticks = length
        elif closes:
            if before:
                blocks[-1].append(line.rstrip().removesuffix("`" * backticks))
            backticks = 0
        elif backticks:
            blocks[-1].append(line)
    return ["\n".join(block) for block in blocks], not backticks
