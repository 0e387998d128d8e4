"""Numba kernels of the regions mode: differences of half discs, means along lines, border moves."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH

OUTSIDE = 255  # the code of a pixel that is not in use
FARTHEST = 1e30  # farther than any two colours lie apart, and finite


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_half_disc_differences(codes, blur, steps, weight, out, rows):
    """Add ``weight`` times how much the codes differ across every pixel to ``out``.

    ``steps`` (n_steps, 3) are the ways (row, col) from a pixel to the others of its disc, and in
    which of ``2 n_orientations`` sectors each lies; ``out`` (n_orientations, rows, cols). The disc
    is cut along a diameter; ``out[o]`` gets the chi-square distance of the halves' histograms, both
    first blurred with the weights ``blur``, an odd number.
    """
    n_orientations, n_rows, n_cols = out.shape
    n_codes = np.int64(0)
    for row in range(n_rows):
        for col in range(n_cols):
            if codes[row, col] != OUTSIDE:
                n_codes = max(n_codes, np.int64(codes[row, col]) + 1)
    sectors = np.zeros((2 * n_orientations, n_codes), dtype=np.float32)
    counts = np.zeros((2 * n_orientations, n_codes + blur.shape[0] - 1), dtype=np.float32)
    halves = np.zeros((2, n_codes), dtype=np.float32)
    reach = blur.shape[0] // 2
    for row in range(rows[0], rows[1]):
        for col in range(n_cols):
            if codes[row, col] == OUTSIDE:
                continue
            count_sectors(codes, steps, row, col, counts[:, reach : reach + n_codes])
            blur_rows(counts, blur, sectors)
            halves[:] = 0.0
            for i in range(n_orientations):
                for code in range(n_codes):
                    halves[0, code] += sectors[i, code]
                    halves[1, code] += sectors[i + n_orientations, code]
            for i in range(n_orientations):
                out[i, row, col] += weight * chi_square(halves[0], halves[1])
                for code in range(n_codes):
                    move = sectors[i + n_orientations, code] - sectors[i, code]
                    halves[0, code] += move
                    halves[1, code] -= move


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def count_sectors(codes, steps, row, col, sectors):
    """Fill ``sectors[s, code]`` with how many pixels of sector s of the disc bear a code."""
    sectors[:] = 0.0
    for i in range(steps.shape[0]):
        other_row, other_col = row + steps[i, 0], col + steps[i, 1]
        if 0 <= other_row < codes.shape[0] and 0 <= other_col < codes.shape[1]:
            code = codes[other_row, other_col]
            if code != OUTSIDE:
                sectors[steps[i, 2], code] += 1.0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def blur_rows(counts, blur, out):
    """Fill ``out`` with the rows of ``counts``, each spread by the weights ``blur``.

    ``counts`` has half as many empty columns before and after the others as ``blur`` has weights.
    """
    size = out.shape[1]
    out[:] = 0.0
    for i in range(counts.shape[0]):
        for k in range(blur.shape[0]):
            weight = blur[k]
            for j in range(size):
                out[i, j] += weight * counts[i, j + k]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def chi_square(first, second):
    """Return the chi-square distance of two histograms, 0 to 1, and 0 where one is empty."""
    n_first, n_second = np.float32(0.0), np.float32(0.0)
    for i in range(first.shape[0]):
        n_first += first[i]
        n_second += second[i]
    if n_first < 0.5 or n_second < 0.5:  # not one pixel, whatever the rounding
        return np.float32(0.0)
    distance = np.float32(0.0)
    share, other_share = np.float32(1.0) / n_first, np.float32(1.0) / n_second
    for i in range(first.shape[0]):
        p, q = first[i] * share, second[i] * other_share
        distance += (p - q) * (p - q) / max(p + q, np.float32(1e-9))
    return np.float32(0.5) * distance


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def strongest_line_means(strengths, inside, steps, weights, out, rows):
    """Fill ``out`` with the largest mean of ``strengths[o]`` along a line of orientation o.

    ``steps`` (n_orientations, n_steps, 2) lead along the lines. Pixels outside do not count.
    """
    n_orientations, n_rows, n_cols = strengths.shape
    for row in range(rows[0], rows[1]):
        for col in range(n_cols):
            largest = np.float32(0.0)
            for i in range(n_orientations):
                total, weight_sum = np.float32(0.0), np.float32(0.0)
                for step in range(steps.shape[1]):
                    r, c = row + steps[i, step, 0], col + steps[i, step, 1]
                    if 0 <= r < n_rows and 0 <= c < n_cols and inside[r, c]:
                        total += weights[step] * strengths[i, r, c]
                        weight_sum += weights[step]
                if weight_sum > 0.0:
                    largest = max(largest, total / weight_sum)
            out[row, col] = largest if inside[row, col] else np.float32(0.0)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def move_borders(features, labels, coarse_features, coarse_labels, factor):
    """Give pixels on borders to the neighbouring region they are more like; return how many.

    A region is like its cells of the coarse image (``factor`` times smaller) near the pixel. A
    pixel only moves where the region it leaves stays in one piece: so all stay 4-connected.
    """
    n_moves = 0
    for row in range(labels.shape[0]):
        for col in range(labels.shape[1]):
            own = labels[row, col]
            if 0 < row < labels.shape[0] - 1 and 0 < col < labels.shape[1] - 1:
                is_even = labels[row - 1, col] == own and labels[row + 1, col] == own
                if is_even and labels[row, col - 1] == own and labels[row, col + 1] == own:
                    continue  # nearly all pixels: a short way for them
            if own == 0 or not is_removable(labels, row, col):
                continue
            distance = local_distance(
                features, coarse_features, coarse_labels, row, col, own, factor
            )
            best, chosen = 0.0, own
            for side in range(4):
                r, c = row + (side == 2) - (side == 0), col + (side == 1) - (side == 3)
                other = label_at(labels, r, c)
                if other == 0:
                    continue
                other_distance = local_distance(
                    features, coarse_features, coarse_labels, row, col, other, factor
                )
                # Both terms lie in -1…1: which region is nearer in colour, and on more sides.
                gain = (distance - other_distance) / max(distance + other_distance, 1e-30)
                gain += sides_of(labels, row, col, other) - sides_of(labels, row, col, own)
                if gain > best:
                    best, chosen = gain, other
            if chosen != own:
                labels[row, col] = chosen
                n_moves += 1
    return n_moves


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def label_at(labels, row, col):
    """Return the label of a pixel, and 0 beyond the image."""
    if 0 <= row < labels.shape[0] and 0 <= col < labels.shape[1]:
        return labels[row, col]
    return 0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def is_removable(labels, row, col):
    """Return whether a pixel lies on a border and its region stays 4-connected without it.

    That is so where its neighbours of the same label are in one piece within the ring around it
    (Yokoi, Toriwaki, Fukumura 1975: the connectivity number is 1).
    """
    own = labels[row, col]
    up, right = label_at(labels, row - 1, col) == own, label_at(labels, row, col + 1) == own
    down, left = label_at(labels, row + 1, col) == own, label_at(labels, row, col - 1) == own
    pieces = np.int64(up) + np.int64(right) + np.int64(down) + np.int64(left)
    pieces -= up and right and label_at(labels, row - 1, col + 1) == own
    pieces -= right and down and label_at(labels, row + 1, col + 1) == own
    pieces -= down and left and label_at(labels, row + 1, col - 1) == own
    pieces -= left and up and label_at(labels, row - 1, col - 1) == own
    return pieces == 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def sides_of(labels, row, col, label):
    """Return which share of the eight pixels around one bears a label."""
    count = 0
    for r in range(row - 1, row + 2):
        for c in range(col - 1, col + 2):
            if (r != row or c != col) and label_at(labels, r, c) == label:
                count += 1
    return count / 8.0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def local_distance(features, coarse_features, coarse_labels, row, col, label, factor):
    """Return the squared distance of a pixel to the mean of a label's cells within two cells."""
    middle_row, middle_col = row // factor, col // factor
    square, n_cells = 0.0, 0
    for i in range(features.shape[2]):
        total, n_cells = 0.0, 0
        for r in range(middle_row - 2, middle_row + 3):
            for c in range(middle_col - 2, middle_col + 3):
                if label_at(coarse_labels, r, c) == label:
                    total += coarse_features[r, c, i]
                    n_cells += 1
        if n_cells == 0:
            return FARTHEST
        step = features[row, col, i] - total / n_cells
        square += step * step
    return square
