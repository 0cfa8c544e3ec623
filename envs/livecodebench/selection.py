"""Chooses problems: by date, difficulty, platform and id."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from envs.livecodebench.rows import Problem

ERRATA = frozenset(
    {
        # More than one answer is right, but only one is accepted.
        *("abc311_c", "abc326_d", "abc327_b", "abc333_e", "abc343_a", "abc343_e", "abc362_c", "arc185_c"),
        *("find-words-containing-character", "find-the-peaks"),
        "generate-binary-strings-without-adjacent-zeros",
        # The program would have to talk to the judge.
        *("abc337_e", "abc355_e"),
        # The tests are wrong.
        *("abc350_c", "apply-operations-to-make-string-empty", "most-frequent-ids", "arc189_a"),
    }
)
"""Problems of LiveCodeBench that its authors know to be unfit, by id; LeetCode's by their name in its addresses."""


@dataclass(frozen=True)
class Selection:
    """Which problems to keep. Hashable; made by `make_selection`."""

    since: date | None = None
    until: date | None = None
    difficulty: frozenset[str] | None = None
    platform: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()

    def apply(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems that are kept, in order.

        Raises:
            ValueError: a difficulty, platform or excluded id does not exist, or nothing is left.
        """
        for name in ("difficulty", "platform"):
            wanted, known = getattr(self, name), sorted({getattr(problem, name) for problem in problems})
            if wanted is not None and (not wanted or not wanted <= set(known)):
                listed = json.dumps([part.strip() for text in sorted(wanted) for part in text.split(",")])
                hint = f"; several are a list: {name}={listed}" if any("," in text for text in wanted) else ""
                raise ValueError(
                    f"{name} must be one or more of {known}, which the data has, not {sorted(wanted)}{hint}"
                )
        unknown = self.exclude - ERRATA - {name for problem in problems for name in _names(problem)}
        if unknown:
            raise ValueError(f"exclude has ids that no problem of the data has: {sorted(unknown)}")
        kept = [problem for problem in problems if self._keeps(problem)]
        if not kept:
            dates = sorted(problem.contest_date[:10] for problem in problems) or ["none"]
            raise ValueError(
                f"none of the {len(problems)} problems, with contest dates from {dates[0]} to {dates[-1]}, fits "
                f"{', '.join(self._filters(problems))}; leave some of these out"
            )
        return kept

    def _filters(self, problems: Sequence[Problem]) -> Iterator[str]:
        """The filters that say something about these problems, in the words of `make_selection`'s arguments."""
        for name in ("since", "until"):
            if getattr(self, name) is not None:
                yield f"{name}={getattr(self, name).isoformat()!r}"
        for name in ("difficulty", "platform"):
            if getattr(self, name) is not None:
                yield f"{name}={sorted(getattr(self, name))}"
        if any(not self.exclude.isdisjoint(_names(problem)) for problem in problems):
            yield f"exclude={['errata'] * (self.exclude >= ERRATA) + sorted(self.exclude - ERRATA)}"

    def _keeps(self, problem: Problem) -> bool:
        day = date.fromisoformat(problem.contest_date[:10])
        return (
            (self.since is None or self.since <= day)
            and (self.until is None or day < self.until)
            and (self.difficulty is None or problem.difficulty in self.difficulty)
            and (self.platform is None or problem.platform in self.platform)
            and self.exclude.isdisjoint(_names(problem))
        )


def make_selection(
    since: str | date | None = None,
    until: str | date | None = None,
    difficulty: str | Iterable[str] | None = None,
    platform: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = "errata",
) -> Selection:
    """A selection from the environment's arguments.

    Raises:
        ValueError: an argument has no meaning.
    """
    excluded = _names_of("exclude", exclude) or frozenset()
    if "errata" in excluded:
        excluded = excluded - {"errata"} | ERRATA
    return Selection(
        _date("since", since),
        _date("until", until),
        _names_of("difficulty", difficulty),
        _names_of("platform", platform),
        excluded,
    )


def _names(problem: Problem) -> tuple[str, str]:
    """By which a problem may be excluded."""
    return problem.id, re.sub(r"[^a-z0-9]+", "-", problem.title.lower()).strip("-")


def _date(name: str, value: str | date | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value[:10] if isinstance(value, str) else value.isoformat()[:10])
    except (AttributeError, ValueError) as error:
        raise ValueError(f"{name} must be a date such as '2025-02-01', not {value!r:.100}") from error


def _names_of(name: str, value: str | Iterable[str] | None) -> frozenset[str] | None:
    if value is None:
        return None
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [value]
    if not all(isinstance(item, str) for item in names):
        raise ValueError(f"{name} must be a text, a list of texts or None, not {value!r:.100}")
    return frozenset(names)
