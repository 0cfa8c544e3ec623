"""Finds the program in a response."""

from __future__ import annotations

import textwrap

FENCE = "```"


def extract_code(response: str) -> str | None:
    """The longest fenced code block of a response, or None if there is no block with anything in it.

    A language tag after the opening fence is optional. The last block may be left unclosed, as happens when a response
    is cut off, if code follows its fence.
    """
    blocks, _ = _find_blocks(response)
    code = max(blocks, key=len, default="")
    if not code.strip():
        return None
    return textwrap.dedent(code) if code[0] in " \t" else code  # a block may be indented, for example in a list


def has_unclosed_fence(response: str) -> bool:
    """Whether the response ends inside a fenced block."""
    _, closed = _find_blocks(response)
    return not closed


def _find_blocks(response: str) -> tuple[list[str], bool]:
    """The contents of all fenced blocks, and whether the last one is closed."""
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
