"""How noisy an image is, is told by neighbours, whatever it shows."""

import numpy as np
import pytest

from gmmseg.image.pixel_spread import spread_of, spread_patches
from gmmseg.image.pixels import pixels_of
from gmmseg.image.recipe import Recipe


def spread_in(image, **options):
    pixels = pixels_of(image, **options)
    return spread_of(pixels, Recipe("none"), spread_patches(pixels, 1))


@pytest.mark.parametrize("n_channels", [1, 3, 6])
def test_noise_is_that_of_all_channels_whatever_it_lies_on(n_channels, rng):
    steps = np.zeros((300, 300, n_channels))
    steps[:, 100:] = 7
    steps[200:] += 30
    image = steps + rng.normal(scale=0.5, size=steps.shape)
    spread = spread_in(image, channel_axis=-1)
    assert spread.noise == pytest.approx(0.5 * np.sqrt(n_channels), rel=0.05)
    assert spread.whole == pytest.approx(np.sqrt(image.var(axis=(0, 1)).sum()), rel=0.05)
    assert spread.n_used == 300 * 300


def test_a_volume_has_neighbours_along_three_axes(rng):
    volume = np.arange(12)[:, np.newaxis, np.newaxis] + rng.normal(size=(12, 40, 40))
    assert spread_in(volume, channel_axis=None).noise == pytest.approx(1, rel=0.1)


def test_what_is_masked_out_is_no_noise(rng):
    image = np.ones((60, 60))
    image[:30] = rng.normal(size=(30, 60))
    mask = np.zeros((60, 60), dtype=bool)
    mask[31:] = True
    spread = spread_in(image, mask=mask, channel_axis=None)
    assert (spread.noise, spread.whole, spread.n_used) == (0, 0, 29 * 60)


def test_one_pixel_has_no_noise():
    spread = spread_in(np.ones((1, 1)), channel_axis=None)
    assert (spread.noise, spread.whole, spread.n_used) == (0, 0, 1)


def test_patches_of_a_large_plane_lie_evenly_and_transpose_with_it():
    regions = spread_patches(pixels_of(np.zeros((3000, 2000), dtype=np.uint8)), halo=14)
    transposed = spread_patches(pixels_of(np.zeros((2000, 3000), dtype=np.uint8)), halo=14)
    inner = {(rows.start, cols.start) for _, (_, rows, cols) in regions}
    assert inner == {(rows.start, cols.start) for _, (_, cols, rows) in transposed}
    assert len(inner) == 144
    assert sorted({row for row, _ in inner}) == list(range(109, 3000, 250))
    for (_, rows, cols), (_, kept_rows, kept_cols) in regions:
        assert (rows.start, rows.stop) == (kept_rows.start - 14, kept_rows.stop + 14)
        assert (cols.start, cols.stop) == (kept_cols.start - 14, kept_cols.stop + 14)
        assert rows.start >= 0
        assert rows.stop <= 3000


def test_a_small_plane_is_one_patch():
    (region,) = spread_patches(pixels_of(np.zeros((700, 500), dtype=np.uint8)), halo=14)
    whole = (slice(0, 1), slice(0, 700), slice(0, 500))
    assert region == (whole, whole)
