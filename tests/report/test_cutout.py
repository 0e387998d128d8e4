"""Claims about pictures of a cut-out."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.report.cutout import overlay_mask


def disc(rows=80, cols=90):
    row, col = np.mgrid[:rows, :cols]
    return (row - rows / 2) ** 2 + (col - cols / 2) ** 2 < (rows / 3) ** 2


def test_the_foreground_keeps_its_colours_and_the_background_is_darker_and_paler(rng):
    image = rng.integers(30, 256, size=(80, 90, 3), dtype=np.uint8)
    mask = disc()
    picture = overlay_mask(image, mask)
    assert_array_equal(picture[30:50, 35:55], image[30:50, 35:55])
    corner, original = picture[:10, :10].astype(int), image[:10, :10].astype(int)
    assert (corner.max(axis=2) < original.max(axis=2)).all()
    assert (np.ptp(corner, axis=2) <= 0.2 * np.ptp(original, axis=2) + 1).all()


def test_the_border_is_a_white_line():
    picture = overlay_mask(np.full((80, 90, 3), 60, np.uint8), disc())
    light = picture.min(axis=2) > 200
    assert 0.8 * np.pi * 160 / 3 < light.sum() < 2 * np.pi * 160 / 3
    assert not light[:5].any()
    assert not light[35:45, 40:50].any()


@pytest.mark.parametrize("is_foreground", [True, False])
def test_a_side_may_be_empty(is_foreground):
    image = np.full((20, 30, 3), 200, np.uint8)
    picture = overlay_mask(image, np.full((20, 30), is_foreground))
    assert_array_equal(picture, np.full_like(image, 200 if is_foreground else 76))


@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,), (7,)])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.float32])
def test_any_image_gives_an_rgb_picture(rng, channels, dtype):
    image = (rng.integers(0, 2, size=(80, 90, *channels)) * 50).astype(dtype)
    before = image.copy()
    picture = overlay_mask(image, disc())
    assert picture.dtype == np.uint8
    assert picture.shape == (80, 90, 3)
    assert picture[30:50, 30:50].std() > 0
    assert_array_equal(image, before)


def test_a_mask_of_another_shape_is_refused():
    message = "mask must have the image's shape (4, 5), got (5, 4)"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        overlay_mask(np.zeros((4, 5)), np.ones((5, 4)))
