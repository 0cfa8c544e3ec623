"""Estimators of success, against closed forms and brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evaluate.estimators import bootstrap_interval, majority_vote, pass_at_k, short_answer


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.data())
def test_pass_at_k_counts_the_subsets_with_a_success(outcomes, data):
    k = data.draw(st.integers(1, len(outcomes)))
    subsets = list(itertools.combinations(outcomes, k))
    expected = sum(any(subset) for subset in subsets) / len(subsets)
    assert pass_at_k(len(outcomes), sum(outcomes), k) == pytest.approx(expected)


@given(st.floats(0, 1), st.integers(1, 12), st.data())
def test_pass_at_k_is_unbiased(rate, n, data):
    """Its mean over the binomial number of successes is 1 − (1 − p)^k."""
    k = data.draw(st.integers(1, n))
    mean = sum(math.comb(n, c) * rate**c * (1 - rate) ** (n - c) * pass_at_k(n, c, k) for c in range(n + 1))
    assert mean == pytest.approx(1 - (1 - rate) ** k, abs=1e-9)


def test_pass_at_k_of_many_attempts():
    assert pass_at_k(5000, 1, 2500) == pytest.approx(0.5)
    assert pass_at_k(5000, 0, 5000) == 0.0 and pass_at_k(5000, 4000, 1) == 0.8


@pytest.mark.parametrize(("n", "c", "k"), [(4, 1, 5), (4, 1, 0), (4, 5, 1), (4, -1, 1)])
def test_pass_at_k_refuses_nonsense(n, c, k):
    with pytest.raises(ValueError, match="needs"):
        pass_at_k(n, c, k)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("B", "b"),
        (" 42. \n", "42"),
        ("So <answer>A</answer>, no: <ANSWER> New\nYork </ANSWER>", "new york"),
        ("<answer>A <answer> B</answer>", "b"),
        ("Thus \\boxed{1/2} or \\boxed{ 3 }.", "3"),
        ("Thus \\boxed{3}, no: \\boxed{\\frac{1}{\\sqrt{2}}}.", "\\frac{1}{\\sqrt{2}}"),
        ("x" * 41, None),
        ("a long talk <answer>" + "x" * 41 + "</answer>", None),
        ("", None),
        (".", None),
    ],
)
def test_short_answers(response, answer):
    assert short_answer(response) == answer


def test_majority_vote():
    assert majority_vote(["a", "a", "b"], [True, True, False]) == 1.0
    assert majority_vote(["a", "a", "b"], [False, False, True]) == 0.0
    assert majority_vote(["a", "a", None, None, None], [True, True, False, False, False]) == 1.0
    assert majority_vote([None, None], [True, True]) == 0.0
    assert majority_vote(["a", "b", "c", None], [True, False, False, False]) == pytest.approx(1 / 3)  # a tie of three
    assert majority_vote(["a", "a"], [True, False]) == 0.5  # judged by more than the answer


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.sampled_from("abc"))
def test_majority_vote_is_the_mode_with_ties_at_random(answers, right):
    most = max(answers.count(answer) for answer in answers)
    modes = {answer for answer in answers if answers.count(answer) == most}
    expected = (right in modes) / len(modes)
    assert majority_vote(answers, [answer == right for answer in answers]) == pytest.approx(expected)


def test_bootstrap_interval_of_few_values_is_that_of_all_resamples():
    values = [0.0, 0.25, 0.5, 0.5, 1.0]
    means = [np.mean(draw) for draw in itertools.product(values, repeat=5)]
    low, high = bootstrap_interval(values)
    assert low == pytest.approx(np.quantile(means, 0.025), abs=0.05)
    assert high == pytest.approx(np.quantile(means, 0.975), abs=0.05)
    assert bootstrap_interval(values) == (low, high)  # no randomness from outside


def test_bootstrap_interval_of_many_values_is_the_normal_one():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=400)
    error = values.std() / math.sqrt(400)
    low, high = bootstrap_interval(values)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)
    assert bootstrap_interval([0.0, 0.5, 1.0, 1.0]) is None
    assert bootstrap_interval([1.0] * 5) == (1.0, 1.0)
