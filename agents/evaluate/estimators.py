"""Estimators of success from attempts at tasks, and their uncertainty."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

CONFIDENCE = 0.95
BOOTSTRAP_DRAWS = 4000

LEAST_TASKS = 5
"""Of fewer, resamples hardly differ: the 95 % interval of two tasks' mean would hold the truth half of the time."""

LONGEST_ANSWER = 40
"""A response of at most so many characters is an answer as it is."""

# No tag is looked for beyond the next one: a response that repeats it would take time by the square of its length.
_TAGGED = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL | re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")  # with braces in it, two deep


def pass_at_k(attempts: int, successes: int, k: int) -> float:
    """Unbiased pass@k: the chance that at least one of k attempts, drawn without replacement, succeeded.

    1 − C(n − c, k) / C(n, k) (Chen et al., arXiv 2107.03374), exact also for large n.

    Raises:
        ValueError: k is not between 1 and `attempts`, or there are more successes than attempts.
    """
    if not (1 <= k <= attempts and 0 <= successes <= attempts):
        raise ValueError(f"pass@{k} needs 1 ≤ k ≤ attempts and successes ≤ attempts, not {successes} of {attempts}")
    return 1 - math.comb(attempts - successes, k) / math.comb(attempts, k)


def short_answer(response: str) -> str | None:
    """The answer that a response gives, if it is short: what votes are counted on.

    The last `<answer>…</answer>`, else the last `\\boxed{…}`, else the whole response if it is short. Letter case,
    white space and a final full stop are ignored.
    """
    found = _TAGGED.findall(response) or _BOXED.findall(response)
    answer = " ".join((found[-1] if found else response).split()).rstrip(".").casefold()
    return answer if 0 < len(answer) <= LONGEST_ANSWER else None


def majority_vote(answers: Sequence[str | None], successes: Sequence[bool]) -> float:
    """The chance that the commonest answer is right, ties broken at random; responses without an answer do not vote.

    Args:
        answers: The answers to one task.
        successes: Which of them were judged a success. If equal answers were judged differently (as they had different
            forms), the answer's chance is the fraction of them that succeeded.

    Returns:
        0.0 where nobody votes.
    """
    votes = Counter(answer for answer in answers if answer is not None)
    if not votes:
        return 0.0
    most = max(votes.values())
    winners = [answer for answer, count in votes.items() if count == most]
    right = Counter(answer for answer, success in zip(answers, successes, strict=True) if success)
    return sum(right[answer] / most for answer in winners) / len(winners)


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % percentile-bootstrap interval of the mean of `values`, one per task: tasks are drawn with replacement.

    The values may themselves be estimates from several attempts: these vary along with the tasks, so that the interval
    covers both. For a difference between two models on the same tasks, give the differences.

    Returns:
        None with fewer than `LEAST_TASKS` tasks.
    """
    if len(values) < LEAST_TASKS:
        return None
    sample = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(len(sample), size=(BOOTSTRAP_DRAWS, len(sample)))
    low, high = np.quantile(sample[drawn].mean(axis=1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
