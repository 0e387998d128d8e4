"""How many segments an image has is told by averages, whatever its noise, size and rounding."""

import numpy as np
import pytest

from gmmseg.image.pixels import pixels_of
from gmmseg.image.recipe import Recipe
from gmmseg.image.segment_number import NumberSearch
from gmmseg.image.segment_search import OPTIONS


def number_of(image, *, mask=None, is_averaged=True, channel_axis=None, seed=0):
    pixels = pixels_of(image, mask=mask, channel_axis=channel_axis)
    search = NumberSearch(
        pixels,
        Recipe.fitting(pixels),
        is_averaged=is_averaged,
        spacing=None,
        seed=seed,
        n_jobs=None,
    )
    return search.best_number(OPTIONS, np.random.default_rng(seed))


def stripes(n_levels, shape=(150, 150)):
    levels = np.linspace(0.2, 0.8, n_levels)
    return np.broadcast_to(levels[np.arange(shape[1]) * n_levels // shape[1]], shape)


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("n_levels", [2, 3, 4, 5])
def test_levels_are_counted_through_noise(n_levels, noise, rng):
    deviation = noise * 0.6 / (n_levels - 1)
    image = stripes(n_levels) + rng.normal(scale=deviation, size=(150, 150))
    assert number_of(image) == n_levels


def test_things_hardly_told_by_single_pixels_are_counted(rng):
    y, x = np.mgrid[:200, :300]
    levels = 30 * ((y - 100) ** 2 + (x - 80) ** 2 < 45**2)
    levels[60:140, 170:270] = 60
    image = 90 + levels + rng.normal(scale=25, size=levels.shape)
    assert number_of(image.clip(0, 255).astype(np.uint8)) == 3


def test_noise_alone_is_one_segment(rng):
    assert number_of(rng.normal(0.5, 0.1, size=(150, 150))) == 1
    assert number_of(rng.normal(0.5, 0.1, size=(150, 150, 3)), channel_axis=-1) == 1


def test_a_constant_image_is_one_segment():
    assert number_of(np.full((20, 30), 7, dtype=np.uint8)) == 1


def test_rounded_levels_with_hardly_any_noise_are_counted(rng):
    levels = 255 * stripes(3) + rng.normal(scale=0.4, size=(150, 150))
    assert number_of(levels.round().astype(np.uint8)) == 3


@pytest.mark.parametrize("n_levels", [2, 3, 5, 7])
def test_every_level_of_a_drawing_is_counted(n_levels):
    assert number_of((255 * stripes(n_levels)).astype(np.uint8)) == n_levels
    assert number_of(stripes(n_levels)) == n_levels


def test_rounding_makes_no_segments(rng):
    image = rng.normal(0.5, 0.1, size=(150, 150))
    assert number_of((image * 30).round() / 30) == 1


def test_the_transposed_image_has_as_many_segments(rng):
    image = stripes(4, shape=(900, 130)) + rng.normal(scale=0.05, size=(900, 130))
    assert number_of(image) == number_of(image.T) == 4


def test_a_volume_is_counted_through_noise(rng):
    image = stripes(3, shape=(12, 60))[:, np.newaxis] + np.zeros((12, 60, 60))
    assert number_of(image + rng.normal(scale=0.1, size=image.shape)) == 3


def test_what_a_mask_leaves_of_a_large_image_is_counted(rng):
    image = np.zeros((2000, 2000))
    image[:40, :120] = stripes(3, shape=(40, 120)) + rng.normal(scale=0.1, size=(40, 120))
    mask = np.zeros(image.shape, dtype=bool)
    mask[:40, :120] = True
    assert number_of(image, mask=mask) == 3


def test_pixels_are_as_they_are_if_nothing_is_averaged(rng):
    image = rng.normal(size=(30, 40)).astype(np.float32)
    pixels = pixels_of(image, channel_axis=None)
    search = NumberSearch(
        pixels, Recipe("none"), is_averaged=False, spacing=None, seed=0, n_jobs=None
    )
    few, _ = search.few_pixels()
    # Values that were never rounded are moved by less than any two of them differ.
    np.testing.assert_allclose(np.sort(few.ravel()), np.sort(image.ravel()), atol=1e-4)


def test_a_constant_ground_hides_nothing(rng):
    image = 1000 * stripes(3) + rng.normal(scale=30, size=(150, 150))
    image[:100] = 0  # as around a brain without its skull
    assert number_of(image) == 4


def test_shading_that_neighbours_share_is_not_one_segment(rng):
    ramp = np.linspace(0, 1, 150) ** 3 + rng.normal(scale=0.02, size=(150, 150))
    assert number_of(ramp) >= 2
