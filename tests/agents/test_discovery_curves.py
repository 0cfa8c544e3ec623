"""Estimators of discovery@k, against closed forms and brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.discovery.curves import (
    Outcome,
    attempts_until,
    bootstrap_curves,
    discovery_curve,
    empirical_curve,
    independent_curve,
    interval,
    mean_attempts,
    pass_curve,
    speed_up,
)
from agents.evaluate.estimators import pass_at_k

TIMES = st.lists(st.one_of(st.none(), st.integers(1, 8)), min_size=1, max_size=6)


def outcomes(times, budget=8):
    return [Outcome(time, budget if time is None else time, int(time is not None)) for time in times]


@given(st.integers(1, 40), st.data())
def test_the_curve_of_independent_attempts_is_pass_at_k(n, data):
    c, budget = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    expected = [pass_at_k(n, c, k) for k in range(1, budget + 1)]
    assert pass_curve(n, c, budget) == pytest.approx(expected)


def test_attempts_of_all_runs_are_pooled():
    runs = [Outcome(2, 6, 1), Outcome(None, 6, 0)]
    assert independent_curve(runs, 4) == pytest.approx([pass_at_k(12, 1, k) for k in (1, 2, 3, 4)])
    with pytest.raises(ValueError, match="at least 8 attempts, not 6"):
        pass_curve(6, 1, 8)


@given(st.lists(st.booleans(), min_size=1, max_size=7))
def test_the_curve_is_that_of_the_discovery_time_in_a_random_order(outcomes_of_attempts):
    """Independent attempts may be put in any order: the mean over all orders of 1[time ≤ k] is the estimate."""
    n = len(outcomes_of_attempts)
    times = [
        next((i for i, solved in enumerate(order, 1) if solved), n + 1)
        for order in itertools.permutations(outcomes_of_attempts)
    ]
    expected = [np.mean([time <= k for time in times]) for k in range(1, n + 1)]
    assert pass_curve(n, sum(outcomes_of_attempts), n) == pytest.approx(expected)


@given(TIMES)
def test_the_empirical_curve_counts_the_runs_that_are_done(times):
    curve = empirical_curve(outcomes(times), 8)
    for k in range(1, 9):
        assert curve[k - 1] == pytest.approx(sum(t is not None and t <= k for t in times) / len(times))
    assert mean_attempts(curve) == pytest.approx(np.mean([8 if t is None else t for t in times]))


def test_mean_attempts_of_a_geometric_time():
    rate, budget = 0.1, 50
    curve = 1 - (1 - rate) ** np.arange(1, budget + 1)
    expected = sum(min(t, budget) * rate * (1 - rate) ** (t - 1) for t in range(1, 3000))
    assert mean_attempts(curve) == pytest.approx(expected)


def test_attempts_until_and_speed_up():
    slow, fast = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0.2, 0.4, 0.4, 0.4, 0.4, 0.4])
    assert attempts_until(slow, 0.3) == 4 and attempts_until(fast, 0.5) is None and attempts_until(slow, 0.0) == 1
    assert speed_up(fast, slow) == (0.4, 5 / 2)
    assert speed_up(slow, fast) == (0.4, 2 / 5)
    assert speed_up(slow, slow) == (0.5, 1.0)
    assert speed_up(np.zeros(3), slow[:3]) is None


def test_every_task_weighs_the_same():
    runs = {"a": outcomes([1, 1]), "b": outcomes([None])}
    assert discovery_curve(empirical_curve, runs, 8) == pytest.approx([0.5] * 8)


def test_bands_cover_what_resampling_gives():
    same = {"a": outcomes([3, 3]), "b": outcomes([3, 3])}
    (curves,) = bootstrap_curves({"sdpo": same}, 8, draws=20).values()
    assert curves.shape == (20, 8) and (curves == curves[0]).all()
    # Two tasks, one always solved and one never: the mean over two drawn ones is 0, ½ or 1, with chances ¼, ½ and ¼.
    mixed = {"a": outcomes([1, 1, 1]), "b": outcomes([None] * 3)}
    draws = bootstrap_curves({"multi_turn": mixed}, 8, draws=2000)["multi_turn"][:, -1]
    values, counts = np.unique(draws, return_counts=True)
    assert values.tolist() == [0.0, 0.5, 1.0] and counts / 2000 == pytest.approx([0.25, 0.5, 0.25], abs=0.04)
    assert interval(draws, runs=6).tolist() == [0.0, 1.0]
    # One task whose runs differ: the runs are resampled.
    runs = {"a": outcomes([1, None])}
    draws = bootstrap_curves({"sdpo": runs}, 8, draws=2000)["sdpo"][:, -1]
    assert np.mean(draws == 0.5) == pytest.approx(0.5, abs=0.05)


def test_methods_are_resampled_together():
    runs = {"a": outcomes([1, None]), "b": outcomes([None, None]), "c": outcomes([2, 4])}
    curves = bootstrap_curves({"sdpo": runs, "multi_turn": runs}, 8, draws=50)
    assert (curves["sdpo"] == curves["multi_turn"]).all()
