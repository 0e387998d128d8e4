import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.numbering import close_gaps, of_those_left


@pytest.mark.parametrize("shape", [(30, 40), (5, 12, 20)])
def test_numbers_have_no_gaps_and_keep_their_order(rng, shape):
    before = rng.choice([0, 2, 5, 9], size=shape).astype(np.uint8)
    labels = before.copy()
    used = close_gaps(labels)
    assert_array_equal(used, [2, 5, 9])
    assert_array_equal(np.concatenate([[0], used])[labels], before)
    assert labels.dtype == np.uint8
    assert labels.max() == 3


def test_numbers_without_gaps_stay(rng):
    before = rng.integers(0, 5, size=(30, 40), dtype=np.int32)
    labels = before.copy()
    assert_array_equal(close_gaps(labels), [1, 2, 3, 4])
    assert_array_equal(labels, before)


def test_where_nothing_is_labelled_no_number_is_used():
    assert len(close_gaps(np.zeros((3, 4), np.int32))) == 0


def test_probabilities_of_the_segments_left_sum_to_1_and_keep_their_ratios(rng):
    probabilities = rng.dirichlet(np.ones(4), size=(6, 7)).astype(np.float32)
    probabilities[0] = 0
    labels = np.ones((6, 7), np.uint8)
    labels[0] = 0
    left = of_those_left(probabilities, np.array([1, 3, 4]), labels)
    assert left.shape == (6, 7, 3)
    assert not left[0].any()
    assert_allclose(left[1:].sum(axis=2), 1, atol=1e-6)
    ratio = probabilities[1:, :, 0] / probabilities[1:, :, 2]
    assert_allclose(left[1:, :, 0] / left[1:, :, 1], ratio, rtol=1e-5)


def test_a_pixel_whose_segment_is_gone_belongs_to_the_one_it_joined():
    probabilities = np.array([[[0, 1, 0], [1, 0, 0]]], np.float32)
    left = of_those_left(probabilities, np.array([1, 3]), np.array([[2, 1]], np.uint8))
    assert_array_equal(left, [[[0, 1], [1, 0]]])
