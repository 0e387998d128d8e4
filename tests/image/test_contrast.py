"""The unit of edges, beside its definition in plain loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.image.contrast import NeighbourSquares


def naive_mean_squares(image, inside):
    pairs = [
        (image[row, col], image[other])
        for row, col in np.argwhere(inside)
        for other in ((row + 1, col), (row, col + 1))
        if other[0] < image.shape[0] and other[1] < image.shape[1] and inside[other]
    ]
    return np.mean([(one - other) ** 2 for one, other in pairs], axis=0)


def squares_of(image, inside, rows=1000):
    """Add up strips of so many rows, each with the row below."""
    squares = NeighbourSquares(n_axes=2)
    for start in range(0, len(image), rows):
        part = slice(start, start + rows + 1)
        chosen = inside[np.newaxis, part].copy()
        chosen[:, rows:] = False
        squares.add(image[np.newaxis, part], inside[np.newaxis, part], chosen)
    return squares


@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_neighbours_differ_by_1_in_the_mean_square(rng, rows):
    image = rng.normal(size=(12, 9, 4)) * [1, 10, 100, 0]
    inside = rng.random((12, 9)) < 0.8
    scale = squares_of(image, inside, rows).scale()
    expected = 1 / np.sqrt(3 * naive_mean_squares(image[..., :3], inside))
    assert_allclose(scale.factors[:3], expected, rtol=1e-5)
    assert scale.factors[3] == 0  # a constant has no edges
    assert_allclose(naive_mean_squares(scale.scaled(image), inside).sum(), 1, rtol=1e-5)


def test_an_image_of_one_pixel_has_no_edges():
    scale = squares_of(np.ones((1, 1, 2)), np.ones((1, 1), dtype=bool)).scale()
    assert_allclose(scale.factors, 0)
