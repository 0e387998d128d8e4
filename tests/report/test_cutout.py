"""Claims about pictures of a cut-out."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.image.volume_decoders import Volume
from gmmseg.report.cutout import around, cutout_sheet, overlay_mask


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


def block_in_air():
    """Return a CT in small: air, a body, a metal plate far off, and a block a bit lighter."""
    values = np.full((30, 40, 50), -1000.0)
    values[:, 8:32, 8:42] = 40.0
    values[:, 9, 9] = 3000.0
    block = np.zeros(values.shape, dtype=bool)
    block[12:18, 17:23, 22:28] = True
    values[block] = 110.0
    return values, block


def test_slices_of_a_volume_show_the_object_light_and_the_rest_dimmed():
    values, block = block_in_air()
    sheet = cutout_sheet(Volume(values), block, n_slices=1)[:, :, 0]
    # A voxel takes 8 pixels. The first slice is plane 15; paper and its name are around it.
    top, left = (places.min() for places in np.nonzero(sheet == 0))
    plane = sheet[top : top + 40 * 8, left : left + 50 * 8]
    assert plane.shape == (320, 400)
    assert (plane[20 * 8 - 12 : 20 * 8 + 12, 25 * 8 - 12 : 25 * 8 + 12] == 255).all()  # the block
    assert (plane[30 * 8 - 12 : 30 * 8, 25 * 8 - 12 : 25 * 8 + 12] < 5).all()  # the body
    assert (plane[9 * 8 : 10 * 8, 9 * 8 : 10 * 8] > 80).any()  # the metal, dimmed
    assert plane[9 * 8 : 10 * 8, 9 * 8 : 10 * 8].max() < 150


def test_the_contrast_is_that_of_what_lies_around_the_object():
    _, block = block_in_air()
    inside = around(block)
    expected = np.zeros_like(block)
    expected[9:21, 14:26, 19:31] = True
    assert_array_equal(inside, expected)
    assert around(np.zeros_like(block)).all()


def test_a_sheet_of_a_mask_of_another_shape_is_refused():
    message = "mask must have the volume's shape (2, 3, 4), got (2, 3)"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        cutout_sheet(Volume(np.zeros((2, 3, 4))), np.zeros((2, 3)))
