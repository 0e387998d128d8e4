"""Claims about coarse grids: means of blocks, and the way back to pixels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.grids import block_means, block_means_inside, block_sums, stretched


def test_blocks_are_averaged_and_edges_repeated():
    values = np.array([[0, 2, 5], [2, 0, 7]], dtype=np.float32)
    assert_allclose(block_means(values, 2), [[1, 6]])


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (8, 8), (13, 6)])
def test_constant_images_come_back_at_full_size(shape):
    values = np.full(shape, 2.5, dtype=np.float32)
    assert_allclose(stretched(block_means(values, 4), 4, shape), values)


def test_a_slope_comes_back_between_the_middles_of_blocks():
    values = np.arange(16, dtype=np.float32)[np.newaxis].repeat(4, axis=0)
    back = stretched(block_means(values, 4), 4, (4, 16))
    assert_allclose(back[:, 2:14], values[:, 2:14], rtol=1e-6)


def test_sums_of_blocks_that_reach_over_an_edge_are_of_what_is_there():
    values = np.arange(15).reshape(3, 5)
    assert_array_equal(block_sums(values, (2, 2)), [[12, 20, 13], [21, 25, 14]])
    assert_array_equal(block_sums(values, (1, 1)), values)


def test_means_inside_are_those_of_the_pixels_inside():
    features = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    inside = np.ones((3, 4), dtype=bool)
    inside[0, 0] = inside[2, 2] = inside[2, 3] = False
    means, use = block_means_inside(features, inside, 2)
    assert_array_equal(means[:, :, 0], np.float32([[10 / 3, 4.5], [8.5, 0]]))
    assert_array_equal(use, [[True, True], [True, False]])
