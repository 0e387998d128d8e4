"""Claims about the samples of a fit in one array: what counts, what takes part."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.core.data import TableData

NAN = float("nan")


@pytest.fixture
def X():
    return np.array([[1.0, NAN, 5.0], [2.0, NAN, NAN], [NAN, NAN, NAN], [4.0, NAN, 7.0]])


def test_rows_that_miss_all_count_for_nothing(X):
    assert TableData(X).weight_sum == 3.0
    assert TableData(X, np.array([1.0, 2.0, 50.0, 3.0])).weight_sum == 6.0


def test_a_sum_of_weights_beyond_all_numbers_is_the_largest():
    data = TableData(np.zeros((3, 1)), np.full(3, 1e308))
    assert data.weight_sum == np.finfo(np.float64).max


def test_features_that_no_row_has_take_part_if_wanted(X):
    assert_array_equal(TableData(X, with_unseen=True).features, [0, 1, 2])
    data = TableData(X, with_unseen=False)
    assert_array_equal(data.features, [0, 2])
    assert (data.n_features, data.n_columns) == (2, 3)


def test_the_sample_has_the_features_that_take_part_and_no_empty_row(rng, X):
    rows, weight = TableData(X, with_unseen=False).sample(rng)
    assert_array_equal(rows, [[1.0, 5.0], [2.0, NAN], [4.0, 7.0]])
    assert_array_equal(weight, [1.0, 1.0, 1.0])


def test_labelled_samples_are_those_with_a_label(X):
    labels = np.array([-1, 0, -1, 2], np.int32)
    rows, known = TableData(X, labels=labels, with_unseen=False).labelled()
    assert_array_equal(rows, [[2.0, NAN], [4.0, 7.0]])
    assert_array_equal(known, [0, 2])
    rows, known = TableData(X, with_unseen=False).labelled()
    assert (rows.shape, known.shape) == ((0, 2), (0,))


def test_noise_lies_in_the_box_around_what_is_seen(X):
    noise = TableData(X, with_unseen=False).noise()
    assert_array_equal(noise.low, [1.0, 5.0])
    assert_array_equal(noise.high, [4.0, 7.0])


def test_samples_to_search_a_start_on_have_their_rows_in_one_piece(rng):
    X = rng.normal(size=(50, 6))
    X[:, 2] = np.nan
    for data in (TableData(X), TableData(X, with_unseen=False)):
        assert data.sample(rng)[0].flags.c_contiguous
