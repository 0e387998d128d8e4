"""Numba kernels of the coarse picture, a block a cell: means, shares, shifts of light and place."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.video.pixel_model import BLOCK, MOVING_LABEL

REACH = 128  # levels up or down that a histogram of shifts can tell
TONE_WIDTH = 16  # levels of background in one bin of tone
MOST_RESIDUAL = 16.0  # levels: what is further off counts no more
HUBER = 8.0  # levels: differences beyond count by their size, not its square
NONE, ONE = np.uint8(0), np.uint8(1)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def block_means(frame, scale, out, lines):
    """Fill ``out[row, col, channel]`` with scaled means of the frame over whole blocks.

    ``frame`` is (rows, cols * n_channels), ``lines`` the range of rows of blocks to do.
    """
    cols, n_channels = out.shape[1], out.shape[2]
    sums = np.empty(frame.shape[1], np.uint32)
    factor = np.float32(scale / (BLOCK * BLOCK))
    for row in range(lines[0], lines[1]):
        for j in range(len(sums)):
            sums[j] = frame[BLOCK * row, j]
        for i in range(1, BLOCK):
            for j in range(len(sums)):
                sums[j] += frame[BLOCK * row + i, j]
        for col in range(cols):
            first = BLOCK * col * n_channels
            for c in range(n_channels):
                total = np.uint32(0)
                for i in range(BLOCK):
                    total += sums[first + i * n_channels + c]
                out[row, col, c] = np.float32(total) * factor


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def block_background(sums, out):
    """Fill ``out[row, col, channel]`` with block means of sums over rows."""
    factor = np.float32(1.0 / (BLOCK * BLOCK))
    for row in range(out.shape[0]):
        for c in range(out.shape[2]):
            for col in range(out.shape[1]):
                total = np.float32(0.0)
                for i in range(BLOCK):
                    total += sums[row, c, BLOCK * col + i]
                out[row, col, c] = total * factor


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def block_counts(mask, out):
    """Fill ``out[row, col]`` with how many pixels of each whole block move."""
    columns = np.empty(mask.shape[1], np.uint8)
    for row in range(out.shape[0]):
        for j in range(len(columns)):
            columns[j] = NONE
        for i in range(BLOCK):
            for j in range(len(columns)):
                columns[j] += ONE if mask[BLOCK * row + i, j] == MOVING_LABEL else NONE
        for col in range(out.shape[1]):
            total = NONE
            for i in range(BLOCK):
                total += columns[BLOCK * col + i]
            out[row, col] = total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def shift_histograms(picture, background, use, out):
    """Count the blocks by channel, bin of background, and shift of the picture against it.

    ``out`` is (n_channels, 256 / TONE_WIDTH, 2 * REACH + 1) whole numbers.
    """
    out[:] = 0
    last = out.shape[1] - 1
    for row in range(picture.shape[0]):
        for col in range(picture.shape[1]):
            if not use[row, col]:
                continue
            for c in range(picture.shape[2]):
                level = background[row, col, c]
                shift = int(np.rint(picture[row, col, c] - level))
                shift = min(max(shift, -REACH), REACH)
                out[c, min(int(level) // TONE_WIDTH, last), shift + REACH] += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def shift_quantiles(counts, shares, out):
    """Fill ``out[channel, bin, i]`` with the quantile ``shares[i]`` of each histogram of shifts.

    Between levels it is told by how full the cell is; of no blocks it is 0. ``shares`` rise.
    """
    for c in range(counts.shape[0]):
        for b in range(counts.shape[1]):
            histogram = counts[c, b]
            total = histogram.sum()
            cell, below = 0, 0
            for i in range(len(shares)):
                wanted = shares[i] * total
                while total > 0 and below + histogram[cell] < wanted:
                    below += histogram[cell]
                    cell += 1
                inside = (wanted - below) / max(histogram[cell], 1)
                out[c, b, i] = cell - REACH - 0.5 + inside if total > 0 else 0.0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def tone_residual(picture, background, use, shifts):
    """Return how far the picture is from the background under new light, in levels, cut and summed.

    ``shifts`` is (n_channels, n_bins); ``use`` says which blocks count.
    """
    total = 0.0
    last = shifts.shape[1] - 1
    for row in range(picture.shape[0]):
        for col in range(picture.shape[1]):
            if not use[row, col]:
                continue
            for c in range(picture.shape[2]):
                level = background[row, col, c]
                expected = level + shifts[c, min(int(level) // TONE_WIDTH, last)]
                total += min(abs(picture[row, col, c] - expected), MOST_RESIDUAL)
    return total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def motion_sums(picture, background, use, out):
    """Sum up the normal equations of a shift: the picture against slopes of the background.

    ``picture`` and ``background`` are grey. The regressors are the slopes along rows and columns
    and a constant, the light (Lucas and Kanade, 1981, with the weights of Huber, 1964, against what
    moves); ``out`` is (3, 4), its last column the right-hand side, and returned is the sum of
    squared differences.
    """
    out[:] = 0.0
    square = 0.0
    for row in range(1, picture.shape[0] - 1):
        for col in range(1, picture.shape[1] - 1):
            if not use[row, col]:
                continue
            dy = 0.5 * (background[row + 1, col] - background[row - 1, col])
            dx = 0.5 * (background[row, col + 1] - background[row, col - 1])
            change = picture[row, col] - background[row, col]
            weight = min(1.0, HUBER / max(abs(change), 1e-3))
            out[0, 0] += weight * dy * dy
            out[0, 1] += weight * dy * dx
            out[0, 2] += weight * dy
            out[0, 3] += weight * dy * change
            out[1, 1] += weight * dx * dx
            out[1, 2] += weight * dx
            out[1, 3] += weight * dx * change
            out[2, 2] += weight
            out[2, 3] += weight * change
            square += weight * change * change
    return square


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def slope_products(picture, background, use):
    """Return sums of products of slopes: picture by picture, by background, and that by itself.

    Only slopes between two blocks in use count; the fourth number is how many there are.
    """
    own, mixed, other, n = 0.0, 0.0, 0.0, 0
    for row in range(picture.shape[0]):
        for col in range(picture.shape[1]):
            for axis in range(2):
                i, j = row + 1 - axis, col + axis
                is_pair = i < picture.shape[0] and j < picture.shape[1]
                if not is_pair or not use[row, col] or not use[i, j]:
                    continue
                f = picture[i, j] - picture[row, col]
                b = background[i, j] - background[row, col]
                own += f * f
                mixed += f * b
                other += b * b
                n += 1
    return own, mixed, other, n
