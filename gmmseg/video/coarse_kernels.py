"""Numba kernels of the coarse picture, a block a cell: means, shares, shifts of light and place."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.video.pixel_model import BLOCK, MEAN, MOVING_LABEL, ONE, ZERO

REACH = 128  # levels up or down that a histogram of shifts can tell
TONE_WIDTH = 16  # levels of background in one bin of tone
MOST_RESIDUAL = np.float32(16.0)  # levels: what is further off counts no more
SMALLEST_SPREAD = 0.5  # levels
GAUSS_QUARTILES = 1.35  # standard deviations from one quartile to the other
HUBER = np.float32(8.0)  # levels: differences beyond count by their size, not its square
AREA_BITS = 4  # of BLOCK * BLOCK, which is a power of two
NO_PIXEL, ONE_PIXEL = np.uint8(0), np.uint8(1)  # bytes, so that counts of them are bytes
SMALL, HALF = np.float32(1e-3), np.float32(0.5)


class Coarse(NamedTuple):
    """A frame and the background, a block a cell; all of float32, 0…255."""

    picture: Any  # (rows / 4, cols / 4, n_channels), in the light of the frame
    background: Any  # (rows / 4, cols / 4, n_channels)
    grey_picture: Any  # (rows / 4, cols / 4), in the light of the background
    grey_background: Any


def coarse_memory(shape: tuple[int, int, int]) -> Coarse:
    """Return memory for frames of so many rows, columns and channels."""
    rows, cols, n_channels = shape[0] // BLOCK, shape[1] // BLOCK, shape[2]
    color = np.zeros((2, rows, cols, n_channels), np.float32)
    return Coarse(*color, *np.zeros((2, rows, cols), np.float32))


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def block_means(frame, scale, table, out, grey):
    """Fill ``out[row, col, channel]`` with means of a frame over whole blocks, ``grey`` in grey.

    ``frame`` is (rows, cols * n_channels), ``scale`` what a step of its values is, and ``table``
    (n_channels, n_levels) what the values stand for in the light that ``grey`` is to have.
    """
    cols, n_channels = out.shape[1], out.shape[2]
    factor, part = np.float32(scale / (BLOCK * BLOCK)), np.float32(1.0 / n_channels)
    sums, pairs = np.empty(frame.shape[1], np.int32), np.empty(frame.shape[1], np.int32)
    light = np.empty(cols, np.float32)
    right, far_right = sums[n_channels:], pairs[2 * n_channels :]
    for row in range(out.shape[0]):
        first = BLOCK * row
        for j in range(len(sums)):
            upper = frame[first, j] + frame[first + 1, j]
            sums[j] = upper + frame[first + 2, j] + frame[first + 3, j]
        for j in range(len(right)):
            pairs[j] = sums[j] + right[j]
        for c in range(n_channels):
            for col in range(cols):
                j = BLOCK * col * n_channels + c
                total = pairs[j] + far_right[j]
                out[row, col, c] = np.float32(total) * factor
                level = table[c, total >> AREA_BITS]
                light[col] = (light[col] if c > 0 else ZERO) + level * part
        for col in range(cols):
            grey[row, col] = light[col]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def block_background(modes, block, out, grey):
    """Fill row ``block`` of ``out[row, col, channel]`` with block means of the heaviest modes.

    That of ``grey`` gets their means over channels. Rows of pixels that make no block are left.
    """
    if block >= len(out):
        return
    row, n_channels = block * BLOCK, out.shape[2]
    factor, part = np.float32(1.0 / (BLOCK * BLOCK)), np.float32(1.0 / n_channels)
    sums = np.empty(modes.shape[3], np.float32)
    for c in range(n_channels):
        for j in range(len(sums)):
            upper = modes[row, 0, MEAN + c, j] + modes[row + 1, 0, MEAN + c, j]
            sums[j] = upper + modes[row + 2, 0, MEAN + c, j] + modes[row + 3, 0, MEAN + c, j]
        for col in range(out.shape[1]):
            j = BLOCK * col
            mean = (sums[j] + sums[j + 1] + sums[j + 2] + sums[j + 3]) * factor
            out[block, col, c] = mean
            grey[block, col] = (grey[block, col] if c > 0 else ZERO) + mean * part


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def block_counts(mask, out):
    """Fill ``out[row, col]`` with how many pixels of each whole block move."""
    columns = np.empty(mask.shape[1], np.uint8)
    for row in range(out.shape[0]):
        for j in range(len(columns)):
            columns[j] = NO_PIXEL
        for i in range(BLOCK):
            for j in range(len(columns)):
                columns[j] += ONE_PIXEL if mask[BLOCK * row + i, j] == MOVING_LABEL else NO_PIXEL
        for col in range(out.shape[1]):
            total = NO_PIXEL
            for i in range(BLOCK):
                total += columns[BLOCK * col + i]
            out[row, col] = total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def tone_bin(level, n_bins):
    """Return the bin of tone that a level of background is in, whatever the level."""
    return min(max(int(level) // TONE_WIDTH, 0), n_bins - 1)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def shift_histograms(picture, background, use, calm, step, out):
    """Count the blocks by channel, bin of background, and shift of the picture against it.

    ``out`` is (2, n_channels, 256 / TONE_WIDTH, 2 * REACH + 1) whole numbers: of the blocks in use
    that are not calm, and that are. Only every ``step``-th row of blocks counts.
    """
    out[:] = 0
    n_bins = out.shape[2]
    for row in range(0, picture.shape[0], step):
        for col in range(picture.shape[1]):
            if not use[row, col]:
                continue
            is_calm = 1 if calm[row, col] else 0
            for c in range(picture.shape[2]):
                level = background[row, col, c]
                shift = int(np.rint(picture[row, col, c] - level))
                shift = min(max(shift, -REACH), REACH)
                out[is_calm, c, tone_bin(level, n_bins), shift + REACH] += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def median_shifts(counts, n_together, out):
    """Fill ``out[channel, bin]`` with the median of a histogram of shifts, shrunk by its chance.

    The shrinking is that of James and Stein (1961), its positive part, with the standard error of
    a median from the quartiles; so many blocks are one piece of evidence.
    """
    for c in range(counts.shape[0]):
        for b in range(counts.shape[1]):
            total = counts[c, b].sum()
            out[c, b] = 0.0
            if total > 0:
                low, median, high = quartiles(counts[c, b], total)
                error = max((high - low) / GAUSS_QUARTILES, SMALLEST_SPREAD)
                square = error * error * n_together / (total * max(median * median, 1e-12))
                out[c, b] = median * max(1.0 - square, 0.0) * total / (total + n_together)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def quartiles(histogram, total):
    """Return the quartiles of a histogram of shifts; how full a cell is tells what lies between."""
    cell, below = 0, 0
    found = np.empty(3)
    for i in range(3):
        wanted = 0.25 * (i + 1) * total
        while below + histogram[cell] < wanted:
            below += histogram[cell]
            cell += 1
        found[i] = cell - REACH - 0.5 + (wanted - below) / histogram[cell]
    return found[0], found[1], found[2]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def tone_residual(picture, background, use, step, shifts):
    """Return how far the picture is from the background in another light, in levels, cut, summed.

    ``shifts`` is (n_channels, n_bins), float32; ``use`` says which blocks of every ``step``-th row
    count.
    """
    total = 0.0
    n_bins = shifts.shape[1]
    for row in range(0, picture.shape[0], step):
        for c in range(picture.shape[2]):
            part = ZERO
            for col in range(picture.shape[1]):
                level = background[row, col, c]
                dev = picture[row, col, c] - level - shifts[c, tone_bin(level, n_bins)]
                part += min(abs(dev), MOST_RESIDUAL) if use[row, col] else ZERO
            total += float(part)
    return total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def motion_sums(picture, background, use, out):
    """Sum up the normal equations of a shift: the picture against slopes of the background.

    ``picture`` and ``background`` are grey. The regressors are the slopes along rows and columns
    and a constant, the light (Lucas and Kanade, 1981, with the weights of Huber, 1964, against what
    moves); ``out`` is (3, 4), its last column the right-hand side, and returned is the
    weighted sum of squared differences.
    """
    out[:] = 0.0
    total = 0.0
    for row in range(1, picture.shape[0] - 1):
        yy, yx, xx, y, x = ZERO, ZERO, ZERO, ZERO, ZERO
        yc, xc, n, c, square = ZERO, ZERO, ZERO, ZERO, ZERO
        for col in range(1, picture.shape[1] - 1):
            dy = HALF * (background[row + 1, col] - background[row - 1, col])
            dx = HALF * (background[row, col + 1] - background[row, col - 1])
            change = picture[row, col] - background[row, col]
            weight = min(ONE, HUBER / max(abs(change), SMALL)) if use[row, col] else ZERO
            yy += weight * dy * dy
            yx += weight * dy * dx
            xx += weight * dx * dx
            y += weight * dy
            x += weight * dx
            yc += weight * dy * change
            xc += weight * dx * change
            n += weight
            c += weight * change
            square += weight * change * change
        rows = ((yy, yx, y, yc), (yx, xx, x, xc), (y, x, n, c))
        for i in range(3):
            for j in range(4):
                out[i, j] += rows[i][j]
        total += float(square)
    return total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def solve_motion(sums, square, least_slope):
    """Return the shift that the sums of `motion_sums` ask for, and how much it explains.

    That is down and right, in blocks, the share of the mean squared difference, and that itself;
    all are 0 where the slopes in one direction are less than ``least_slope`` per block.
    """
    n_blocks, change = sums[2, 2], sums[2, 3]
    y, x = sums[0, 2] / n_blocks, sums[1, 2] / n_blocks
    rows, cols = sums[0, 0] - sums[0, 2] * y, sums[1, 1] - sums[1, 2] * x
    mixed = sums[0, 1] - sums[0, 2] * x
    down, right = sums[0, 3] - y * change, sums[1, 3] - x * change
    determinant = rows * cols - mixed * mixed
    # The product of both eigenvalues, over their sum, is at most the smaller of them.
    if determinant <= least_slope * n_blocks * (rows + cols):
        return 0.0, 0.0, 0.0, 0.0
    to_row, to_col = cols * down - mixed * right, rows * right - mixed * down
    to_row, to_col = to_row / determinant, to_col / determinant
    square -= change * change / n_blocks
    explained = (to_row * down + to_col * right) / max(square, 1e-9)
    # A picture that lies further down is the background minus the shift times its slope.
    return -to_row, -to_col, explained, square / n_blocks


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
