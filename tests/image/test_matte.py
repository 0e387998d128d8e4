"""A soft edge gives the share of foreground in the pixels near a border."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.image import soften_mask


def blended(n_channels=3):
    """Return a picture of two colours with a ramp of six pixels between them, and the ramp."""
    alpha = np.repeat(np.clip((np.arange(40) - 16.5) / 6, 0, 1)[None], 30, axis=0)
    front, back = np.linspace(0.2, 1.0, n_channels), np.linspace(0.7, 0.1, n_channels)
    return alpha[..., None] * front + (1 - alpha[..., None]) * back, alpha


@pytest.mark.parametrize("n_channels", [1, 3, 5])
def test_a_blend_of_two_colours_is_unmixed(n_channels):
    image, alpha = blended(n_channels)
    assert_allclose(soften_mask(image, alpha > 0.5, width=5), alpha, atol=0.05)


def test_far_from_the_border_the_mask_stays():
    image, alpha = blended()
    soft = soften_mask(image, alpha > 0.5, width=3)
    assert_array_equal(soft[:, :16], 0)
    assert_array_equal(soft[:, 24:], 1)


def test_where_both_sides_look_alike_the_edge_is_blurred_and_stays_in_range():
    mask = np.zeros((20, 20), dtype=bool)
    mask[:, 10:] = True
    soft = soften_mask(np.ones((20, 20)), mask, width=2)
    assert_allclose(soft[10, 7:13], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], atol=1e-6)


def test_a_mask_too_thin_to_have_an_inside_stays(rng):
    mask = np.zeros((20, 20), dtype=bool)
    mask[10] = True
    assert_array_equal(soften_mask(rng.random((20, 20)), mask), mask)


def test_volumes_and_pixels_that_are_not_finite_are_taken(rng):
    volume, mask = rng.random((12, 14, 16)), np.zeros((12, 14, 16), dtype=bool)
    mask[:, :, 8:] = True
    volume[3, 3, 3] = np.nan
    soft = soften_mask(volume, mask, width=2, channel_axis=None)
    assert np.isfinite(soft).all()
    assert soft.min() >= 0
    assert soft.max() <= 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"mask must have shape \(4, 4\) as the image"):
        soften_mask(np.zeros((4, 4)), np.zeros((3, 3)))
    with pytest.raises(InputError, match="width must be a whole number of at least 1, got 0"):
        soften_mask(np.zeros((4, 4)), np.zeros((4, 4)), width=0)
