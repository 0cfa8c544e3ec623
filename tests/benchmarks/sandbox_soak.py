"""Do many submissions through one pool leak anything, or go wrong? python tests/benchmarks/sandbox_soak.py

Honest and hostile programs are graded by two threads. In the first half workers are killed at random; in the second
nothing is, and what the host and its workers hold is looked at near its beginning and at its end.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from sandbox.hostile.world import World  # noqa: E402
from sandbox.soaking import Report, make_submissions, soak, usage  # noqa: E402

from sdpo_gym.sandbox import LocalSandbox  # noqa: E402


def print_report(report: Report, left: int) -> None:
    """The report as a table."""
    before, after = report.usage
    for name, value in (
        ("submissions", report.submissions),
        ("of them honest", report.honest),
        ("seconds", f"{report.seconds:.0f}"),
        ("submissions per second", f"{report.submissions / report.seconds:.1f}"),
        ("workers killed", report.kills),
        ("submissions that lost two workers in a row", report.sandbox_errors),
        ("wrong or lost verdicts", len(report.wrong)),
        ("processes left after closing", left),
    ):
        print(f"{name:44}{value:>12}")
    print(f"\n{'':44}{'at first':>12}{'at the end':>12}")
    for name, one, other in zip(before._fields, before, after, strict=True):
        print(f"{name:44}{one:>12.0f}{other:>12.0f}")
    for text in report.wrong[:10]:
        print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-namespaces", action="store_true")
    arguments = parser.parse_args()
    namespaces = not arguments.no_namespaces
    with contextlib.closing(World()) as world:
        submissions = make_submissions(world, arguments.submissions, arguments.seed)
        processes = usage().processes
        with (
            contextlib.closing(LocalSandbox(workers=1, namespaces=namespaces)) as fresh,
            contextlib.closing(LocalSandbox(workers=arguments.threads, namespaces=namespaces)) as sandbox,
        ):
            report = soak(sandbox, fresh, submissions, arguments.threads, arguments.seed)
        left = usage().processes - processes
        world.check()
    print(f"{os.cpu_count()} CPUs, namespaces {'on' if namespaces else 'off'}, seed {arguments.seed}")
    print_report(report, left)
    sys.exit(bool(report.wrong or left))


if __name__ == "__main__":
    main()
