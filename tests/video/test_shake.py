import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from gmmseg.video.moving_kernels import TILE, move_frame, shift_residuals
from gmmseg.video.shake import find_shift, small_shift


def block_means(picture):
    rows, cols = (n // 4 for n in picture.shape)
    blocks = picture[: 4 * rows, : 4 * cols].reshape(rows, 4, cols, 4)
    return blocks.mean(axis=(1, 3)).astype(np.float32)


@pytest.fixture
def wall(rng):
    return 120 + 300 * gaussian_filter(rng.normal(size=(180, 220)), 2.0)


def find(before, now, limit=8.0, use=None):
    modes = np.zeros((len(before), 1, 3, before.shape[1]), np.float32)
    modes[:, 0, 2] = before
    table = np.arange(256, dtype=np.float32)[np.newaxis]
    frame = np.clip(np.rint(now), 0, 255).astype(np.uint8)[:, :, np.newaxis]
    picture, background = block_means(now), block_means(before)
    use = np.ones(picture.shape, bool) if use is None else use

    def residuals(shift):
        out = np.empty((-(-len(before) // TILE), -(-before.shape[1] // TILE)))
        shift_residuals(frame, table, modes, ~use, shift, out)
        return out

    return find_shift(picture, background, use=use, residuals=residuals, limit=limit)


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (-2, 2), (5, -7), (0, -3)])
def test_a_shift_is_found_to_the_pixel(wall, rng, shift):
    down, right = shift
    now = wall[10 - down : 170 - down, 10 - right : 210 - right]
    now = now + rng.normal(scale=3, size=now.shape)
    assert find(wall[10:170, 10:210], now) == shift


def test_a_shift_in_other_light_is_found(wall):
    assert find(wall[10:170, 10:210], 0.9 * wall[8:168, 11:211] + 12) == (2, -1)


def test_what_moves_in_a_part_is_no_shake(wall):
    before, now = wall[10:170, 10:210], wall[10:170, 10:210].copy()
    now[40:120, 50:110] = wall[52:132, 60:120]
    assert find(before, now) == (0, 0)


def test_all_there_is_to_see_before_a_flat_wall_moves_and_is_no_shake(wall):
    before, now = np.full((2, 160, 200), 120.0)
    before[36:60, 70:94] = now[36:60, 72:96] = wall[36:60, 70:94] + 60
    assert find(before, now) == (0, 0)


def test_a_shift_beyond_the_limit_is_none(wall):
    assert find(wall[10:170, 10:210], wall[4:164, 10:210], limit=4.0) in {(0, 0), (4, 0)}


def test_a_wall_without_marks_tells_no_shift(rng):
    flat = np.full((80, 100), 120.0)
    assert find(flat, flat + rng.normal(scale=3, size=flat.shape)) == (0, 0)


def test_the_step_is_that_of_a_slope_by_hand():
    rows, cols = np.mgrid[:20, :30].astype(np.float32)
    background = 3 * rows**2 + 2 * cols * rows
    moved = 3 * (rows - 0.25) ** 2 + 2 * cols * (rows - 0.25)
    everywhere = np.ones((20, 30), bool)
    step, explained, _ = small_shift(moved, background, everywhere)
    assert_allclose(step, [1.0, 0.0], atol=0.2)  # a quarter of a block is one pixel
    assert explained > 0.9


def test_a_frame_moved_there_and_back_is_the_same_inside(rng):
    frame = rng.integers(0, 255, size=(20, 30, 3)).astype(np.uint8)
    there, back = np.empty_like(frame), np.empty_like(frame)
    move_frame(frame, (2, -3), there, (0, 20))
    move_frame(there, (-2, 3), back, (0, 20))
    assert_array_equal(there[5, 10], frame[7, 7])
    assert_array_equal(back[2:-2, 3:-3], frame[2:-2, 3:-3])
