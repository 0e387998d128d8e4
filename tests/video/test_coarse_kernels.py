import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.video.coarse_kernels import (
    REACH,
    block_counts,
    block_means,
    coarse_memory,
    median_shifts,
    motion_sums,
    shift_histograms,
    tone_residual,
)

BINS = 16


def blocks(picture):
    """Return the pixels of every whole block of 4 x 4, (rows / 4, cols / 4, 16, ...)."""
    rows, cols = (n // 4 for n in picture.shape[:2])
    cut = picture[: 4 * rows, : 4 * cols].reshape(rows, 4, cols, 4, *picture.shape[2:])
    return np.swapaxes(cut, 1, 2).reshape(rows, cols, 16, *picture.shape[2:])


def two_pictures(rng, shape=(11, 14, 3)):
    background = rng.uniform(-20, 280, size=shape).astype(np.float32)
    picture = (background + rng.normal(scale=14, size=shape)).astype(np.float32)
    return picture, background, rng.random(shape[:2]) < 0.7


def tone_bins(background):
    return np.clip(np.floor(background).astype(int) // 16, 0, BINS - 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 21, 3), (22, 13, 7), (40, 48, 2)])
def test_block_means_are_those_of_numpy(rng, dtype, shape):
    n_levels = np.iinfo(dtype).max + 1
    frame = rng.integers(0, n_levels, size=shape).astype(dtype)
    frame[:4, :4] = n_levels - 1  # nothing overflows
    table = rng.uniform(0, 255, size=(shape[2], n_levels)).astype(np.float32)
    coarse, scale = coarse_memory(shape), 255 / (n_levels - 1)
    block_means(frame.reshape(len(frame), -1), scale, table, coarse.picture, coarse.grey_picture)
    means = blocks(frame).mean(axis=2)
    assert_allclose(coarse.picture, means * scale, rtol=1e-6)
    looked_up = [table[c, means[:, :, c].astype(int)] for c in range(shape[2])]
    assert_allclose(coarse.grey_picture, np.mean(looked_up, axis=0), rtol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (9, 21), (22, 13)])
def test_what_moves_is_counted_per_block(rng, shape):
    mask = rng.choice(np.array([0, 127, 255], np.uint8), size=shape)
    mask[:4, :4] = 255
    out = np.empty((shape[0] // 4, shape[1] // 4), np.uint8)
    block_counts(mask, out)
    assert_array_equal(out, (blocks(mask) == 255).sum(axis=2))


@pytest.mark.parametrize("step", [1, 3])
def test_histograms_of_shifts_are_those_of_numpy(rng, step):
    picture, background, use = two_pictures(rng)
    picture[3, :2] = [[900], [-900]]  # beyond the reach
    calm = rng.random(use.shape) < 0.5
    out = np.empty((2, 3, BINS, 2 * REACH + 1), np.int32)
    shift_histograms(picture, background, use, calm, step, out)
    shifts = np.clip(np.rint(picture - background), -REACH, REACH).astype(int) + REACH
    bins, wanted = tone_bins(background), np.zeros_like(out)
    for row, col in np.argwhere(use):
        for c in range(3 if row % step == 0 else 0):
            wanted[int(calm[row, col]), c, bins[row, col, c], shifts[row, col, c]] += 1
    assert_array_equal(out, wanted)


def test_the_median_is_that_of_numpy(rng):
    shifts = np.rint(rng.normal(9.0, 4.0, size=40_000)).astype(int)
    counts = np.zeros((2, 1, 2 * REACH + 1), np.int32)
    counts[1, 0] = np.bincount(shifts + REACH, minlength=2 * REACH + 1)
    out = np.empty((2, 1))
    median_shifts(counts, 100.0, out)
    low, median, high = np.quantile(shifts + rng.uniform(-0.5, 0.5, shifts.size), (0.25, 0.5, 0.75))
    chance = ((high - low) / 1.35 / median) ** 2 * 100 / 40_000
    assert_allclose(out[1, 0], median * (1 - chance) * 40_000 / 40_100, rtol=5e-3)
    assert out[0, 0] == 0.0


def test_a_median_that_may_be_chance_is_none():
    counts = np.zeros((1, 1, 2 * REACH + 1), np.int32)
    counts[0, 0, REACH - 20 : REACH + 23] = 2
    out = np.empty((1, 1))
    median_shifts(counts, 50.0, out)
    assert out[0, 0] == 0.0


@pytest.mark.parametrize("step", [1, 4])
def test_the_residual_of_a_tone_is_that_of_numpy(rng, step):
    picture, background, use = two_pictures(rng)
    shifts = rng.normal(scale=9, size=(3, BINS)).astype(np.float32)
    moved = background + shifts[np.arange(3), tone_bins(background)]
    residuals = np.minimum(np.abs(picture - moved), 16.0)[::step][use[::step]]
    found = tone_residual(picture, background, use, step, shifts)
    assert_allclose(found, residuals.sum(), rtol=1e-4)


def test_the_sums_of_a_motion_are_those_of_numpy(rng):
    picture, background, use = (part[:, :, 0] if part.ndim == 3 else part for part in
                                two_pictures(rng, (13, 18, 1)))  # fmt: skip
    out = np.full((3, 4), np.nan)
    square = motion_sums(picture, background, use, out)
    down, right = np.gradient(background.astype(float))
    inside = (slice(1, -1), slice(1, -1))
    change = (picture - background).astype(float)
    regressors = np.stack([down, right, np.ones_like(down), change])[:, *inside].reshape(4, -1)
    weights = (use * np.minimum(1.0, 8.0 / np.abs(change)))[inside].ravel()
    products = (regressors * weights) @ regressors.T
    assert weights.min() == 0.0
    assert ((weights > 0) & (weights < 1)).any()
    assert_allclose(out, products[:3], rtol=1e-4, atol=1e-2)
    assert_allclose(square, products[3, 3], rtol=1e-4)
