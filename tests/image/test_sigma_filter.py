import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.sigma_filter import alike_means, deviations, neighbour_noise


@pytest.mark.parametrize(("shape", "n_around"), [((30, 40), 25), ((12, 14, 16), 27)])
def test_where_all_is_alike_the_mean_is_that_of_the_window(rng, shape, n_around):
    pixels = rng.normal(size=(*shape, 2))
    cell = tuple(np.array([n // 2]) for n in shape)
    reach = 2 if len(shape) == 2 else 1
    window = pixels[tuple(slice(n // 2 - reach, n // 2 + reach + 1) for n in shape)]
    assert window.size == 2 * n_around
    means = alike_means(pixels, np.ones(shape, bool), cell, np.array([100.0, 100.0]))
    assert_allclose(means[0], window.reshape(-1, 2).mean(axis=0))


def test_what_differs_by_more_than_noise_does_not_count():
    pixels = np.full((20, 20, 1), 5.0)
    pixels[:, 10:] = 9.0
    cells = np.nonzero(np.ones((20, 20), bool))
    means = alike_means(pixels, np.ones((20, 20), bool), cells, np.array([1.0]))
    assert_array_equal(means.reshape(20, 20, 1), pixels)


def test_what_is_not_in_use_does_not_count(rng):
    pixels = rng.normal(size=(20, 20, 1))
    use = rng.random((20, 20)) < 0.6
    cells = np.nonzero(use)
    other = np.where(use[..., np.newaxis], pixels, np.nan)
    noise = np.array([1.0])
    assert_array_equal(
        alike_means(pixels, use, cells, noise), alike_means(other, use, cells, noise)
    )


def test_beyond_the_border_there_is_nothing(rng):
    pixels, use = rng.normal(size=(4, 5, 1)), np.ones((4, 5), bool)
    dev, is_used = deviations(pixels, use, np.nonzero(use), (0, 1))
    assert_array_equal(is_used.reshape(4, 5), [[True] * 4 + [False]] * 4)
    assert_allclose(dev.reshape(4, 5)[:, :4], np.diff(pixels[..., 0], axis=1))


@pytest.mark.parametrize("shape", [(120, 140), (24, 26, 28)])
def test_neighbours_tell_the_noise_of_each_channel_whatever_it_lies_on(rng, shape):
    noise, steps = np.array([0.5, 4.0]), np.where(np.arange(shape[-1]) < 10, 0.0, 90.0)
    pixels = steps[:, np.newaxis] + noise * rng.normal(size=(*shape, 2))
    use = rng.random(shape) < 0.8
    pixels[~use] = np.nan
    assert_allclose(neighbour_noise(pixels, use, np.nonzero(use)), noise, rtol=0.03)


def test_a_pixel_without_neighbours_tells_no_noise():
    use = np.zeros((5, 6), bool)
    use[2, 3] = True
    assert_array_equal(neighbour_noise(np.ones((5, 6, 3)), use, np.nonzero(use)), [0, 0, 0])
