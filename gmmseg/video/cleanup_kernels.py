"""Numba kernels that clean a mask: majority of a window, and areas that hang together."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH

ONE = np.uint8(1)
NOTHING = np.uint8(0)
MOST = np.uint8(13)  # of 25
LESS = np.uint8(255)  # what a byte is to be added to be one less
WORD = 8  # pixels that are compared at once
EVERY_ONE, EVERY_NOTHING = np.uint64(0x0101010101010101), np.uint64(0)


class Runs(NamedTuple):
    """Runs of a value in the rows of a mask, row after row, and memory to join them to areas."""

    starts: Any
    ends: Any  # the first column after it
    rows: Any
    first: Any  # (rows + 1,), of every row; the last is how many there are
    parents: Any
    areas: Any


def run_memory(rows: int, cols: int) -> Runs:
    """Return memory for the runs in masks of so many rows and columns."""
    most = rows * (cols // 2 + 1)
    starts, ends, places, parents = np.empty((4, most), np.int32)
    return Runs(
        starts, ends, places, np.empty(rows + 1, np.int64), parents, np.empty(most, np.int64)
    )


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def count_row(mask, value, row, step, out):
    """Add ``step`` to ``out[col]`` where a row holds the value, beyond the border the last one."""
    near = min(max(row, 0), mask.shape[0] - 1)
    for j in range(len(out)):
        out[j] += step if mask[near, j] == value else NOTHING


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def rows_with(mask, value):
    """Return the first row that holds a value and the one after the last; 0 and 0 if none does."""
    first, end = 0, 0
    for row in range(mask.shape[0]):
        held = NOTHING
        for j in range(mask.shape[1]):
            held = np.uint8(held | (ONE if mask[row, j] == value else NOTHING))
        if held == ONE:
            first = row if end == 0 else first
            end = row + 1
    return first, end


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def majority(mask, value, out):
    """Set ``out`` to 1 where most pixels of a window of 5 x 5 hold the value, else to 0.

    Beyond the border the mask goes on as it ends there.
    """
    rows, cols = mask.shape
    counts = np.zeros(cols + 4, np.uint8)  # of the five rows about this one
    middle = counts[2 : cols + 2]
    a, b, c, d, e = counts[:cols], counts[1:], middle, counts[3:], counts[4:]
    for row in range(-2, 2):
        count_row(mask, value, row, ONE, middle)
    for row in range(rows):
        count_row(mask, value, row + 2, ONE, middle)
        counts[0], counts[1] = middle[0], middle[0]
        counts[cols + 2], counts[cols + 3] = middle[cols - 1], middle[cols - 1]
        for j in range(cols):
            outer = np.uint8(np.uint8(a[j] + b[j]) + np.uint8(d[j] + e[j]))
            out[row, j] = ONE if np.uint8(outer + c[j]) >= MOST else NOTHING
        count_row(mask, value, row - 2, LESS, middle)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def spread(mask, value, out):
    """Give the value to all that touches it, by a side or a corner; masks of 0 and 1."""
    rows, cols = mask.shape
    flip = np.uint8(ONE - value)  # a byte, as the mask: all is done in bytes
    line = np.zeros(cols + 2, np.uint8)
    left, middle, right = line[:cols], line[1 : cols + 1], line[2:]
    for row in range(rows):
        above, below = max(row - 1, 0), min(row + 1, rows - 1)
        for j in range(cols):
            middle[j] = (mask[above, j] ^ flip) | (mask[row, j] ^ flip) | (mask[below, j] ^ flip)
        for j in range(cols):
            out[row, j] = (left[j] | middle[j] | right[j]) ^ flip


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def put(found, value, out):
    """Set ``out`` to the value where ``found`` is 1."""
    for row in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[row, j] = value if found[row, j] == ONE else out[row, j]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def find_runs(mask, runs):
    """Find the runs of 1 in every row of a mask of 0 and 1."""
    n, (rows, cols) = 0, mask.shape
    flat = mask.reshape(mask.size)
    words = flat[: mask.size // WORD * WORD].view(np.uint64)
    for row in range(rows):
        runs.first[row] = n
        end = (row + 1) * cols
        place = next_change(flat, words, row * cols, end, NOTHING)
        while place < end:
            runs.starts[n] = place - row * cols
            place = next_change(flat, words, place, end, ONE)
            runs.ends[n] = place - row * cols
            runs.rows[n] = row
            n += 1
            place = next_change(flat, words, place, end, NOTHING)
    runs.first[rows] = n


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def find_gaps(runs, shape, gaps):
    """Find what is between runs, and between them and the sides, in every row."""
    n, (rows, cols) = 0, shape
    for row in range(rows):
        gaps.first[row] = n
        after = 0  # the last run
        for i in range(runs.first[row], runs.first[row + 1] + 1):
            start = runs.starts[i] if i < runs.first[row + 1] else cols
            if start > after:
                gaps.starts[n], gaps.ends[n], gaps.rows[n] = after, start, row
                n += 1
            after = runs.ends[i] if i < runs.first[row + 1] else cols
    gaps.first[rows] = n


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def next_change(flat, words, place, end, value):
    """Return the first place from ``place`` on that has not the value, or the end.

    ``words`` are eight places at once.
    """
    pattern = EVERY_ONE if value == ONE else EVERY_NOTHING
    while place < end and place % WORD != 0:
        if flat[place] != value:
            return place
        place += 1
    while place + 4 * WORD <= end:
        i = place // WORD
        left, right = (words[i] ^ pattern) | (words[i + 1] ^ pattern), words[i + 2] ^ pattern
        if left | right | (words[i + 3] ^ pattern):
            break
        place += 4 * WORD
    while place + WORD <= end and words[place // WORD] == pattern:
        place += WORD
    while place < end and flat[place] == value:
        place += 1
    return place


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def root_of(parents, i):
    """Return the first run of the area that a run belongs to, and shorten the way there."""
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def join_runs(runs, n_rows, reach):
    """Join runs of neighbouring rows that touch: by a side, or with ``reach`` 1 by a corner."""
    starts, ends, first, parents = runs.starts, runs.ends, runs.first, runs.parents
    for i in range(first[n_rows]):
        parents[i] = i
    for row in range(1, n_rows):
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
def replace_small(mask, runs, other, least, is_open):
    """Give areas of runs that are smaller than ``least`` pixels another value.

    Where ``is_open``, areas touch by sides alone, and those that reach the border of the mask stay,
    whatever their size. Returned is whether there was any.
    """
    rows, cols = mask.shape
    starts, ends, areas, n_runs = runs.starts, runs.ends, runs.areas, runs.first[rows]
    join_runs(runs, rows, 0 if is_open else 1)
    areas[:n_runs] = 0
    for i in range(n_runs):
        on_border = starts[i] == 0 or ends[i] == cols
        on_border = on_border or runs.rows[i] == 0 or runs.rows[i] == rows - 1
        root = root_of(runs.parents, i)
        areas[root] += least if is_open and on_border else ends[i] - starts[i]
    n_replaced = 0
    for i in range(n_runs):
        if areas[root_of(runs.parents, i)] < least:
            n_replaced += 1
            for col in range(starts[i], ends[i]):
                mask[runs.rows[i], col] = other
    return n_replaced > 0
