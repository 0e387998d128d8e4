"""Claims about small regions: what they are merged into, and what stays as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.image.small_regions import merge_small_regions
from tests import naive

# Drawn by a seed: what hypothesis draws itself is nearly all of one label.
SIZES = st.integers(1, 7)
SMALL_SIZES = st.integers(1, 4)


def drawn(shape, seed):
    return np.random.default_rng(seed).integers(0, 4, size=shape, dtype=np.int32)


PLANES = st.builds(drawn, st.tuples(SIZES, SIZES), st.integers(0, 2**32))
VOLUMES = st.builds(drawn, st.tuples(SMALL_SIZES, SMALL_SIZES, SMALL_SIZES), st.integers(0, 2**32))


@given(labels=PLANES | VOLUMES, min_area=st.integers(1, 9), connectivity=st.integers(1, 2))
def test_merging_equals_the_naive_twin(labels, min_area, connectivity):
    merged = merge_small_regions(labels, min_area, connectivity=connectivity)
    assert merged.dtype == labels.dtype
    assert_array_equal(merged, naive.merge_small_regions(labels, min_area, connectivity))


@given(labels=PLANES, min_area=st.integers(1, 9))
def test_a_transposed_image_is_merged_into_the_transposed_labels(labels, min_area):
    merged = merge_small_regions(labels, min_area)
    assert_array_equal(merge_small_regions(labels.T, min_area), merged.T)


@pytest.mark.parametrize("min_area", [2, 10, 100, 10**6])
def test_merging_again_changes_nothing(rng, min_area):
    labels = rng.integers(0, 5, size=(60, 70))
    merged = merge_small_regions(labels, min_area)
    assert_array_equal(merge_small_regions(merged, min_area), merged)


@pytest.mark.parametrize("shape", [(60, 70), (12, 20, 25)])
def test_no_small_part_is_left_where_nothing_is_masked_out(rng, shape):
    merged = merge_small_regions(rng.integers(1, 5, size=shape), 40)
    sizes = [len(part) for part in naive.connected_parts(merged, 1)]
    assert len(sizes) > 1
    assert min(sizes) >= 40


def test_the_longest_border_decides_and_not_the_largest_neighbour():
    labels = np.ones((6, 6), int)
    labels[:3, :3] = 2
    labels[1:3, 0] = 3  # borders: 3 on label 2, 1 on label 1
    assert_array_equal(merge_small_regions(labels, 3)[1:3, 0], 2)


@pytest.mark.parametrize("step", [1, -1])
def test_of_two_borders_as_long_the_larger_part_wins(step):
    labels = np.array([[1, 1, 3, 2, 2, 2]])[:, ::step]
    expected = np.array([[1, 1, 2, 2, 2, 2]])[:, ::step]
    assert_array_equal(merge_small_regions(labels, 2), expected)


@pytest.mark.parametrize("step", [1, -1])
def test_of_two_equal_neighbours_the_smaller_label_wins(step):
    labels = np.array([[2, 2, 3, 1, 1]])[:, ::step]
    expected = np.array([[2, 2, 1, 1, 1]])[:, ::step]
    assert_array_equal(merge_small_regions(labels, 2), expected)


def test_small_parts_that_are_large_enough_together_stay():
    # The 3 has two borders with the 4s and one with the 9s, and 3 and 4s together are three.
    labels = np.full((4, 6), 9)
    labels[0, 1:3], labels[0, 0] = 4, 3
    labels[1, 0] = 4
    merged = merge_small_regions(labels, 4)
    assert_array_equal(merged[0], [4, 4, 4, 9, 9, 9])
    assert_array_equal(merged[1], [4, 9, 9, 9, 9, 9])


def test_masked_out_pixels_stay_and_are_no_neighbours():
    labels = [[0, 0, 0, 2], [0, 1, 0, 2], [0, 0, 0, 2]]
    assert_array_equal(merge_small_regions(labels, 100), labels)


def test_diagonal_neighbours_are_one_part_only_with_connectivity_2():
    labels = np.ones((6, 6), int)
    labels[2, 2] = labels[3, 3] = 2
    assert_array_equal(merge_small_regions(labels, 2), np.ones((6, 6)))
    assert_array_equal(merge_small_regions(labels, 2, connectivity=2), labels)


def test_the_argument_is_left_alone(rng):
    labels = rng.integers(1, 4, size=(20, 20))
    before = labels.copy()
    merge_small_regions(labels, 10)
    assert_array_equal(labels, before)


def test_a_strided_or_foreign_array_is_merged_as_its_copy(rng):
    labels = rng.integers(0, 4, size=(40, 40), dtype=np.int16)
    expected = merge_small_regions(labels[::2, ::-1].copy(), 6)
    assert_array_equal(merge_small_regions(labels[::2, ::-1], 6), expected)
    assert_array_equal(merge_small_regions(labels[::2, ::-1].astype(">i2"), 6), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_labels_keep_their_dtype_and_their_values(dtype):
    large = np.iinfo(dtype).max if np.iinfo(dtype).max < 2**63 else 2**63 - 1
    merged = merge_small_regions(np.array([[large, large, 1]], dtype=dtype), 2)
    assert merged.dtype == dtype
    assert_array_equal(merged, np.full((1, 3), large, dtype))


def test_an_empty_image_stays_empty():
    assert merge_small_regions(np.zeros((0, 3), int), 5).shape == (0, 3)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (
            [1, 2],
            {},
            r"^labels must have shape \(rows, cols\) or \(planes, rows, cols\), got \(2,\)$",
        ),
        (
            [[1.0]],
            {},
            r"^labels must be integers, got dtype float64; use labels\.astype\(np\.int32\)$",
        ),
        (
            [[1, -2]],
            {},
            (
                r"^labels must be at least 0, got -2; "
                r"number the segments 1…n and give masked-out pixels 0$"
            ),
        ),
        ([[1]], {"min_area": 0}, r"^min_area must be a whole number of at least 1, got 0$"),
        ([[1]], {"connectivity": 3}, r"^connectivity must be at most 2 on this grid, got 3$"),
    ],
)
def test_what_cannot_be_merged_is_refused(labels, options, message):
    with pytest.raises(InputError, match=message):
        merge_small_regions(labels, **({"min_area": 2} | options))
