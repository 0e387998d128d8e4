from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from sklearn.metrics import adjusted_rand_score

from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image import segment_regions
from tests import naive

DATA = Path(__file__).parents[2] / "data"
COLORS = np.array([[20, 20, 90], [200, 30, 30], [30, 150, 40], [230, 220, 90]], dtype=np.uint8)


def quadrants(rows=80, cols=100):
    """Return the labels 1 to 4 of four quarters, from dark to light as COLORS are."""
    row, col = np.mgrid[:rows, :cols]
    return (1 + (row >= rows // 2) + 2 * (col >= cols // 2)).astype(np.int32)


def same_share(labels, truth):
    """Return the share of pixels with the same label."""
    return (labels == truth).mean()


@pytest.fixture(scope="module")
def photograph():
    with Image.open(DATA / "coffee.png") as image:
        return np.asarray(image.convert("RGB").resize((300, 200)))


def check_pieces(labels):
    """Assert that the labels run from 1 without gaps, and are in one piece each."""
    assert_array_equal(np.unique(labels[labels > 0]), np.arange(1, labels.max() + 1))
    assert all(naive.is_connected(labels == label) for label in range(1, labels.max() + 1))


def test_four_coloured_patches_are_four_regions_from_dark_to_light(rng):
    truth = quadrants()
    noisy = np.clip(COLORS[truth - 1] + rng.normal(0, 6, size=(80, 100, 3)), 0, 255)
    labels = segment_regions(noisy.astype(np.uint8))
    assert labels.dtype == np.int32
    assert labels.max() == 4
    assert same_share(labels, truth) > 0.98


def test_noise_in_all_colours_does_not_hide_that_regions_differ(rng):
    places, colors = rng.uniform(0, 200, (16, 2)), rng.uniform(20, 230, (16, 3))
    row, col = np.mgrid[:200, :200]
    away = (row[..., None] - places[:, 0]) ** 2 + (col[..., None] - places[:, 1]) ** 2
    truth = away.argmin(axis=2)
    noisy = np.clip(colors[truth] + rng.normal(0, 25, size=(200, 200, 3)), 0, 255)
    labels = segment_regions(noisy.astype(np.uint8))
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.6


def test_what_is_told_apart_by_texture_alone_is_two_regions(rng):
    row, col = np.mgrid[:120, :120]
    stripes = np.where(col < 60, row, col) // 3 % 2
    image = np.clip(90 + 60 * stripes + rng.normal(0, 4, size=(120, 120)), 0, 255)
    labels = segment_regions(image.astype(np.uint8), n_regions=2)
    left, right = np.median(labels[:, :50]), np.median(labels[:, 70:])
    assert left != right
    assert (labels[:, :50] == left).mean() > 0.95
    assert (labels[:, 70:] == right).mean() > 0.95


def test_the_same_stuff_in_two_places_is_two_regions():
    image = np.zeros((60, 100), dtype=np.uint8)
    image[20:40, 10:40] = image[20:40, 60:90] = 200
    labels = segment_regions(image)
    assert labels.max() == 3
    assert labels[30, 25] != labels[30, 75]


def test_every_pixel_of_a_photograph_is_in_one_connected_region(photograph):
    labels = segment_regions(photograph)
    assert labels.min() == 1
    assert 3 < labels.max() < 100
    check_pieces(labels)


def test_regions_are_numbered_from_dark_to_light(photograph):
    labels = segment_regions(photograph)
    light = photograph @ np.array([0.2126, 0.7152, 0.0722])
    means = [light[labels == label].mean() for label in range(1, labels.max() + 1)]
    assert means == sorted(means)


def test_labels_are_the_same_for_all_dtypes_axes_and_threads(photograph):
    labels = segment_regions(photograph, n_jobs=1)
    deep = photograph.astype(np.uint16) * np.uint16(257)
    assert_array_equal(segment_regions(deep, n_jobs=2), labels)
    assert_array_equal(segment_regions(photograph / 255), labels)
    assert_array_equal(segment_regions(np.moveaxis(photograph, 2, 0), channel_axis=0), labels)


def test_the_transposed_image_has_the_transposed_regions(photograph):
    labels = segment_regions(photograph)
    turned = segment_regions(photograph.transpose(1, 0, 2)).T
    assert turned.max() == labels.max()
    assert same_share(turned, labels) > 0.97


def test_more_detail_splits_regions_and_joins_none(photograph):
    coarse, fine = (segment_regions(photograph, detail=detail) for detail in (0.7, 1.4))
    assert coarse.max() < fine.max()
    assert len(np.unique(coarse.astype(np.int64) * 1000 + fine)) == fine.max()


@pytest.mark.parametrize("n_regions", [1, 2, 7, 20])
def test_as_many_regions_as_wanted_are_found(photograph, n_regions):
    labels = segment_regions(photograph, n_regions=n_regions)
    assert labels.max() == n_regions
    check_pieces(labels)


def test_pixels_outside_the_mask_or_not_finite_are_zero_and_change_nothing():
    truth = quadrants()
    image = COLORS[truth - 1] / 255
    mask = np.ones(truth.shape, dtype=bool)
    mask[:, 90:] = False
    spoiled = image.copy()
    spoiled[~mask] = -9999
    spoiled[0, 0] = np.nan
    labels = segment_regions(spoiled, mask=mask)
    mask[0, 0] = False
    assert_array_equal(labels > 0, mask)
    assert_array_equal(labels, segment_regions(image, mask=mask))


def test_parts_that_the_mask_separates_are_regions_of_their_own():
    mask = np.ones((30, 50), dtype=bool)
    mask[:, 20:25] = False
    labels = segment_regions(np.full((30, 50), 9, dtype=np.uint8), mask=mask)
    assert_array_equal(labels[0], [1] * 20 + [0] * 5 + [2] * 25)


def test_regions_of_a_large_image_end_where_the_colours_do():
    truth = quadrants(1003, 1401)  # no multiple of any factor
    labels = segment_regions(COLORS[truth - 1])
    assert same_share(labels, truth) > 0.9995
    check_pieces(labels > 0)


def test_regions_of_a_large_image_with_a_mask_are_in_one_piece_each():
    truth = quadrants(800, 900)
    mask = np.ones(truth.shape, dtype=bool)
    mask[:, 401] = False  # narrower than a cell of the reduced image
    labels = segment_regions(COLORS[truth - 1], mask=mask)
    assert_array_equal(labels > 0, mask)
    assert all(labels[row, 400] != labels[row, 402] for row in (0, 799))


@pytest.mark.parametrize("n_channels", [1, 2, 4, 7])
def test_any_number_of_channels_will_do(rng, n_channels):
    truth = quadrants()
    levels = rng.permuted(np.tile([10, 70, 130, 190], (n_channels, 1)), axis=1)
    image = levels.T[truth - 1] + rng.normal(0, 3, size=(80, 100, n_channels))
    labels = segment_regions(image)
    majority = [np.bincount(labels[truth == k]).argmax() for k in range(1, 5)]
    assert len(set(majority)) == 4
    assert same_share(labels, np.array(majority)[truth - 1]) > 0.98


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2), (30, 40), (30, 40, 3)])
def test_a_constant_image_is_one_region(shape):
    assert_array_equal(segment_regions(np.full(shape, 7, dtype=np.uint8)), 1)


