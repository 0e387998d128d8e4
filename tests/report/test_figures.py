"""Claims about pictures: what stays visible, where lines are drawn, which colours are used."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.report.figures import PALETTE, overlay_labels, side_by_side

# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0; they act on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def halves(rows=60, cols=80):
    """Return labels 1 (left) and 2 (right)."""
    labels = np.ones((rows, cols), dtype=np.uint8)
    labels[:, cols // 2 :] = 2
    return labels


def colors_of(picture):
    return np.unique(picture.reshape(-1, 3), axis=0)


@pytest.mark.parametrize("vision", VISIONS)
def test_the_colours_stay_apart_in_every_kind_of_colour_vision(vision):
    from skimage.color import rgb2lab

    colors = np.array([list(bytes.fromhex(color)) for color in PALETTE]) / 255
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(VISIONS[vision]), 0, 1)
    shown = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(shown[np.newaxis])[0]
    assert min(np.linalg.norm(a - b) for a, b in combinations(lab, 2)) > 16


@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,), (7,)])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.float32, np.float64])
def test_any_image_gives_an_rgb_picture_in_which_it_can_be_seen(rng, channels, dtype):
    image = (rng.integers(0, 2, size=(20, 30, *channels)) * 50).astype(dtype)
    picture = overlay_labels(image, np.ones((20, 30), int))
    assert picture.dtype == np.uint8
    assert picture.shape == (20, 30, 3)
    assert len(colors_of(picture)) > 1


def test_a_lighter_pixel_of_a_segment_is_drawn_lighter():
    ramp = np.tile(np.arange(256, dtype=np.uint8)[:, np.newaxis], (3, 1, 3)).reshape(3, 256, 3)
    row = overlay_labels(ramp, np.ones((3, 256), int))[1].astype(int)
    assert (np.diff(row, axis=0) >= 0).all()
    assert (row[-1] - row[0] > 50).all()


def test_opacity_runs_from_the_gray_image_to_flat_colours():
    ramp = np.tile(np.arange(256, dtype=np.uint8)[:, np.newaxis], (3, 1, 3)).reshape(3, 256, 3)
    labels = np.ones((3, 256), int)
    assert_array_equal(overlay_labels(ramp, labels, opacity=0), ramp)
    assert_array_equal(colors_of(overlay_labels(ramp, labels, opacity=1)), [[0x3B, 0x5B, 0xA5]])


def test_every_segment_has_a_colour_of_its_own():
    labels = np.repeat(np.arange(1, 31), 40)[np.newaxis].repeat(40, axis=0)
    picture = overlay_labels(np.full((*labels.shape, 3), 128, np.uint8), labels)
    inside = picture[20, 20::40]
    assert len(colors_of(inside)) == 30


def test_masked_out_pixels_are_gray_and_dimmed(rng):
    image = rng.integers(60, 200, size=(20, 30, 3), dtype=np.uint8)
    picture = overlay_labels(image, np.zeros((20, 30), int)).astype(int)
    assert_array_equal(picture, picture[..., :1].repeat(3, axis=2))
    assert (picture.mean(axis=2) < image.mean(axis=2) * 0.75).all()


@pytest.mark.parametrize(
    ("scale", "width"), [(1, 1), pytest.param(13, 2, id="one megapixel"), pytest.param(36, 3)]
)
def test_the_line_between_two_segments_is_crisp_and_grows_with_the_image(scale, width):
    labels = halves(rows=60 * scale, cols=100 * scale)
    picture = overlay_labels(np.full((*labels.shape, 3), 128, np.uint8), labels)
    bright = (picture.min(axis=2) > 200).sum(axis=1)
    assert (bright[1:-1] == width).all()


def test_specks_and_checkerboards_have_no_lines():
    specks = np.ones((60, 60), int)
    specks[5::10, 5::10] = 2
    checkerboard = np.indices((60, 60)).sum(axis=0) % 2 + 1
    for labels in (specks, checkerboard):
        picture = overlay_labels(np.full((60, 60, 3), 128, np.uint8), labels)
        assert len(colors_of(picture)) == 2


def test_segments_that_share_a_colour_are_still_parted_by_a_line():
    labels = np.where(halves() == 1, 1, 31)
    picture = overlay_labels(np.full((*labels.shape, 3), 128, np.uint8), labels)
    assert (picture.min(axis=2) > 200).sum(axis=1).min() == 1


def test_contrast_is_stretched_so_that_scale_and_offset_do_not_matter(rng):
    image = rng.random((30, 40, 2))
    labels = halves(30, 40)
    picture = overlay_labels(image, labels)
    other = overlay_labels(image * 1000 - 300, labels)
    assert_allclose(picture.astype(int), other.astype(int), atol=2)


def test_pixels_that_are_not_finite_are_drawn_dark_and_spoil_no_other(rng):
    image = rng.random((30, 40))
    labels = np.ones((30, 40), int)
    expected = overlay_labels(image, labels).astype(int)
    image[3, 4], image[5, 6] = np.nan, np.inf
    picture = overlay_labels(image, labels).astype(int)
    assert_array_equal(picture[3, 4], picture[5, 6])
    assert picture[3, 4].sum() <= picture.sum(axis=2).min()
    others = np.ones((30, 40), bool)
    others[3, 4] = others[5, 6] = False
    assert_allclose(picture[others], expected[others], atol=3)


def test_one_dead_and_one_hot_pixel_do_not_take_the_contrast(rng):
    image = rng.random((30, 40))
    expected = overlay_labels(image, np.ones((30, 40), int)).astype(int)
    image[3, 4], image[5, 6] = -1000, 1000
    picture = overlay_labels(image, np.ones((30, 40), int)).astype(int)
    assert_allclose(np.delete(picture, [3, 5], axis=0), np.delete(expected, [3, 5], axis=0), atol=3)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_image_of_one_gray_keeps_its_gray(value):
    picture = overlay_labels(np.full((2, 2), value, np.uint8), np.ones((2, 2), int), opacity=0)
    assert_array_equal(colors_of(picture), [[value] * 3])


def test_a_flat_image_outside_0_to_1_is_drawn_in_the_middle_gray():
    picture = overlay_labels(np.full((2, 2), 7.0), np.ones((2, 2), int), opacity=0)
    assert_array_equal(colors_of(picture), [[128] * 3])


@pytest.mark.parametrize(
    ("labels", "opacity", "message"),
    [
        (np.ones((4, 4), int), 0.5, r"^labels must have the image's shape \(4, 5\), got \(4, 4\)$"),
        (
            np.ones((4, 5)),
            0.5,
            r"^labels must be integers of at least 0, got dtype float64 and smallest 1\.0$",
        ),
        (
            np.full((4, 5), -2),
            0.5,
            r"^labels must be integers of at least 0, got dtype int64 and smallest -2$",
        ),
        (np.ones((4, 5), int), 1.5, r"^opacity must lie in 0…1, got 1\.5$"),
    ],
)
def test_labels_and_opacity_that_cannot_be_drawn_are_refused(labels, opacity, message):
    with pytest.raises(InputError, match=message):
        overlay_labels(np.zeros((4, 5, 3), np.uint8), labels, opacity=opacity)


def test_side_by_side_keeps_both_pictures_and_a_white_gap(rng):
    left = rng.integers(0, 256, size=(6, 7, 3), dtype=np.uint8)
    right = rng.integers(0, 256, size=(6, 4), dtype=np.uint8)
    both = side_by_side(left, right, gap=3)
    assert_array_equal(both[:, :7], left)
    assert (both[:, 7:10] == 255).all()
    assert_array_equal(both[:, 10:], right[..., np.newaxis].repeat(3, axis=2))


def test_side_by_side_scales_the_higher_picture_down():
    high, low = np.full((40, 20, 3), 9, np.uint8), np.full((10, 30, 3), 7, np.uint8)
    for both in (side_by_side(high, low, gap=0), side_by_side(low, high, gap=0)[:, ::-1]):
        assert both.shape == (10, 35, 3)
        assert (both[:, :5] == 9).all()


@pytest.mark.parametrize(
    ("right", "gap", "message"),
    [
        (
            np.zeros((4, 5)),
            8,
            (
                r"^right must be uint8 of shape \(rows, cols\) or \(rows, cols, 3\), "
                r"got float64 of shape \(4, 5\)$"
            ),
        ),
        (np.zeros((4, 5), np.uint8), -1, r"^gap must be at least 0 pixels, got -1$"),
    ],
)
def test_what_cannot_be_put_side_by_side_is_refused(right, gap, message):
    with pytest.raises(InputError, match=message):
        side_by_side(np.zeros((4, 5), np.uint8), right, gap=gap)
