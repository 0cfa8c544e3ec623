"""Hostile programs, for which a sandbox is built: what each tries, and what must be observed."""

from __future__ import annotations

from sandbox.hostile import exhaustion, files, fooling, kernel, network, processes, stubborn
from sandbox.hostile.program import Family, Hostile

_MODULES = (exhaustion, files, fooling, kernel, network, processes, stubborn)

PROGRAMS: tuple[Hostile, ...] = tuple(
    program
    for module in _MODULES
    for family in vars(module).values()
    if isinstance(family, Family)
    for program in family.programs
)
