"""Claims about p-values: ranks in the body, a heavy tail beyond, thresholds that invert them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gmmseg.anomaly.null_scores import LEAST_SCORES, NullScores


def test_at_a_normal_score_a_p_value_is_the_rank_and_between_two_it_lies_between():
    null = NullScores.of(np.arange(9.0)[::-1])
    # Of 0 ... 8, six are at least 3 and five more than that; there are ten gaps.
    assert_allclose(null.p_values(np.array([3.0, 3.5, 8.0, 0.0, -1.0])), [0.6, 0.55, 0.1, 0.9, 1])


def test_beyond_the_largest_score_the_p_value_falls_as_a_pareto_tail():
    null = NullScores.of(np.array([0.0, 0.0, 1.0, 3.0]))
    # A fifth exceeds 3; the one excess of the upper half is 2: 0.2 / (1 + x / 2).
    assert_allclose(null.p_values(np.array([3.0, 11.0])), [0.2, 0.2 / 5])


def test_equal_scores_count_together():
    null = NullScores.of(np.array([1.0, 2.0, 2.0, 2.0]))
    assert_allclose(null.p_values(np.array([2.0])), [0.6])
    assert_allclose(NullScores.of(np.full(9, 2.0)).p_values(np.array([2.0])), [0.9])


@given(st.integers(2, 300), st.integers(0, 2**32 - 1))
def test_a_higher_score_never_has_a_higher_p_value(n_normal, seed):
    rng = np.random.default_rng(seed)
    null = NullScores.of(rng.normal(size=n_normal).round(1))
    p_values = null.p_values(np.linspace(-4, 9, 500))
    assert (np.diff(p_values) <= 1e-12).all()
    assert 0.0 < p_values.min() <= p_values.max() <= 1.0


@pytest.mark.parametrize("n_normal", [10, 25, 200])
@pytest.mark.parametrize("false_alarm", [0.001, 0.05, 0.2, 0.5])
def test_the_threshold_is_the_score_of_that_p_value(rng, n_normal, false_alarm):
    null = NullScores.of(rng.normal(size=n_normal))
    threshold = null.threshold(false_alarm)
    just_below = threshold - 1e-9 * abs(threshold) - 1e-9
    assert null.p_values(np.array([threshold * (1 + 1e-12) + 1e-12])) <= false_alarm * (1 + 1e-6)
    assert null.p_values(np.array([just_below])) > false_alarm * (1 - 1e-6)


def test_two_normal_scores_give_no_threshold_at_five_percent():
    assert NullScores.of(np.array([0.0, 1.0])).threshold(0.05) == np.inf


def test_p_values_of_further_normal_scores_are_uniform(rng):
    far = [
        NullScores.of(rng.normal(size=40)).p_values(rng.normal(size=20)) < 0.05 for _ in range(400)
    ]
    assert 0.035 < np.mean(far) < 0.065


def test_four_scores_are_the_fewest_that_a_small_rate_is_extrapolated_from(rng):
    for number in range(1, 30):
        limit = NullScores.of(rng.normal(size=number)).threshold(0.001)
        assert np.isfinite(limit) == (number >= LEAST_SCORES)
