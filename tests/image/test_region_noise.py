import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.region_noise import quiet_noise, without_noise

EVERYWHERE = np.ones((90, 110), dtype=bool)


def two_halves(rng, noise):
    """Return two even colours beside each other, and the same under noise."""
    even = np.full((90, 110, 3), 20, np.float32)
    even[:, 50:] = 60, 70, 40
    return even, even + (noise * rng.normal(size=even.shape)).astype(np.float32)


@pytest.mark.parametrize("noise", [2.0, 8.0])
def test_noise_is_measured_between_the_edges(rng, noise):
    _, noisy = two_halves(rng, noise)
    assert_allclose(quiet_noise(noisy, EVERYWHERE), noise, rtol=0.15)


def test_noise_is_averaged_out_and_edges_stay(rng):
    even, noisy = two_halves(rng, 4)
    left = without_noise(noisy, EVERYWHERE) - even
    assert left.std() < 0.4 * 4
    assert np.abs(left[:, 49:51].mean(axis=0)).max() < 2


def test_texture_in_one_of_the_colours_is_no_noise(rng):
    _, image = two_halves(rng, 0.1)
    image[..., 0] += 8 * rng.normal(size=(90, 110)).astype(np.float32)
    assert without_noise(image, EVERYWHERE) is image
    assert without_noise(image[..., :1], EVERYWHERE).shape == (90, 110, 1)
    assert_array_equal(without_noise(image[..., :1], EVERYWHERE), image[..., :1])


def test_what_is_outside_does_not_matter(rng):
    _, image = two_halves(rng, 5)
    inside = np.zeros((90, 110), dtype=bool)
    inside[10:70, 20:90] = True
    other = np.where(inside[..., np.newaxis], image, np.float32(0))
    assert_array_equal(quiet_noise(image, inside), quiet_noise(other, inside))
    assert_array_equal(without_noise(image, inside)[inside], without_noise(other, inside)[inside])


def test_of_a_few_pixels_no_noise_is_known():
    inside = np.zeros((90, 110), dtype=bool)
    inside[5] = True
    assert_array_equal(quiet_noise(np.ones((90, 110, 2), np.float32), inside), [0, 0])
