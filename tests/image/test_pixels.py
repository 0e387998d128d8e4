"""Laws of the pixels: strips cover the grid once, and chance does not tell rows from columns."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.image.pixels import pixels_of


@pytest.mark.parametrize("halo", [0, 3, 16])
@pytest.mark.parametrize("shape", [(50, 7), (7, 50), (40, 6, 5), (1, 1)])
def test_strips_cover_every_pixel_once_and_lie_within_their_halo(monkeypatch, shape, halo):
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", 60)
    pixels = pixels_of(np.zeros(shape), channel_axis=None)
    times = np.zeros(pixels.shape, dtype=int)
    for outer, inner in pixels.strips(halo):
        times[inner] += 1
        for around, kept, n in zip(outer, inner, pixels.shape, strict=True):
            assert around.start <= max(kept.start - halo, 0)
            assert around.stop >= min(kept.stop + halo, n)
            assert around.start % 2 == 0
    assert (times == 1).all()


@pytest.mark.parametrize("shape", [(300, 200), (6, 100, 90)])
def test_about_the_share_asked_for_is_chosen_and_the_transposed_pixels_of_the_transposed(shape):
    pixels = pixels_of(np.zeros(shape), channel_axis=None)
    chosen = pixels.chosen(pixels.everything, 0.1, seed=3)
    assert abs(chosen.mean() - 0.1) < 0.01
    turned = pixels_of(np.zeros(shape).swapaxes(-1, -2), channel_axis=None)
    assert_array_equal(turned.chosen(turned.everything, 0.1, seed=3), chosen.swapaxes(1, 2))
    assert (pixels.chosen(pixels.everything, 0.1, seed=4) != chosen).any()


def test_what_is_chosen_of_a_part_is_what_is_chosen_of_the_whole():
    pixels = pixels_of(np.zeros((40, 30)))
    part = (slice(0, 1), slice(8, 20), slice(0, 30))
    whole = pixels.chosen(pixels.everything, 0.3, seed=0)
    assert_array_equal(pixels.chosen(part, 0.3, seed=0), whole[part])


def test_all_pixels_are_chosen_when_there_are_few():
    pixels = pixels_of(np.zeros((4, 3)))
    assert pixels.chosen(pixels.everything, 1.5, seed=0).all()


def test_pixels_are_views_and_the_mask_says_which_are_in_use(rng):
    image = rng.random((4, 5, 3))
    mask = rng.random((4, 5)) < 0.5
    pixels = pixels_of(image, mask=mask)
    values, inside = pixels.read(pixels.everything)
    assert np.shares_memory(values, image)
    assert_array_equal(inside[0], mask)
    assert pixels.n_inside == mask.sum()
    assert pixels.grid == (4, 5)


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"^mask must have shape \(2, 3\) as the image has, got"):
        pixels_of(np.zeros((2, 3)), mask=np.ones((3, 2)))
