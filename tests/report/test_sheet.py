"""Claims about contact sheets."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.report.sheet import contact_sheet


def flat(color, rows=30, cols=40):
    return np.full((rows, cols, 3), color, np.uint8)


def test_pictures_lie_line_by_line_in_their_order():
    colors = [(10, 0, 0), (20, 0, 0), (30, 0, 0), (40, 0, 0), (50, 0, 0)]
    sheet = contact_sheet([flat(c) for c in colors], columns=2, width=40)
    centers = [(27 + 42 * (i // 2), 32 + 52 * (i % 2)) for i in range(5)]
    assert [sheet[center][0] for center in centers] == [10, 20, 30, 40, 50]
    assert (sheet[27 + 84, 84] == 255).all()  # where a sixth would be


def test_small_pictures_are_left_as_they_are(rng):
    picture = rng.integers(0, 256, size=(30, 40, 3), dtype=np.uint8)
    sheet = contact_sheet([picture], width=40)
    assert_array_equal(sheet[12:42, 12:52], picture)


@pytest.mark.parametrize(("rows", "cols"), [(600, 800), (800, 600), (100, 9000), (9000, 100)])
def test_large_pictures_are_scaled_into_the_frame_in_proportion(rows, cols):
    sheet = contact_sheet([flat(0, rows, cols)], width=100)
    dark = (sheet < 128).all(axis=2)
    height, width = dark.any(axis=1).sum(), dark.any(axis=0).sum()
    assert height <= 75
    assert width <= 100
    assert height == 75 or width == 100
    # Rounded to whole pixels, so within half a pixel on either side.
    shares = np.array([width - 0.5, width + 0.5]) / [height + 0.5, height - 0.5]
    assert shares[0] <= cols / rows <= shares[1]


@pytest.mark.parametrize(("n_pictures", "columns"), [(1, 1), (2, 2), (4, 3), (12, 4), (100, 11)])
def test_without_columns_the_sheet_is_a_little_wider_than_high(n_pictures, columns):
    sheet = contact_sheet([flat(0)] * n_pictures, width=40)
    assert sheet.shape[1] == columns * 52 + 12


def test_names_take_room_below_and_too_long_ones_stay_in_theirs():
    pictures = [flat(255)] * 2
    bare = contact_sheet(pictures, width=40)
    named = contact_sheet(pictures, ["x" * 99, ""], width=40)
    assert named.shape[0] > bare.shape[0]
    dark = (named < 128).any(axis=(0, 2))
    assert dark[12:52].any()
    assert not dark[52:].any()


@pytest.mark.parametrize(
    ("pictures", "options", "message"),
    [
        ([], {}, "pictures must be at least one, got none"),
        ([flat(0)], {"names": []}, "names must be 1, one for each picture, got 0"),
        ([flat(0)], {"columns": 0}, "columns must be a whole number of at least 1, got 0"),
        ([flat(0)], {"width": 0}, "width must be a whole number of at least 1, got 0"),
        (
            [np.zeros((2, 2))],
            {},
            (
                "a picture must be uint8 of shape (rows, cols) or (rows, cols, 3), "
                "got float64 of shape (2, 2)"
            ),
        ),
    ],
)
def test_what_cannot_be_a_sheet_is_refused(pictures, options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        contact_sheet(pictures, **options)
