import numpy as np
from numpy.testing import assert_array_equal
from scipy import ndimage

from gmmseg.video.cleanup import Cleaner
from gmmseg.video.cleanup_kernels import majority, spread

NOTHING, ONE = np.uint8(0), np.uint8(1)


def cleaned(raw, min_area=None):
    out = np.empty_like(raw)
    Cleaner(raw.shape, min_area=min_area).clean(raw, out)
    return out


def test_the_majority_is_a_median(rng):
    raw = (rng.random((30, 41)) < 0.5).astype(np.uint8)
    out = np.empty_like(raw)
    majority(raw, ONE, out)
    assert_array_equal(out, ndimage.median_filter(raw, size=5, mode="nearest"))


def test_closing_fills_gaps_of_a_pixel_as_scipy_does(rng):
    mask = (ndimage.gaussian_filter(rng.normal(size=(40, 50)), 2) > 0.05).astype(np.uint8)
    grown, out = np.empty_like(mask), np.empty_like(mask)
    spread(mask, ONE, grown)
    spread(grown, NOTHING, out)
    box = np.ones((3, 3))
    padded = np.pad(mask, 3, mode="edge")
    assert_array_equal(out, ndimage.binary_closing(padded, box)[3:-3, 3:-3])


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
