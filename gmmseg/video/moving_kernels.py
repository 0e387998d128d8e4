"""Numba kernels that move a frame to where the camera stood at first, and that relight a model."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.video.pixel_model import BLOCK, MEAN, ONE, VARIANCE, WEIGHT, ZERO

TILE = 8 * BLOCK  # pixels along a side of a tile, which has a say about the shift
MOST_RESIDUAL = np.float32(32.0)  # levels
BRIGHTEST = np.float32(255.0)
LEAVE, TAKE, BRIGHTEN = 0, 1, 2  # what becomes of the pixels of a block when the light changes
NEW_WEIGHT = np.float32(0.6)  # of the new look; the old one stays background for when it returns


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def move_frame(frame, shift, out, lines):
    """Fill ``out[row, col]`` with ``frame[row + shift[0], col + shift[1]]``, all in whole pixels.

    Done are the rows from ``lines[0]`` to before ``lines[1]``. Beyond the border the frame goes on
    as it ends there.
    """
    rows, cols, n_channels = frame.shape
    for row in range(lines[0], lines[1]):
        line = frame[min(max(row + shift[0], 0), rows - 1)]
        for col in range(cols):
            from_col = min(max(col + shift[1], 0), cols - 1)
            for c in range(n_channels):
                out[row, col, c] = line[from_col, c]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def shift_residuals(frame, table, modes, moving, shift, out):
    """Fill ``out[row, col]`` with how far tiles of the moved frame are from the background.

    Summed are differences to the heaviest mode, in levels and cut at MOST_RESIDUAL, of every
    fourth row, where no block of ``moving`` is and the moved frame has pixels.
    """
    out[:] = 0.0
    rows, cols = frame.shape[:2]
    first, end = max(0, -shift[1]), min(cols, cols - shift[1])
    if end <= first:
        return
    seen, residual = np.empty(end - first, np.float32), np.zeros(cols, np.float32)
    for row in range(BLOCK // 2, BLOCK * moving.shape[0], BLOCK):
        if not 0 <= row + shift[0] < rows:
            continue
        for c in range(table.shape[0]):
            look_up_line(frame[row + shift[0], first + shift[1] :], table, c, seen)
            add_residuals(seen, modes[row, 0, MEAN + c, first:], c == 0, residual[first:])
        add_to_tiles(residual, moving[row // BLOCK], out[row // TILE])


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_to_tiles(residual, moving, out):
    """Add the residuals of a row to those of its tiles, but for blocks that move."""
    for block in range(len(moving)):
        if not moving[block]:
            col = BLOCK * block
            left, right = residual[col] + residual[col + 1], residual[col + 2] + residual[col + 3]
            out[col // TILE] += left + right


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def look_up_line(line, table, c, out):
    """Fill ``out`` with what one channel of a line of pixels stands for."""
    for j in range(len(out)):
        out[j] = table[c, line[j, c]]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_residuals(seen, means, is_first, out):
    """Add how far levels are from means, cut, to ``out``, or begin it with that."""
    most = MOST_RESIDUAL
    for j in range(len(seen)):
        out[j] = (ZERO if is_first else out[j]) + min(abs(seen[j] - means[j]), most)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def relight_rows(frame, table, model, orders, gains, variance, lines):
    """Give the pixels of some blocks a new heaviest mode, and keep what they looked like before.

    ``orders`` (block rows, block cols) says for each block whether to leave its pixels, to take
    what the frame shows, or to brighten what they were by ``gains`` (block rows, block cols,
    channels), where something moves before them.
    """
    n_channels = table.shape[0]
    last_row, last_col = orders.shape[0] - 1, orders.shape[1] - 1
    for row in range(lines[0], lines[1]):
        modes, depth = model.modes[row], model.depth[row]
        block_row = min(row // BLOCK, last_row)
        for j in range(modes.shape[2]):
            block_col = min(j // BLOCK, last_col)
            order = orders[block_row, block_col]
            if order == LEAVE:
                continue
            push_down(modes, j)
            modes[0, WEIGHT, j] = NEW_WEIGHT
            modes[0, VARIANCE, j] = max(modes[0, VARIANCE, j], variance)
            for c in range(n_channels):
                if order == TAKE:
                    modes[0, MEAN + c, j] = table[c, frame[row, j, c]]
                else:
                    bright = modes[0, MEAN + c, j] * gains[block_row, block_col, c]
                    modes[0, MEAN + c, j] = min(bright, BRIGHTEST)
            depth = min(model.depth[row] + 1, modes.shape[0])
        model.depth[row] = depth


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def push_down(modes, j):
    """Move all modes of a pixel one place down, where they share what the new one leaves them."""
    n_modes = modes.shape[0]
    kept = ONE - modes[n_modes - 1, WEIGHT, j]
    scale = (ONE - NEW_WEIGHT) / kept if n_modes > 1 else ONE
    for k in range(n_modes - 1, 0, -1):
        for i in range(modes.shape[1]):
            modes[k, i, j] = modes[k - 1, i, j]
        modes[k, WEIGHT, j] *= scale
