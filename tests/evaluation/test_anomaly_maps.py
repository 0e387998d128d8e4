"""Claims about the measures of anomaly maps: cases by hand, laws, and a naive twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from gmmseg.errors import InputError
from gmmseg.evaluation import aupro, pixel_auc, region_overlap_curve
from tests import naive
from tests.evaluation import naive_measures

SHAPE = (4, 5)
MAPS = st.lists(arrays(np.float64, SHAPE, elements=st.integers(0, 6)), min_size=2, max_size=2)
MASKS = st.lists(arrays(np.bool_, SHAPE), min_size=2, max_size=2).filter(
    lambda masks: np.any(masks) and not np.all(masks)
)


def regions_of(mask):
    """Return the connected parts of a mask as labels 1…n."""
    labels = np.zeros(mask.shape, dtype=int)
    for number, part in enumerate(naive.connected_parts(mask.astype(int), 2), start=1):
        for cell in part:
            labels[cell] = number
    return labels


@given(MAPS, MASKS)
def test_the_curve_is_that_of_its_definition(maps, masks):
    curve = region_overlap_curve(maps, masks)
    points = naive_measures.overlap_curve(maps, [regions_of(mask) for mask in masks])
    assert_allclose(
        np.stack([curve.false_positive_rates, curve.region_overlaps], axis=1), points, atol=1e-12
    )
    assert len(curve.thresholds) == len(points)


def test_the_area_is_that_of_the_curve(rng):
    masks = rng.random((2, 6, 7)) < 0.3
    maps = rng.normal(size=masks.shape) + masks
    points = naive_measures.overlap_curve(maps, [regions_of(mask) for mask in masks])
    for limit in (0.05, 0.3, 1.0):
        area = naive_measures.area_up_to(points, limit)
        assert_allclose(aupro(maps, masks, max_false_positive_rate=limit), area, atol=1e-3)


@given(MAPS, MASKS, st.floats(0.01, 1.0))
def test_areas_lie_within_their_bounds_and_order_is_all_that_matters(maps, masks, limit):
    area = aupro(maps, masks, max_false_positive_rate=limit)
    assert 0.0 <= area <= 1.0 + 1e-12
    stretched = [np.exp(one) - 5.0 for one in maps]
    assert_allclose(aupro(stretched, masks, max_false_positive_rate=limit), area, atol=1e-12)
    turned = [one.T for one in maps], [one.T for one in masks]
    assert_allclose(aupro(*turned, max_false_positive_rate=limit), area, atol=1e-9)
    swapped = maps[::-1], masks[::-1]
    assert_allclose(aupro(*swapped, max_false_positive_rate=limit), area, atol=1e-9)


@given(MAPS, MASKS)
def test_pixel_auc_is_that_of_scikit_learn(maps, masks):
    theirs = roc_auc_score(np.ravel(masks), np.ravel(maps))
    assert_allclose(pixel_auc(maps, masks), theirs, atol=1e-12)


def test_with_one_defect_and_no_limit_the_area_is_the_pixel_auc(rng):
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:5, 2:6] = True
    values = rng.integers(0, 9, mask.shape) + 3.0 * mask
    area = aupro([values], [mask], max_false_positive_rate=1.0)
    assert_allclose(area, pixel_auc([values], [mask]), atol=1e-12)


def test_a_small_defect_weighs_as_much_as_a_large_one():
    mask = np.zeros((8, 8), dtype=int)
    mask[0, 0] = mask[4:6, 4:6] = 255
    large_found = np.where(np.indices(mask.shape).min(axis=0) > 0, mask, 0)
    # Half of the defects is found at no cost; then all else has one score, a line from 1/2 to 1.
    assert_allclose(aupro([large_found], [mask]), 0.5 + 0.5 * 0.15)
    assert_allclose(pixel_auc([large_found], [mask]), 0.9)  # 4 of 5 pixels, and half of the fifth
    assert aupro([mask], [mask]) == 1.0


def test_a_map_that_says_nothing_has_half_the_limit():
    masks = [[[1, 0, 0]], [[0, 0, 0]]]
    maps = np.zeros((2, 1, 3))
    assert_allclose(aupro(maps, masks), 0.15)
    assert pixel_auc(maps, masks) == 0.5


def test_parts_that_touch_at_corners_are_one_defect():
    mask = [[1, 0], [0, 1], [0, 1]]
    curve = region_overlap_curve([[[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]]], [mask])
    assert_allclose(curve.region_overlaps, [0.0, 1 / 3, 1.0, 1.0])


@pytest.mark.parametrize("measure", [region_overlap_curve, aupro, pixel_auc])
@pytest.mark.parametrize(
    ("maps", "masks", "message"),
    [
        ([[[1.0, 2.0]]], [], r"there must be as many maps as masks, got 1 and 0$"),
        ([], [], r"there must be pixels of defects and others, got 0 of defects among 0$"),
        ([[[1, 2]]], [[[1, 1]]], r"there must be pixels of defects and others, got 2 of defects a"),
        ([[[1, 2]]], [[[0, 0]]], r"there must be pixels of defects and others, got 0 of defects a"),
        ([[[1, 2, 3]]], [[[0, 1]]], r"maps\[0\] must have the shape of its mask \(1, 2\), got \(1"),
        ([[["x", 2]]], [[[0, 1]]], r"maps\[0\] must be numbers: could not convert"),
        ([[[np.nan, 2]]], [[[0, 1]]], r"maps\[0\] has NaN in 1 of 2 pixels$"),
        ([[[1, 2]]], [[[0.0, 1.0]]], r"masks\[0\] must be integers, got dtype float64; use masks"),
    ],
)
def test_what_are_no_maps_and_masks_is_refused(measure, maps, masks, message):
    with pytest.raises(InputError, match=message):
        measure(maps, masks)


@pytest.mark.parametrize("limit", [0.0, 1.1, float("nan")])
def test_a_limit_that_is_none_is_refused(limit):
    message = f"max_false_positive_rate must lie above 0 and up to 1, got {limit}$"
    with pytest.raises(InputError, match=message):
        aupro([[[1.0, 0.0]]], [[[1, 0]]], max_false_positive_rate=limit)
