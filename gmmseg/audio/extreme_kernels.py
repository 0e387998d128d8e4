"""A Numba kernel for the largest values of the columns of a table around every row."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def moving_maximum(table, first, before, after, out):
    """Fill the largest value of each column in the rows ``t - before … t + after`` of the table.

    Row ``i`` of ``out`` is that of ``t = first + i``. Beyond both ends the outermost rows go on.
    Rows are cut into blocks as long as a window: each window is the end of one and the start of
    the next (van Herk 1992, DOI 10.1016/0167-8655(92)90069-C).
    """
    n_out, n_columns = out.shape
    size, last_row = before + after + 1, len(table) - 1
    best = np.empty(n_columns, dtype=table.dtype)
    for j in range(((n_out - 1) // size + 1) * size - 1, -1, -1):
        row = min(max(first - before + j, 0), last_row)
        if (j + 1) % size == 0:
            best[:] = -np.inf
        for c in range(n_columns):
            best[c] = table[row, c] if table[row, c] > best[c] else best[c]
        if j < n_out:
            for c in range(n_columns):
                out[j, c] = best[c]
    for j in range(n_out + size - 1):
        row = min(max(first - before + j, 0), last_row)
        if j % size == 0:
            best[:] = -np.inf
        for c in range(n_columns):
            best[c] = table[row, c] if table[row, c] > best[c] else best[c]
        if j >= size - 1:
            for c in range(n_columns):
                out[j - size + 1, c] = max(out[j - size + 1, c], best[c])
