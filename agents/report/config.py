"""Settings of `python -m agents.report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from agents.errors import UsageError


@dataclass
class ReportConfig:
    """Show training runs in one HTML page, which needs no network: curves, comparisons, and what was learned from each
    token. Runs with equal settings, apart from the seed, are one curve.
    """

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of runs of agents.sdpo and agents.grpo, finished or not."""

    output: Path = Path("report.html")
    """The page. A file of that name is replaced."""

    most_rollouts: int = 5000
    """Most attempts in the page, evenly spaced over the runs; those shown with token credit come first."""

    most_credits: int = 500
    """Most attempts that are shown with token credit, which takes many times the room of their texts."""

    def check(self) -> None:
        """Raise UsageError on values that make no sense."""
        if not self.runs:
            raise UsageError("name at least one run's folder")
        for flag, value in (("--most-rollouts", self.most_rollouts), ("--most-credits", self.most_credits)):
            if value < 0:
                raise UsageError(f"{flag} must be at least 0, not {value}")
        resolved = [path.resolve() for path in self.runs]
        for path, place in zip(self.runs, resolved, strict=True):
            if resolved.count(place) > 1:
                raise UsageError(f"the run {path} is named twice; it would count as two seeds")
