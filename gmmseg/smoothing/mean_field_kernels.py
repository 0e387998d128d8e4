"""Numba kernels of the mean field: one colour of a sweep, its free energy, slopes of the coupling.

Cells lie in one row: those of line after line. A step to a neighbour is then a number of cells, and
a step beyond the end of a line leads to a cell that the weight 0 leaves out.
"""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import AS_WRITTEN, FASTMATH
from gmmseg.core.vectormath import exp_nonpositive

BLOCK = (
    256  # cells of a colour that are worked on at once: their scratch fits the first-level cache
)
CHANGE = np.float32(0.02)  # a cell has changed if a probability did by more
LOWEST = np.float32(-3e38)  # so that a cell that no label can have gives no NaN


@njit(cache=True, nogil=True, fastmath=AS_WRITTEN, error_model="numpy")
def sweep(log_joint, weights, steps, beta, shape, q, colour, lines):
    """Set ``q[k, i]`` of one colour to ``exp(log_joint + beta sum_j w_ij q[k, j])``, normalised.

    ``log_joint`` and ``q`` are (n_labels, n_cells), ``weights`` (n_offsets, n_cells), ``colour``
    (which one, of how many), ``lines`` the range of (plane, row) lines to do. Return how many cells
    changed.
    """
    n_labels, (_, rows, cols) = q.shape[0], shape
    value = np.empty((n_labels, BLOCK), np.float32)
    pair = np.empty(BLOCK, np.float32)
    peak = np.empty(BLOCK, np.float32)
    total = np.empty(BLOCK, np.float32)
    n_changed = 0
    for line in range(lines[0], lines[1]):
        start = first_column(line // rows, line % rows, colour)
        if start < 0:
            continue
        for col in range(start, cols, 2 * BLOCK):
            first = line * cols + col
            size = min(BLOCK, (cols - col + 1) // 2)
            for k in range(n_labels):
                for j in range(size):
                    value[k, j] = 0.0
                for o in range(len(steps)):
                    add_neighbours(weights[o], q[k], steps[o], first, size, pair, value[k])
                for j in range(size):
                    value[k, j] = log_joint[k, first + 2 * j] + beta * value[k, j]
            softmax(value, size, peak, total)
            n_changed += store(value, size, first, total, peak, q)
    return n_changed


@njit(cache=True, nogil=True, fastmath=AS_WRITTEN, error_model="numpy")
def first_column(plane, row, colour):
    """Return the first column of a colour in a line, every second from which is of it; -1 if none.

    Of two colours, neighbours along an axis differ; of eight, all neighbours do.
    """
    which, n_colours = colour
    if n_colours == 2:
        return (plane + row + which) % 2
    is_line = plane % 2 == which // 4 and row % 2 == which // 2 % 2
    return which % 2 if is_line else -1


@njit(cache=True, nogil=True, fastmath=AS_WRITTEN, error_model="numpy")
def add_neighbours(weight, q, step, first, size, pair, out):
    """Add to ``out[j]`` the two neighbours of the cell ``first + 2 j`` along a step, weighted."""
    n_cells = len(q)
    ahead = max(0, min(size, (n_cells - step - first + 1) // 2))  # cells with a neighbour ahead
    behind = min(size, max(0, (step - first + 1) // 2))  # cells with none behind
    for j in range(ahead):
        pair[j] = weight[first + 2 * j] * q[first + 2 * j + step]
    for j in range(ahead, size):
        pair[j] = 0.0
    for j in range(behind, size):
        pair[j] += weight[first + 2 * j - step] * q[first + 2 * j - step]
    for j in range(size):
        out[j] += pair[j]


@njit(cache=True, nogil=True, fastmath=AS_WRITTEN, error_model="numpy")
def softmax(value, size, peak, total):
    """Turn ``value`` into ``exp(value - peak)``, and ``total`` into the inverse of its sum."""
    for j in range(size):
        peak[j] = LOWEST
        total[j] = 0.0
    for k in range(value.shape[0]):
        for j in range(size):
            peak[j] = max(peak[j], value[k, j])
    for k in range(value.shape[0]):
        for j in range(size):
            value[k, j] = exp_nonpositive(value[k, j] - peak[j])
            total[j] += value[k, j]
    for j in range(size):
        total[j] = np.float32(1.0) / total[j] if total[j] > 0.0 else np.float32(0.0)


@njit(cache=True, nogil=True, fastmath=AS_WRITTEN, error_model="numpy")
def store(value, size, first, inverse, change, q):
    """Put ``value * inverse`` into every second cell of ``q`` and count those that changed."""
    for j in range(size):
        change[j] = 0.0
    for k in range(q.shape[0]):
        for j in range(size):
            new = value[k, j] * inverse[j]
            change[j] = max(change[j], abs(new - q[k, first + 2 * j]))
            q[k, first + 2 * j] = new
    n_changed = 0
    for j in range(size):
        n_changed += change[j] > CHANGE
    return n_changed


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def energy(log_joint, weights, steps, coupling, q, cells):
    """Return what the cells of a range add to the free energy, with the pairs ahead of them."""
    n_labels, n_cells = q.shape
    total = 0.0
    for i in range(cells[0], cells[1]):
        for k in range(n_labels):
            share = np.float64(q[k, i])
            if share <= 0.0:
                continue
            total += share * (np.log(share) - log_joint[k, i])
            for o in range(len(steps)):
                if i + steps[o] < n_cells:
                    total -= coupling * weights[o, i] * share * q[k, i + steps[o]]
    return total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def coupling_slope(q, weights, steps, log_weights, coupling, shape, stride):
    """Return the slope of the pseudo-likelihood in the coupling, over cells a stride apart.

    ``sum_ik (q_ik - p_ik) h_ik`` with ``h_ik = sum_j w_ij q_jk`` and p proportional to
    ``exp(log_weights + coupling h)``.
    """
    n_labels, n_cells = q.shape
    planes, rows, cols = shape
    around, prior = np.empty(n_labels), np.empty(n_labels)
    slope = 0.0
    for line in range(planes * rows):
        if line // rows % min(stride, planes) != 0 or line % rows % min(stride, rows) != 0:
            continue
        for i in range(line * cols, (line + 1) * cols, min(stride, cols)):
            peak, total, expected = -np.inf, 0.0, 0.0
            for k in range(n_labels):
                around[k] = 0.0
                for o in range(len(steps)):
                    if i + steps[o] < n_cells:
                        around[k] += weights[o, i] * q[k, i + steps[o]]
                    if i >= steps[o]:
                        around[k] += weights[o, i - steps[o]] * q[k, i - steps[o]]
                prior[k] = log_weights[k] + coupling * around[k]
                peak = max(peak, prior[k])
            for k in range(n_labels):
                prior[k] = np.exp(prior[k] - peak)
                total += prior[k]
                expected += prior[k] * around[k]
            for k in range(n_labels):
                slope += q[k, i] * (around[k] - expected / total)
    return slope
