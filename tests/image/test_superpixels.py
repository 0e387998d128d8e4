import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.superpixels import Borders, superpixels
from tests import naive


@pytest.fixture
def strength(rng):
    return rng.random((20, 30), dtype=np.float32)


def everywhere(array):
    return np.ones(array.shape, dtype=bool)


def test_every_pixel_inside_has_a_superpixel_and_none_outside(strength, rng):
    inside = rng.random(strength.shape) < 0.7
    assert_array_equal(superpixels(strength, inside) > 0, inside)


def test_superpixels_are_numbered_from_one_without_gaps_and_connected(strength, rng):
    inside = rng.random(strength.shape) < 0.7
    labels = superpixels(strength, inside)
    assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))
    assert all(naive.is_connected(labels == label) for label in range(1, labels.max() + 1))


def test_two_valleys_meet_at_the_crest_between_them():
    valleys = np.array([[0, 1, 2, 3, 4, 1, 0]], dtype=np.float32)
    labels = superpixels(valleys, everywhere(valleys))[0]
    assert_array_equal(labels[[0, 1, 2, 3]], 1)
    assert_array_equal(labels[[5, 6]], 2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 5)])
def test_what_has_no_edges_is_one_superpixel(shape):
    even = np.zeros(shape, dtype=np.float32)
    assert_array_equal(superpixels(even, everywhere(even)), 1)


def test_parts_that_the_mask_separates_are_superpixels_of_their_own():
    inside = np.ones((3, 7), dtype=bool)
    inside[:, 3] = False
    labels = superpixels(np.zeros(inside.shape, dtype=np.float32), inside)
    assert_array_equal(labels[0], [1, 1, 1, 0, 2, 2, 2])


def test_borders_are_those_found_pixel_by_pixel(strength, rng):
    labels = rng.integers(0, 5, size=strength.shape).astype(np.int32)
    borders = Borders.between(labels, strength)
    expected = naive.borders(labels, strength)
    assert sorted(map(tuple, (borders.pairs + 1).tolist())) == sorted(expected)
    for pair, length, total in zip(
        borders.pairs + 1, borders.lengths, borders.strength_sums, strict=True
    ):
        assert_allclose((length, total), expected[tuple(pair.tolist())], rtol=1e-5)


def test_one_region_has_no_borders(strength):
    assert len(Borders.between(np.ones(strength.shape, dtype=np.int32), strength).pairs) == 0