def test_a_line_of_two_colours_is_two_regions():
    line = np.repeat(np.array([[10, 200]], dtype=np.uint8), 40, axis=1)
    labels = segment_regions(line)
    assert labels.max() == 2
    assert_array_equal(labels[0, [0, 30, 50, 79]], [1, 1, 2, 2])


def test_pure_noise_is_one_region(rng):
    assert segment_regions(rng.normal(size=(100, 120))).max() == 1


@pytest.mark.parametrize(("factor", "offset"), [(1e-30, 0), (1e36, 0), (1, 1e8)])
def test_scale_and_offset_of_a_grey_image_do_not_matter(factor, offset):
    gray = (60.0 * quadrants()) * factor + offset
    assert_array_equal(segment_regions(gray), segment_regions(60.0 * quadrants()))


def test_a_number_of_regions_that_cannot_be_found_is_reported():
    constant = np.full((30, 40), 7, dtype=np.uint8)
    with pytest.warns(GmmsegWarning, match="found 1 regions, 5 were wanted"):
        segment_regions(constant, n_regions=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detail": 0}, "detail must be a number above 0, got 0"),
        ({"n_regions": 0}, "n_regions must be a whole number of at least 1, got 0"),
        ({"n_regions": 2.5}, "n_regions must be a whole number of at least 1, got 2.5"),
        ({"mask": np.ones((2, 2))}, r"mask must have shape \(30, 40\) as the image has"),
        ({"mask": np.zeros((30, 40))}, "no pixel is left to segment"),
    ],
)
def test_what_cannot_be_used_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        segment_regions(np.zeros((30, 40), dtype=np.uint8), **options)
