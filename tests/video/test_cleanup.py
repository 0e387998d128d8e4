import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from gmmseg.video.cleanup import Cleaner
from gmmseg.video.cleanup_kernels import (
    NOTHING,
    ONE,
    find_gaps,
    find_runs,
    majority,
    next_change,
    replace_small,
    rows_with,
    run_memory,
    spread,
)


def cleaned(raw, min_area=None):
    out = np.empty_like(raw)
    Cleaner(raw.shape, min_area=min_area).clean(raw, out)
    return out


SHAPES = [(1, 8), (3, 9), (5, 20), (8, 8), (9, 13), (30, 41), (64, 64)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_majority_is_a_median(rng, shape):
    raw = rng.choice(np.array([0, 127, 255], np.uint8), p=(0.3, 0.2, 0.5), size=shape)
    out = np.empty_like(raw)
    for value in (127, 255):
        holds = (raw == value).astype(np.uint8)
        majority(raw, np.uint8(value), out)
        assert_array_equal(out, ndimage.median_filter(holds, size=5, mode="nearest"))


@pytest.mark.parametrize("shape", SHAPES)
def test_spreading_is_dilation_and_erosion(rng, shape):
    mask = (rng.random(shape) < 0.5).astype(np.uint8)
    out, box = np.empty_like(mask), np.ones((3, 3))
    spread(mask, ONE, out)
    assert_array_equal(out, ndimage.binary_dilation(mask, box))
    spread(mask, NOTHING, out)
    assert_array_equal(out, ndimage.binary_erosion(mask, box, border_value=1))


@pytest.mark.parametrize("held", [(), (0,), (8,), (3, 5), (0, 8)])
def test_the_rows_that_hold_a_value_are_told(held):
    mask = np.full((9, 21), 127, np.uint8)
    mask[list(held), 20] = 255
    wanted = (min(held), max(held) + 1) if held else (0, 0)
    assert rows_with(mask, np.uint8(255)) == wanted


@pytest.mark.parametrize("cols", [8, 9, 31, 33, 64, 71, 100])
@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 0.97, 1.0])
def test_runs_are_found_as_by_looking_at_every_pixel(rng, cols, share):
    mask = (rng.random((7, cols)) < share).astype(np.uint8)
    runs, gaps = run_memory(7, cols), run_memory(7, cols)
    find_runs(mask, runs)
    find_gaps(runs, mask.shape, gaps)
    for value, found in ((NOTHING, gaps), (ONE, runs)):
        starts, ends, rows = (places[: found.first[7]] for places in found[:3])
        steps = np.diff(np.pad((mask == value).astype(int), ((0, 0), (1, 1))), axis=1)
        wanted_rows, wanted_starts = np.nonzero(steps == 1)
        assert_array_equal(rows, wanted_rows)
        assert_array_equal(starts, wanted_starts)
        assert_array_equal(ends, np.nonzero(steps == -1)[1])
        assert_array_equal(found.first, np.searchsorted(wanted_rows, np.arange(8)))


def test_a_change_is_found_at_any_place_from_any_other():
    flat = np.zeros(100, np.uint8)
    words = flat[:96].view(np.uint64)
    for value in (NOTHING, ONE):
        for change in range(100):
            flat[:] = value
            flat[change : change + 8] = ONE - value
            for start, end in ((0, 100), (3, 99), (change, 100), (5, 37), (40, 72)):
                place = max(start, change)
                wanted = place if place < min(end, change + 8) else end
                assert next_change(flat, words, start, end, value) == wanted


@pytest.mark.parametrize("shape", [(9, 20), (40, 71)])
@pytest.mark.parametrize("is_open", [False, True])
def test_small_areas_are_replaced_as_by_scipy(rng, shape, is_open):
    mask = (rng.random(shape) < 0.4).astype(np.uint8)
    areas, n_areas = ndimage.label(mask, None if is_open else np.ones((3, 3)))
    wanted = mask.copy()
    for area in range(1, n_areas + 1):
        own = areas == area
        on_border = own[0].any() or own[-1].any() or own[:, 0].any() or own[:, -1].any()
        if own.sum() < 5 and not (is_open and on_border):
            wanted[own] = 0
    runs, before = run_memory(*shape), mask.copy()
    find_runs(mask, runs)
    assert replace_small(mask, runs, NOTHING, 5, is_open) == (wanted != before).any()
    assert_array_equal(mask, wanted)


