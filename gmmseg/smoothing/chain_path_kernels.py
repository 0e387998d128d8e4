"""Numba kernels of the chain's best path: forward over logarithms, and back along pointers."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def run_best(log_density, chain, columns, best, pointers):
    """Fill ``pointers[t, columns[j]]`` with where the best path that is in j after t + 1 was at t.

    Those that have one way in alone (column -1) need no pointer. ``best`` starts as the logarithm
    of the start and ends as that of the best paths, its largest being 0. Return the logarithm of
    what was divided by, and the number of frames done.
    """
    before = np.empty_like(best)
    offset = 0.0
    for t in range(len(log_density)):
        peak = add_evidence(log_density, t, chain.states, best)
        if peak == -np.inf:
            return offset, t
        offset += peak
        if t < len(log_density) - 1:
            for c in range(len(best)):
                before[c] = best[c]
            choose(before, chain.best, columns, pointers, t, best)
    return offset, len(log_density)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_evidence(log_density, t, states, values):
    """Add the densities of frame t to ``values``, take the largest sum from all, return it."""
    peak = -np.inf
    for c in range(len(values)):
        values[c] += log_density[t, states[c]]
        peak = max(peak, values[c])
    if peak > -np.inf:
        for c in range(len(values)):
            values[c] -= peak
    return peak


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def choose(before, links, columns, pointers, t, best):
    """Fill ``best[j]`` with the largest that leads into j, and its pointer with where it is."""
    giver, common = 0, -np.inf
    for i in range(len(links.give)):
        if before[i] + links.log_give[i] > common:
            giver, common = i, before[i] + links.log_give[i]
    for j in range(len(best)):
        where, value = giver, -np.inf
        if len(links.give) > 0:
            value = common + links.log_take[j]
        for link in range(links.starts[j], links.starts[j + 1]):
            found = before[links.others[link]] + links.logs[link]
            if found > value:
                where, value = links.others[link], found
        best[j] = value
        if columns[j] >= 0:
            pointers[t, columns[j]] = where


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def trace_back(pointers, chain, columns, last, path):
    """Fill ``path[t]`` with the states of the best path that ends in the copy ``last``."""
    links, copy = chain.best, last
    for t in range(len(path) - 1, -1, -1):
        path[t] = chain.states[copy]
        if t > 0:
            column = columns[copy]
            copy = pointers[t - 1, column] if column >= 0 else links.others[links.starts[copy]]
