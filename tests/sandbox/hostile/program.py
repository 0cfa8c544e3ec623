"""What a hostile program is, and what all of them begin with."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any, Literal

PRELUDE = '''
import ctypes, os, sys, time
T = @TARGETS@
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
LIBC.prctl(15, T["marker"].encode(), 0, 0, 0)
def breach(what):
    os.write(1, ("BREACH " + what + "\\n").encode("utf-8", "replace"))
def attempt(what, function, *arguments):
    """What the function returns; that it returns at all is a breach."""
    try:
        result = function(*arguments)
    except BaseException:
        return None
    breach(f"{what}: {result!r:.200}")
    return result
def syscall(number, *arguments):
    result = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if type(a) is int else a for a in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result
'''

EPILOGUE = """
print(2 * int(input()))
"""


@dataclass(frozen=True)
class Hostile:
    """A program that tries to harm its host or to be taken for right."""

    name: str
    family: str
    mode: Literal["stdin", "function"]
    tries: str
    """What it attempts, in words. It prints a line with BREACH when it succeeds, where it can tell."""

    source: str
    observed: tuple[str, ...]
    """Status, one of these, with which it ends on its first input."""

    x86_64_only: bool = False
    """Whether it makes system calls by their numbers on x86-64."""

    def text(self, targets: dict[str, Any]) -> str:
        """The source as it is submitted, aimed at `targets`. In mode `function` it defines `f`."""
        end = EPILOGUE if self.mode == "stdin" else ""
        return PRELUDE.replace("@TARGETS@", repr(targets)) + self.source + end


class Family:
    """Collects the programs of one family."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.programs: list[Hostile] = []

    def stdin(self, name: str, tries: str, source: str, *observed: str, x86_64_only: bool = False) -> None:
        """A program for standard input; it ends by printing twice the number that it reads, should it come so far."""
        self._add(name, "stdin", tries, source, observed, x86_64_only)

    def function(self, name: str, tries: str, source: str, *observed: str, x86_64_only: bool = False) -> None:
        """A program that defines `f`, of one number."""
        self._add(name, "function", tries, source, observed, x86_64_only)

    def _add(self, name: str, mode: Any, tries: str, source: str, observed: tuple[str, ...], x86_64_only: bool) -> None:
        source = textwrap.dedent(source)
        self.programs.append(Hostile(name, self.name, mode, tries, source, observed or ("ok",), x86_64_only))
