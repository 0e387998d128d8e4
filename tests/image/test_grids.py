"""Claims about coarse grids: means of blocks, and the way back to pixels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.image.grids import block_means, stretched


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
