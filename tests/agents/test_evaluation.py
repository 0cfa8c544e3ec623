"""Estimators of success."""

import math
from itertools import combinations

import pytest

from agents.episode import Episode, Turn
from agents.evaluate.evaluation import Evaluation, evaluation_starts


def evaluation(*groups):
    return Evaluation(
        [
            [Episode("t", 0, (), [Turn([1], [2, 3], [-1.0, -1.0], False, "x", float(s))], bool(s)) for s in group]
            for group in groups
        ]
    )


def test_success_rate_and_error():
    result = evaluation([1, 0, 0, 0], [1, 1, 1, 1])
    assert result.success_rate == 0.625
    assert result.standard_error == pytest.approx(math.sqrt(0.25 * 0.75 / 3) / 2)
    assert math.isnan(evaluation([1], [0]).standard_error)
    assert result.metrics()["response_tokens"] == 2


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_pass_at_k_counts_all_subsets(k):
    outcomes = [1, 0, 0, 1, 0]
    subsets = list(combinations(outcomes, k))
    assert evaluation(outcomes).pass_at(k) == pytest.approx(sum(any(s) for s in subsets) / len(subsets))


def test_starts_are_fixed_and_spread_over_the_tasks():
    assert [start.task for start in evaluation_starts(20, 4)] == [0, 5, 10, 15]
    assert [start.task for start in evaluation_starts(3, 10)] == [0, 1, 2]
    assert evaluation_starts(None, 3) == evaluation_starts(None, 3)
