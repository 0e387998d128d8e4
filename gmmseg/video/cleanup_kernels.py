"""Numba kernels that clean a mask: majority of a window, and areas that hang together."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH

ONE = np.uint8(1)
NOTHING = np.uint8(0)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def count_columns(mask, value, radius, row, out):
    """Fill ``out[col]`` with how many of the 2 radius + 1 rows about ``row`` hold the value."""
    for j in range(len(out)):
        out[j] = NOTHING
    for i in range(row - radius, row + radius + 1):
        line = mask[min(max(i, 0), mask.shape[0] - 1)]
        for j in range(len(out)):
            out[j] += ONE if line[j] == value else NOTHING


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def majority(mask, value, radius, wanted, out, lines):
    """Set ``out`` to 1 where at least ``wanted`` pixels of a square window hold the value, else 0.

    Beyond the border the mask goes on as it ends there. ``lines`` is the range of rows to do;
    returned is how many pixels are 1.
    """
    n_ones = 0
    cols = mask.shape[1]
    padded = np.empty(cols + 2 * radius, np.uint8)
    one, nothing = ONE, NOTHING
    for row in range(lines[0], lines[1]):
        count_columns(mask, value, radius, row, padded[radius : radius + cols])
        for j in range(radius):
            padded[j] = padded[radius]
            padded[radius + cols + j] = padded[radius + cols - 1]
        line = out[row]
        for j in range(cols):
            line[j] = padded[j]
        for i in range(1, 2 * radius + 1):
            for j in range(cols):
                line[j] += padded[i + j]
        for j in range(cols):
            line[j] = one if line[j] >= wanted else nothing
        for j in range(cols):
            n_ones += line[j]
    return n_ones


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def join_masks(moving, shadow, has_shadow, labels, out, lines):
    """Fill ``out`` with the labels (nothing, shadow, moving): what moves is no shadow."""
    for row in range(lines[0], lines[1]):
        is_moving, is_shadow, line = moving[row], shadow[row], out[row]
        for j in range(len(line)):
            line[j] = labels[2] if is_moving[j] == ONE else labels[0]
        if has_shadow:
            for j in range(len(line)):
                is_own = is_shadow[j] == ONE and is_moving[j] == NOTHING
                line[j] = labels[1] if is_own else line[j]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def find_runs(mask, value, starts, ends, rows, first):
    """Find the runs of a value in every row; return how many, ``first[row]`` being the first."""
    n = 0
    for row in range(mask.shape[0]):
        first[row] = n
        col = 0
        line = mask[row]
        while col < mask.shape[1]:
            if line[col] != value:
                col += 1
                continue
            starts[n] = col
            while col < mask.shape[1] and line[col] == value:
                col += 1
            ends[n] = col
            rows[n] = row
            n += 1
    first[mask.shape[0]] = n
    return n


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def root_of(parents, i):
    """Return the first run of the area that a run belongs to, and shorten the way there."""
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def join_runs(starts, ends, first, reach, parents):
    """Join runs of neighbouring rows that touch: by a side, or with ``reach`` 1 by a corner."""
    for i in range(first[len(first) - 1]):
        parents[i] = i
    for row in range(1, len(first) - 1):
        i, j = first[row - 1], first[row]
        while i < first[row] and j < first[row + 1]:
            if starts[i] < ends[j] + reach and starts[j] < ends[i] + reach:
                a, b = root_of(parents, i), root_of(parents, j)
                parents[max(a, b)] = min(a, b)
            if ends[i] < ends[j]:
                i += 1
            else:
                j += 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def replace_small(mask, value, other, least, is_open, memory):
    """Give areas of a value that are smaller than ``least`` pixels another value.

    Where ``is_open``, areas that reach the border of the mask stay, whatever their size.
    """
    starts, ends, rows, first, parents, areas = memory
    reach = 0 if is_open else 1
    first = first[: mask.shape[0] + 1]
    n_runs = find_runs(mask, value, starts, ends, rows, first)
    join_runs(starts, ends, first, reach, parents)
    areas[:n_runs] = 0
    for i in range(n_runs):
        root = root_of(parents, i)
        on_border = starts[i] == 0 or ends[i] == mask.shape[1]
        on_border = on_border or rows[i] == 0 or rows[i] == mask.shape[0] - 1
        areas[root] += least if is_open and on_border else ends[i] - starts[i]
    for i in range(n_runs):
        if areas[root_of(parents, i)] < least:
            for col in range(starts[i], ends[i]):
                mask[rows[i], col] = other
