"""Numba kernel of the bilateral filter: averages over neighbours that look alike.

Cells lie in one row: those of line after line, with a margin all around, so that a step to a
neighbour is a number of cells and leads nowhere else. Cells of the margin are never in use.
"""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import AS_WRITTEN

BLOCK = 512  # cells that are worked on at once: their scratch fits the first-level cache


@njit(cache=True, nogil=True, fastmath=AS_WRITTEN, error_model="numpy")
def average_cells(values, use, steps, nearness, strictness, cells, out):
    """Set ``out[:, i]`` to ``x_i + sum_j w_ij (x_j - x_i) / (1 + sum_j w_ij)`` in a range of cells.

    ``w_ij = nearness_j use_j max(0, 1 - strictness |x_i - x_j|^2)^2``. ``values`` and ``out`` are
    (n_features, n_cells), ``use`` is (n_cells,); ``steps`` and ``nearness`` are (n_pairs, 2) for
    two neighbours at a time.
    """
    n_features = len(values)
    one, other = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    total = np.empty(BLOCK, np.float32)
    change = np.empty((n_features, BLOCK), np.float32)
    for first in range(cells[0], cells[1], BLOCK):
        size = min(BLOCK, cells[1] - first)
        total[:] = np.float32(1.0)
        change[:] = np.float32(0.0)
        for pair in range(len(steps)):
            at_one, at_other = first + steps[pair, 0], first + steps[pair, 1]
            weigh(values, use, first, at_one, size, nearness[pair, 0], strictness, one)
            weigh(values, use, first, at_other, size, nearness[pair, 1], strictness, other)
            for i in range(size):
                total[i] += one[i] + other[i]
            for c in range(n_features):
                here, result = values[c, first : first + size], change[c]
                a = values[c, at_one : at_one + size]
                b = values[c, at_other : at_other + size]
                for i in range(size):
                    result[i] += one[i] * (a[i] - here[i]) + other[i] * (b[i] - here[i])
        for c in range(n_features):
            here, result = values[c, first : first + size], out[c, first : first + size]
            for i in range(size):
                result[i] = here[i] + change[c, i] / total[i]


@njit(cache=True, nogil=True, fastmath=AS_WRITTEN, error_model="numpy")
def weigh(values, use, first, beside, size, nearness, strictness, weight):
    """Set ``weight[i]`` to how much the cell ``beside + i`` counts for ``first + i``."""
    weight[:] = np.float32(0.0)
    for c in range(len(values)):
        here, there = values[c, first : first + size], values[c, beside : beside + size]
        for i in range(size):
            difference = there[i] - here[i]
            weight[i] += difference * difference
    used = use[beside : beside + size]
    for i in range(size):
        likeness = max(np.float32(0.0), np.float32(1.0) - strictness * weight[i])
        weight[i] = nearness * used[i] * (likeness * likeness)
