import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.video.moving_kernels import (
    BRIGHTEN,
    LEAVE,
    TAKE,
    TILE,
    move_frame,
    relight_rows,
    shift_residuals,
)
from gmmseg.video.pixel_state import begin

MOST = 32.0


def naive_residuals(frame, table, modes, moving, shift):
    """Return what `shift_residuals` fills, a pixel at a time."""
    rows, cols, n_channels = frame.shape
    out = np.zeros((-(-rows // TILE), -(-cols // TILE)))
    for row in range(2, rows // 4 * 4, 4):
        for col in range(cols // 4 * 4):
            i, j = row + shift[0], col + shift[1]
            if 0 <= i < rows and 0 <= j < cols and not moving[row // 4, col // 4]:
                seen = table[range(n_channels), frame[i, j]]
                dev = np.abs(seen - modes[row, 0, 2:, col])
                out[row // TILE, col // TILE] += np.minimum(dev, MOST).sum()
    return out


@pytest.mark.parametrize("shift", [(0, 0), (3, -5), (-8, 8), (1, 2), (0, -39), (0, 50), (-41, 0)])
@pytest.mark.parametrize("shape", [(40, 38, 3), (37, 45, 1)])
def test_residuals_of_a_shift_are_those_of_the_naive_twin(rng, shape, shift):
    frame = rng.integers(0, 256, size=shape).astype(np.uint8)
    table = rng.uniform(0, 255, size=(shape[2], 256)).astype(np.float32)
    modes = rng.uniform(0, 255, size=(shape[0], 2, 2 + shape[2], shape[1])).astype(np.float32)
    moving = rng.random((shape[0] // 4, shape[1] // 4)) < 0.3
    out = np.full((-(-shape[0] // TILE), -(-shape[1] // TILE)), np.nan)
    shift_residuals(frame, table, modes, moving, shift, out)
    wanted = naive_residuals(frame, table, modes, moving, shift)
    assert_allclose(out, wanted, rtol=1e-5, atol=1e-3)
    assert wanted.any() == (abs(shift[1]) < shape[1] and abs(shift[0]) < shape[0])


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-4, 30), (-30, 1)])
def test_a_frame_is_moved_as_indices_say(rng, shift):
    frame = rng.integers(0, 256, size=(17, 23, 2)).astype(np.uint8)
    out = np.zeros_like(frame)
    for lines in ((8, 17), (0, 8)):
        move_frame(frame, shift, out, lines)
    rows = np.clip(np.arange(17) + shift[0], 0, 16)
    cols = np.clip(np.arange(23) + shift[1], 0, 22)
    assert_array_equal(out, frame[np.ix_(rows, cols)])


@pytest.mark.parametrize("n_modes", [2, 4])
def test_a_new_light_makes_a_row_deeper_by_one_where_it_falls(rng, n_modes):
    frame = rng.integers(0, 256, size=(10, 11, 1)).astype(np.uint8)
    state = begin(frame, np.arange(256.0), n_modes=n_modes, variance=30.0)
    table = np.arange(256, dtype=np.float32)[np.newaxis]
    orders = np.array([[LEAVE, LEAVE], [TAKE, LEAVE]], np.uint8)
    gains, other = np.ones((2, 2, 1), np.float32), frame[::-1].copy()
    state.model.modes[:5, 0, 1], state.model.modes[5:, 0, 1] = 90.0, 20.0
    relight_rows(other, table, state.model, orders, gains, np.float32(30.0), (0, 10))
    modes = state.model.modes
    # Rows beyond the last block are lit as that is.
    assert_array_equal(state.model.depth, [1] * 4 + [2] * 6)
    assert_array_equal(modes[4:, 0, 2, :4], other[4:, :4, 0])
    assert_array_equal(modes[4:, 1, 2, :4], frame[4:, :4, 0])
    assert_array_equal(modes[4:, 0, 1, 0], [90.0] + [30.0] * 5)
    assert_array_equal(modes[:, 0, 2, 4:], frame[:, 4:, 0])
    assert_allclose(modes[:, :, 0].sum(axis=1), 1.0, rtol=1e-6)


def test_what_is_brightened_is_no_brighter_than_white():
    frame = np.full((8, 8, 1), 100, np.uint8)
    state = begin(frame, np.arange(256.0), n_modes=2, variance=30.0)
    table = np.arange(256, dtype=np.float32)[np.newaxis]
    gains = np.array([[2.0, 8.0]] * 2, np.float32)[:, :, np.newaxis]
    orders = np.full((2, 2), BRIGHTEN, np.uint8)
    relight_rows(frame, table, state.model, orders, gains, np.float32(30.0), (0, 8))
    assert_array_equal(state.model.modes[:, 0, 2], [[200.0] * 4 + [255.0] * 4] * 8)