def cleaned_by_scipy(raw, min_area):
    """Return what `Cleaner` makes of a mask, in the words of scipy."""
    box, out = np.ones((3, 3)), np.zeros_like(raw)
    shadow, moving = (
        ndimage.median_filter((raw == value).astype(np.uint8), size=5, mode="nearest") > 0
        for value in (127, 255)
    )
    moving = ndimage.binary_dilation(moving, box)
    moving = ndimage.binary_erosion(moving, box, border_value=1)
    gaps, n_gaps = ndimage.label(~moving)
    border = np.unique(np.concatenate([gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]]))
    for gap in set(range(1, n_gaps + 1)) - set(border.tolist()):
        moving |= (gaps == gap) & ((gaps == gap).sum() < int(0.002 * raw.size))
    areas, n_areas = ndimage.label(moving, box)
    for area in range(1, n_areas + 1):
        moving &= (areas != area) | ((areas == area).sum() >= min_area)
    out[shadow] = 127
    out[moving] = 255
    return out


@pytest.mark.parametrize("shape", [(8, 8), (9, 20), (61, 43), (83, 117), (130, 200)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_a_mask_is_cleaned_as_scipy_would(rng, shape, share):
    rough = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    ranks = rough.ravel().argsort().argsort().reshape(shape) / rough.size
    raw = np.where(ranks < share, 255, np.where(ranks < share + 0.1, 127, 0)).astype(np.uint8)
    raw[rng.random(shape) < 0.1] = 0
    raw[: shape[0] // 4] = 0  # only a part of the rows is looked at
    assert_array_equal(cleaned(raw, min_area=20), cleaned_by_scipy(raw, 20))


def test_a_speck_goes_and_what_is_larger_stays():
    raw = np.zeros((100, 120), np.uint8)
    raw[10:13, 10:13] = 255
    raw[50:70, 50:70] = 255
    out = cleaned(raw, min_area=20)
    assert not out[:30].any()
    assert (out[52:68, 52:68] == 255).all()


def test_a_hole_is_filled_and_a_bay_is_not():
    raw = np.zeros((100, 120), np.uint8)
    raw[20:80, 20:80] = 255
    raw[30:34, 30:34] = 0
    raw[60:80, 40:45] = 0
    raw[40:60, 50:70] = 0
    out = cleaned(raw)
    assert (out[25:38, 25:38] == 255).all()
    assert not out[62:80, 41:44].any()
    assert not out[42:58, 52:68].any()


def test_a_corner_cut_off_by_what_moves_is_no_hole():
    raw = np.zeros((100, 120), np.uint8)
    rows, cols = np.mgrid[:100, :120]
    raw[(rows + cols >= 5) & (rows + cols < 40)] = 255
    assert not cleaned(raw)[:2, :2].any()


def test_areas_are_those_of_scipy(rng):
    raw = (ndimage.gaussian_filter(rng.normal(size=(90, 110)), 2) > 0.12).astype(np.uint8) * 255
    for least in (1, 15, 60):
        plain = cleaned(raw, min_area=1)
        labels, n_areas = ndimage.label(plain, np.ones((3, 3)))
        sizes = ndimage.sum_labels(plain > 0, labels, np.arange(n_areas + 1))
        assert n_areas > 10
        assert_array_equal(cleaned(raw, min_area=least) > 0, (sizes >= least)[labels] & (plain > 0))


def test_what_moves_is_no_shadow():
    raw = np.zeros((60, 60), np.uint8)
    raw[10:30, 10:30] = 255
    raw[30:50, 10:30] = 127
    out = cleaned(raw)
    assert (out[12:28, 12:28] == 255).all()
    assert (out[33:48, 12:28] == 127).all()


def test_an_empty_mask_stays_empty_and_a_full_one_full():
    for value in (0, 255):
        raw = np.full((40, 50), value, np.uint8)
        assert_array_equal(cleaned(raw), raw)


@pytest.mark.parametrize(("shape", "side"), [((8, 8), 2), ((240, 320), 7), ((1080, 1920), 14)])
def test_what_is_larger_than_a_tenth_of_the_side_stays(shape, side):
    raw = np.zeros(shape, np.uint8)
    raw[: side + 2, : side + 2] = 255
    assert cleaned(raw).any()


def test_specks_of_less_than_a_tenth_of_the_side_go():
    raw = np.zeros((1080, 1920), np.uint8)
    raw[500:511, 700:711] = 255
    assert not cleaned(raw).any()
