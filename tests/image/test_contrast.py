"""The unit of edges, beside its definition in plain loops."""

import numpy as np
from numpy.testing import assert_allclose

from gmmseg.image.contrast import ContrastScale
from gmmseg.image.pixels import pixels_of
from gmmseg.image.recipe import Recipe


def naive_mean_squares(image, inside):
    squares = []
    for row, col in np.argwhere(inside):
        for other in ((row + 1, col), (row, col + 1)):
            if other[0] < image.shape[0] and other[1] < image.shape[1] and inside[other]:
                squares.append((image[row, col] - image[other]) ** 2)
    return np.mean(squares, axis=0)


def test_neighbours_differ_by_1_in_the_mean_square(rng, monkeypatch):
    image = rng.normal(size=(12, 9, 4)) * [1, 10, 100, 0]
    inside = rng.random((12, 9)) < 0.8
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", 18)  # neighbours in the next strip
    scale = ContrastScale.fitting(pixels_of(image, mask=inside), Recipe("none"))
    expected = 1 / np.sqrt(3 * naive_mean_squares(image[..., :3], inside))
    assert_allclose(scale.factors[:3], expected, rtol=1e-5)
    assert scale.factors[3] == 0  # a constant has no edges
    assert_allclose(naive_mean_squares(scale.scaled(image), inside).sum(), 1, rtol=1e-5)


def test_an_image_of_one_pixel_has_no_edges():
    scale = ContrastScale.fitting(pixels_of(np.ones((1, 1))), Recipe("none"))
    assert_allclose(scale.factors, 0)
