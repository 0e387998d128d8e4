"""Claims about means weighted by rank: the mean and the loudest are their ends, length is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gmmseg.audio import ranked_means
from gmmseg.audio.ranking import rank_shares, rank_weights
from gmmseg.errors import InputError
from tests import naive

RATIOS = (0.0, 0.3, 0.8, 0.99, 1.0)


def test_means_are_those_of_the_naive_twin(rng):
    table = rng.normal(size=(40, 3))
    expected = [[naive.ranked_mean(band, ratio) for band in table.T] for ratio in RATIOS]
    assert_allclose(ranked_means(table, RATIOS), expected, rtol=1e-12)


def test_ratio_one_is_the_mean_and_ratio_zero_the_loudest_frame(rng):
    table = rng.normal(size=(17, 4))
    assert_allclose(ranked_means(table, [1.0, 0.0]), [table.mean(axis=0), table.max(axis=0)])


def test_half_of_each_frame_by_hand():
    # Weights 4, 2, 1 of 7 for 9, 2, -5.
    assert_allclose(ranked_means([[2.0], [9.0], [-5.0]], [0.5]), [[(36 + 4 - 5) / 7]])


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_a_clip_that_is_repeated_has_the_same_means(times, seed):
    table = np.random.default_rng(seed).normal(size=(12, 2))
    repeated = ranked_means(np.tile(table, (times, 1)), RATIOS, n_typical=12)
    assert_allclose(repeated, ranked_means(table, RATIOS), rtol=1e-12)


def test_the_order_of_frames_means_nothing(rng):
    table = rng.normal(size=(30, 2))
    shuffled = rng.permutation(table, axis=0)
    assert_allclose(ranked_means(shuffled, RATIOS), ranked_means(table, RATIOS), rtol=1e-12)


@given(st.integers(1, 60), st.integers(1, 60))
def test_weights_fall_with_rank_and_sum_to_one(n_frames, n_typical):
    weights = rank_weights(n_frames, RATIOS, n_typical=n_typical)
    assert (weights >= 0.0).all()
    assert (np.diff(weights, axis=1) <= 1e-12).all()
    assert_allclose(weights.sum(axis=1), 1.0)


def test_shares_of_frames_give_the_means(rng):
    table = rng.normal(size=(25, 3))
    shares = rank_shares(table, RATIOS, n_typical=10)
    assert_allclose((shares * table).sum(axis=1), ranked_means(table, RATIOS, n_typical=10))


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_outside_zero_to_one_is_refused(ratio):
    with pytest.raises(InputError, match="ratios must lie from 0 to 1, got"):
        ranked_means([[1.0]], [ratio])


def test_a_table_without_frames_is_refused():
    with pytest.raises(InputError, match=r"table must have shape .* got \(0, 3\)"):
        ranked_means(np.zeros((0, 3)), [0.5])
