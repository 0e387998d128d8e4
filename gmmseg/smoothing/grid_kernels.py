"""Numba kernels on the edges of a grid: squared differences of neighbours, contrast weights."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.core.vectormath import exp_nonpositive


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def squared_differences(features, inside, offset, out, lines):
    """Fill ``out`` with the squared distance of every cell to its neighbour; return sum and count.

    ``features`` is (planes, rows, cols, n_features), ``lines`` the range of (plane, row) lines to
    do. Where the cell or its neighbour is not inside, ``out`` is -1.
    """
    planes, rows, cols, n_features = features.shape
    total, count = 0.0, 0
    for line in range(lines[0], lines[1]):
        plane, row = line // rows, line % rows
        other_plane, other_row = plane + offset[0], row + offset[1]
        is_line = 0 <= other_plane < planes and 0 <= other_row < rows
        for col in range(cols):
            other_col = col + offset[2]
            out[plane, row, col] = -1.0
            if not is_line or other_col < 0 or other_col >= cols or not inside[plane, row, col]:
                continue
            if not inside[other_plane, other_row, other_col]:
                continue
            square = 0.0
            for i in range(n_features):
                step = features[plane, row, col, i] - features[other_plane, other_row, other_col, i]
                square += step * step
            out[plane, row, col] = square
            total += square
            count += 1
    return total, count


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def weights_of_squares(squares, scale, distance, lines):
    """Turn squares into ``exp(-scale * square) / distance``, and those below 0, no pairs, into 0.

    ``squares`` is (n_lines, n_cols), ``lines`` the range of lines to do.
    """
    for line in range(lines[0], lines[1]):
        for col in range(squares.shape[1]):
            square = squares[line, col]
            weight = exp_nonpositive(-scale * max(square, np.float32(0.0))) / distance
            squares[line, col] = weight if square >= 0.0 else np.float32(0.0)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def border_weight(weights, offsets, labels):
    """Return the summed weight of the pairs of neighbours whose labels differ."""
    planes, rows, cols = labels.shape
    total = 0.0
    for o in range(len(offsets)):
        dp, dr, dc = offsets[o, 0], offsets[o, 1], offsets[o, 2]
        for plane in range(max(0, -dp), min(planes, planes - dp)):
            for row in range(max(0, -dr), min(rows, rows - dr)):
                for col in range(max(0, -dc), min(cols, cols - dc)):
                    if labels[plane, row, col] != labels[plane + dp, row + dr, col + dc]:
                        total += weights[o, plane, row, col]
    return total
