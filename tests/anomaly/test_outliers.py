"""Claims about scales of scores, and about samples given as normal that are none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.anomaly.base import is_outlier
from gmmseg.anomaly.view import Scale

SCORES = st.lists(st.integers(-3, 3) | st.floats(-1e3, 1e3), min_size=2, max_size=40)


@given(scores=SCORES, n_far=st.integers(0, 20))
def test_at_most_a_quarter_of_normal_samples_are_taken_for_none(scores, n_far):
    far = 10.0 ** np.arange(7, 7 + n_far)
    all_scores = np.concatenate([scores, far])
    assert is_outlier(all_scores).sum() <= len(all_scores) / 4


def test_a_quarter_of_far_samples_are_taken_for_none(rng):
    scores = np.concatenate([rng.normal(size=31), np.full(10, 1e3)])
    assert_array_equal(np.flatnonzero(is_outlier(scores)), np.arange(31, 41))


def test_units_and_offsets_of_scores_do_not_matter(rng):
    scores = np.concatenate([rng.normal(size=50), [9.0, 12.0]])
    assert_array_equal(is_outlier(7.0 * scores - 30.0), is_outlier(scores))
    assert_allclose(Scale.of(7.0 * scores - 30.0).apply(7.0 * scores - 30.0),
                    Scale.of(scores).apply(scores))  # fmt: skip


def test_normal_scores_are_brought_to_median_0_and_deviation_1(rng):
    scores = rng.normal(40.0, 5.0, size=100_000)
    scaled = Scale.of(scores).apply(scores)
    assert abs(np.median(scaled)) < 1e-12
    assert abs(scaled.std() - 1.0) < 0.01


def test_equal_scores_keep_their_unit():
    assert Scale.of(np.full(5, 3.0)).spread == 1.0
    assert_array_equal(Scale.of(np.full(5, 3.0)).apply(np.array([3.0, 4.0])), [0.0, 1.0])
