"""Claims about sheets of slices: which way is up, true proportions, what is shown."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.image.volume_decoders import Volume
from gmmseg.report import slices
from gmmseg.report.figures import color_of_label
from gmmseg.report.slices import volume_sheet


def block(shape=(20, 24, 28)):
    """Return a volume and labels: a small block 2 in one corner of 1."""
    labels = np.ones(shape, int)
    labels[:8, :9, :10] = 2
    return np.where(labels == 2, 200, 20).astype(np.uint8), labels


def where(picture, label):
    """Return the mean row and column of a label's flat colour, as shares."""
    is_there = (np.abs(picture.astype(int) - color_of_label(label)) < 3).all(axis=2)
    rows, cols = np.nonzero(is_there)
    return rows.mean() / len(picture), cols.mean() / picture.shape[1]


def views(volume, labels):
    """Return the first slices across planes, rows and columns, as flat colours."""
    seen = []
    original = slices._below_each_other

    def keep(lines, names):
        seen.extend([lines, names])
        return original(lines, names)

    slices._below_each_other = keep
    try:
        volume_sheet(volume, labels, n_slices=2, opacity=1)
    finally:
        slices._below_each_other = original
    lines, names = seen
    return names, [line[:, : (line.shape[1] - 8) // 2] for line in lines]


def test_a_stack_is_shown_as_it_is_numbered():
    names, pictures = views(Volume(block()[0]), block()[1])
    assert names == ("planes", "rows", "columns")
    for picture in pictures:
        row, col = where(picture, 2)
        assert row < 0.4
        assert col < 0.4


def test_a_nifti_volume_is_shown_with_front_and_top_up_and_right_at_the_right():
    # The block lies low, at the back and at the left of the body.
    values, labels = block()
    names, pictures = views(Volume(values, affine=np.eye(4)), labels)
    assert names == ("axial", "coronal", "sagittal")
    # The first slices: the uppermost, without the block; the foremost, without; the leftmost.
    assert where(pictures[2], 2)[0] > 0.6  # low
    assert where(pictures[2], 2)[1] > 0.6  # front is at the left, so it lies at the right


@pytest.mark.parametrize("flip", [(0,), (1,), (2,), (0, 1, 2)])
def test_the_sheet_does_not_depend_on_how_a_nifti_file_is_stored(flip):
    values, labels = block()
    affine = np.eye(4)
    for axis in flip:  # of the array; the world's axes are in the opposite order
        affine[2 - axis, 2 - axis] = -1
    expected = volume_sheet(Volume(values, affine=np.eye(4)), labels)
    turned = volume_sheet(Volume(np.flip(values, flip), affine=affine), np.flip(labels, flip))
    assert_array_equal(turned, expected)


def test_the_sheet_does_not_depend_on_the_order_of_the_axes():
    values, labels = block()
    expected = volume_sheet(Volume(values, (3.0, 2.0, 1.0), affine=np.diag([1, 2, 3, 1])), labels)
    affine = np.zeros((4, 4))
    affine[[1, 2, 0], [0, 1, 2]] = 2, 3, 1  # i runs to the front, j up, k to the right
    volume = Volume(values.transpose(2, 0, 1), (1.0, 3.0, 2.0), affine=affine)
    assert_array_equal(volume_sheet(volume, labels.transpose(2, 0, 1)), expected)


def test_slices_have_the_proportions_of_the_body():
    values, labels = block((10, 20, 20))
    _, (planes, rows, _) = views(Volume(values, (4.0, 1.0, 1.0)), labels)
    assert planes.shape[0] / planes.shape[1] == pytest.approx(1, abs=0.02)
    assert rows.shape[0] / rows.shape[1] == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,)])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 40), (3, 2, 200)])
def test_any_volume_has_a_sheet(rng, shape, channels):
    values = rng.normal(size=(*shape, *channels))
    values.flat[0] = np.nan
    sheet = volume_sheet(Volume(values), rng.integers(0, 3, size=shape))
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3


def test_only_labelled_slices_are_shown():
    is_labelled = np.zeros(100, bool)
    is_labelled[40:60] = True
    assert slices._spread(is_labelled, 4) == [42, 47, 52, 57]
    assert slices._spread(is_labelled[40:43], 9) == [0, 1, 2]
    assert slices._spread(np.zeros(4, bool), 2) == [1, 3]


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (np.ones((2, 2), int), {}, "labels must have the volume's shape (2, 2, 2), got (2, 2)"),
        (
            np.ones((2, 2, 2)),
            {},
            "labels must be integers of at least 0, got dtype float64 and smallest 1.0",
        ),
        (
            np.ones((2, 2, 2), int),
            {"n_slices": 0},
            "n_slices must be a whole number of at least 1, got 0",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(labels, options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        volume_sheet(Volume(np.zeros((2, 2, 2))), labels, **options)
