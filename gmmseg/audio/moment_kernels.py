"""A Numba kernel for means and spreads of the columns of a table around every row."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def moving_moments(table, first, before, after, least, means, spreads):
    """Fill mean and standard deviation of each column over the rows ``t - before … t + after``.

    Row ``i`` of the results is that of ``t = first + i``. Beyond both ends of the table the
    outermost rows go on. ``least`` is added to the variance. Without rows in ``spreads`` only means
    are made.
    """
    n_rows, n_columns = table.shape
    share = 1.0 / (before + after + 1)
    sums, squares = np.zeros(n_columns), np.zeros(n_columns)
    for i in range(first - before, first + after + 1):
        row = min(max(i, 0), n_rows - 1)
        for c in range(n_columns):
            sums[c] += table[row, c]
            squares[c] += np.float64(table[row, c]) * table[row, c]
    for i in range(len(means)):
        t = first + i
        for c in range(n_columns):
            means[i, c] = share * sums[c]
        if len(spreads) > 0:
            for c in range(n_columns):
                mean = share * sums[c]
                variance = max(share * squares[c] - mean * mean, 0.0)
                spreads[i, c] = np.sqrt(variance + least)
        comes, goes = min(t + after + 1, n_rows - 1), max(t - before, 0)
        for c in range(n_columns):
            new, old = np.float64(table[comes, c]), np.float64(table[goes, c])
            sums[c] += new - old
            squares[c] += new * new - old * old
