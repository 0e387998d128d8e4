"""Laws and known values of the pixel features."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.image.features import lightness, pixel_features

COLORS = ["lab", "rgb", "gray", "none", "auto"]
SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, size=(7, 5, 3), dtype=np.uint8)


# ------------------------------------------------------------------------------------ laws


@given(image=arrays(np.uint8, SHAPES), color=st.sampled_from(COLORS))
def test_8_bit_16_bit_and_floating_copies_have_the_same_features(image, color):
    features = pixel_features(image, color=color, position=0.5)
    assert features.dtype == np.float32
    for copy in (image * np.uint16(257), image / 255, (image / 255).astype(np.float32)):
        assert_array_equal(pixel_features(copy, color=color, position=0.5), features)


@given(image=arrays(np.uint8, SHAPES), color=st.sampled_from(COLORS))
def test_transposing_the_image_transposes_the_features(image, color):
    features = pixel_features(image, color=color, position=0.5)
    transposed = pixel_features(image.swapaxes(0, 1), color=color, position=0.5)
    assert_allclose(transposed[..., :-2], features[..., :-2].swapaxes(0, 1), atol=1e-4)
    # Rows become columns, so the two features of place change roles.
    swapped = features[..., [-1, -2]].swapaxes(0, 1)
    assert_allclose(transposed[..., -2:], swapped, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("channel_axis", [0, 1, 2, -1, -2, -3])
def test_the_channels_may_lie_on_any_axis(image, channel_axis):
    moved = np.moveaxis(image, -1, channel_axis)
    expected = pixel_features(image, position=1)
    assert_array_equal(pixel_features(moved, position=1, channel_axis=channel_axis), expected)
    assert_array_equal(lightness(moved, channel_axis=channel_axis), lightness(image))


def test_the_image_itself_is_not_changed(image):
    before = image.copy()
    pixel_features(image, position=1)
    lightness(image)
    assert_array_equal(image, before)


# ------------------------------------------------------------------------------------ color


def test_lab_agrees_with_scikit_image(image):
    from skimage.color import rgb2lab

    assert_allclose(pixel_features(image, color="lab"), rgb2lab(image), atol=1e-3)


def test_lab_of_white_and_of_black_is_known():
    features = pixel_features(np.array([[[0, 0, 0], [255, 255, 255]]], dtype=np.uint8))
    assert_allclose(features, [[[0, 0, 0], [100, 0, 0]]], atol=0.01)


def test_auto_is_lab_for_three_channels_and_the_channels_otherwise(image, rng):
    assert_array_equal(pixel_features(image), pixel_features(image, color="lab"))
    many = rng.normal(size=(4, 6, 7)).astype(np.float32) * 1000
    assert_array_equal(pixel_features(many), many)


def test_gray_of_a_gray_image_is_the_image():
    image = np.array([[0, 51], [102, 255]], dtype=np.uint8)
    expected = np.array([[[0.0], [0.2]], [[0.4], [1.0]]], dtype=np.float32)
    for color in ("gray", "none", "auto"):
        assert_array_equal(pixel_features(image, color=color), expected)
        assert_array_equal(pixel_features(image[..., np.newaxis], color=color), expected)


def test_gray_of_rgb_is_its_luminance():
    features = pixel_features(np.array([[[255, 0, 0], [0, 255, 0]]], dtype=np.uint8), color="gray")
    assert_allclose(features, [[[0.2125], [0.7154]]], atol=1e-6)


def test_true_and_false_are_one_and_zero():
    assert_array_equal(pixel_features(np.array([[True, False]]))[..., 0], [[1, 0]])


def test_large_integers_are_divided_by_the_largest_of_their_dtype():
    image = np.array([[0, 2**31 - 1]], dtype=np.int32)
    assert_array_equal(pixel_features(image)[..., 0], [[0, 1]])


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_not_finite_stays_so_and_spoils_no_other(image, color, bad):
    clean = pixel_features(image, color=color, position=0.5)
    broken = image / 255
    broken[2, 3, 1] = bad
    features = pixel_features(broken, color=color, position=0.5)
    finite = np.isfinite(features).all(axis=2)
    assert_array_equal(np.argwhere(~finite), [[2, 3]])
    assert_array_equal(features[finite][:, :-2], clean[finite][:, :-2])


# ------------------------------------------------------------------------------------ place


@pytest.mark.parametrize("shape", [(40, 30, 3), (30, 40, 3)])
def test_at_position_1_the_longer_side_spreads_like_the_average_colour(rng, shape):
    features = pixel_features(rng.integers(0, 256, size=shape, dtype=np.uint8), position=1)
    spread = features.std(axis=(0, 1), dtype=np.float64)
    assert_allclose(spread[3:].max(), spread[:3].mean(), rtol=1e-5)


def test_place_is_centred_and_has_one_unit_for_rows_and_columns(image):
    place = pixel_features(image, position=0.3)[..., 3:]
    assert_allclose(place.mean(axis=(0, 1)), [0, 0], atol=1e-5)
    row_step, col_step = place[1, 0] - place[0, 0], place[0, 1] - place[0, 0]
    assert_allclose(row_step, [col_step[1], 0], rtol=1e-6)
    assert_allclose(col_step, [0, row_step[0]], rtol=1e-6)
    assert row_step[0] > 0


def test_place_of_twice_the_weight_is_twice_as_wide(image):
    once, twice = (pixel_features(image, position=p)[..., 3:] for p in (0.5, 1.0))
    assert_allclose(twice, 2 * once, rtol=1e-6)


def test_place_in_a_constant_image_has_standard_deviation_1():
    features = pixel_features(np.full((1, 50, 3), 77, dtype=np.uint8), position=1)
    assert_allclose(features[..., 4].std(), 1, rtol=1e-5)


def test_the_place_of_a_single_pixel_is_the_centre():
    assert_array_equal(pixel_features(np.ones((1, 1)), position=1), [[[1, 0, 0]]])


# ------------------------------------------------------------------------------------ lightness


def test_lightness_is_luma_for_three_channels():
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    assert_allclose(lightness(image), [[0.2126, 0.7152, 0.0722, 1]], rtol=1e-6)


def test_lightness_is_the_mean_of_any_other_number_of_channels():
    assert_allclose(lightness(np.array([[[1.0, 2.0, 3.0, 6.0]]])), [[3.0]])
    assert_allclose(lightness(np.array([[0, 65535]], dtype=np.uint16)), [[0, 1]])


# ------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("function", [pixel_features, lightness])
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((2, 2), complex), "^image must be boolean, integer or floating, got dtype comp"),
        (np.zeros((2, 2), object), "^image must be boolean, integer or floating, got dtype object"),
        (np.zeros((2, 2), "U1"), "^image must be boolean, integer or floating, got dtype <U1$"),
        (
            np.zeros(3),
            r"^image must have shape \(rows, cols\) or \(rows, cols, channels\), got \(3,\)$",
        ),
        (
            np.zeros((2, 2, 2, 3, 1)),
            r"^image must have shape \(rows, cols\) or \(rows, cols, channels\), got \(2, 2, 2, 3",
        ),
        (np.zeros((0, 4, 3)), r"^image has no pixels, its shape is \(0, 4, 3\)$"),
        (np.zeros((4, 4, 0)), r"^image has no pixels, its shape is \(4, 4, 0\)$"),
    ],
)
def test_what_is_no_image_is_refused(function, image, message):
    with pytest.raises(InputError, match=message):
        function(image)


@pytest.mark.parametrize(
    ("shape", "color", "message"),
    [
        (
            (4, 4),
            "lab",
            (
                r'^color="lab" needs three channels, got 1; '
                r'use color="gray" or "none" for a grayscale image$'
            ),
        ),
        (
            (4, 4, 1),
            "rgb",
            (
                r'^color="rgb" needs three channels, got 1; '
                r'use color="gray" or "none" for a grayscale image$'
            ),
        ),
        ((4, 4, 2), "gray", r'^color="gray" needs three channels, got 2; use color="none"$'),
        ((4, 4, 7), "lab", r'^color="lab" needs three channels, got 7; use color="none"$'),
        (
            (4, 4, 4),
            "rgb",
            (
                r'^color="rgb" needs three channels, got 4; if the fourth is alpha, pass '
                r"image\[..., :3\] with mask=image\[..., 3\] > 0, otherwise use color=\"none\"$"
            ),
        ),
        (
            (4, 4, 3),
            "luv",
            "^color must be one of auto, lab, rgb, hsv, gray, log, none, got 'luv'$",
        ),
    ],
)
def test_channels_that_do_not_fit_the_color_are_refused(shape, color, message):
    with pytest.raises(InputError, match=message):
        pixel_features(np.zeros(shape), color=color)


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        (
            float,
            1.5,
            (
                r'^color="lab" needs values in 0…1, got 1.5 in an image of dtype float64; '
                r'scale the image \(0…255: divide by 255\), or use color="none" \(--color none\)$'
            ),
        ),
        (float, -0.25, r'^color="lab" needs values in 0…1, got -0.25 in an image of dtype float64'),
        (np.int8, -127, r'^color="lab" needs values in 0…1, got -1 in an image of dtype int8; '),
    ],
)
def test_colours_outside_0_to_1_are_refused(dtype, value, message):
    image = np.zeros((2, 2, 3), dtype=dtype)
    image[1, 0, 2] = value
    with pytest.raises(InputError, match=message):
        pixel_features(image, color="lab")


def test_hsv_is_a_cone_on_which_red_is_one_place():
    red = np.array([[[1.0, 0.0, 0.01], [1.0, 0.01, 0.0], [0.5, 0.5, 0.5]]])
    first, second, gray = pixel_features(red, color="hsv")[0]
    assert_allclose(first, second, atol=0.03)
    assert_allclose(first[0], 1, atol=0.01)
    assert_allclose(gray, [0, 0, 0.5], atol=1e-6)


def test_log_does_not_care_for_the_unit_or_the_ground_of_counts(rng):
    counts = rng.gamma(1, 50, size=(20, 30))
    logs = pixel_features(counts, color="log")
    assert_allclose(pixel_features(1000 + 7 * counts, color="log"), logs, atol=1e-3)
    ground = rng.normal(10, 1, size=200)
    ground[:3] = 10, 1010, 2010
    doubled = pixel_features(ground[np.newaxis], color="log")[0, :3, 0]
    assert_allclose(doubled[2] - doubled[1], np.log(2), atol=0.01)


def test_texture_of_enormous_values_is_finite(rng):
    assert np.isfinite(pixel_features(rng.normal(size=(20, 20)) * 1e30, texture=True)).all()


def test_only_channels_with_a_dark_ground_are_seen_by_their_logarithm(rng):
    plain = rng.normal(100, 20, size=(40, 40))
    dark = np.where(rng.random((40, 40)) < 0.1, 200.0, rng.normal(10, 1, size=(40, 40)))
    features = pixel_features(np.stack([plain, dark], axis=-1))
    assert_array_equal(features[..., 0], plain.astype(np.float32))
    assert features[..., 1].max() < 10


def test_texture_is_large_where_lightness_varies(rng):
    image = np.full((60, 60), 0.5)
    image[:, 30:] += rng.normal(scale=0.1, size=(60, 30))
    texture = pixel_features(image, texture=True)[..., 1:]
    assert texture.shape == (60, 60, 2)
    assert (texture[:, :18].max(axis=(0, 1)) < texture[:, 42:].min(axis=(0, 1))).all()


@pytest.mark.parametrize("position", [-1, np.nan, np.inf])
def test_a_weight_of_place_that_is_negative_or_not_finite_is_refused(image, position):
    with pytest.raises(
        InputError, match=r"^position must be a number of at least 0, got (-1|nan|inf)$"
    ):
        pixel_features(image, position=position)


@pytest.mark.parametrize(
    ("shape", "channel_axis", "message"),
    [
        (
            (4, 5),
            0,
            (
                r"^channel_axis=0 indicates multichannel, but the image has shape \(4, 5\); "
                r"use channel_axis=None if the image is grayscale$"
            ),
        ),
        (
            (2, 4, 5, 3),
            None,
            (
                r"^channel_axis=None indicates a volume without channels, but the image has shape "
                r"\(2, 4, 5, 3\); give the axis of its channels, for example channel_axis=-1$"
            ),
        ),
        ((4, 5, 3), 3, r"^channel_axis must be a whole number in -3…2 for 3 axes, got 3$"),
    ],
)
def test_a_channel_axis_that_does_not_fit_the_image_is_refused(shape, channel_axis, message):
    with pytest.raises(InputError, match=message):
        pixel_features(np.zeros(shape), channel_axis=channel_axis)
