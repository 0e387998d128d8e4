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
    links, states = chain.best, chain.states
    starts, others, logs = links.starts, links.others, links.logs
    log_give, log_take = links.log_give, links.log_take
    before = np.empty_like(best)
    offset = 0.0
    for t in range(len(log_density)):
        peak = -np.inf
        for c in range(len(best)):
            before[c] = best[c] + log_density[t, states[c]]
            peak = max(peak, before[c])
        if peak == -np.inf:
            return offset, t
        offset += peak
        for c in range(len(best)):
            before[c] -= peak
            best[c] = before[c]
        if t < len(log_density) - 1:
            giver, common = best_giver(before, log_give)
            for j in range(len(best)):
                where, value = giver, common + log_take[j] if len(log_take) > 0 else -np.inf
                for link in range(starts[j], starts[j + 1]):
                    found = before[others[link]] + logs[link]
                    if found > value:
                        where, value = others[link], found
                best[j] = value
                if columns[j] >= 0:
                    pointers[t, columns[j]] = where
    return offset, len(log_density)


@njit(inline="always", cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def best_giver(before, log_give):
    """Return who gives most to the common part, and how much; (0, -inf) if there is none."""
    giver, common = 0, -np.inf
    for i in range(len(log_give)):
        if before[i] + log_give[i] > common:
            giver, common = i, before[i] + log_give[i]
    return giver, common


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def trace_back(pointers, chain, columns, last, path):
    """Fill ``path[t]`` with the states of the best path that ends in the copy ``last``."""
    links, copy = chain.best, last
    for t in range(len(path) - 1, -1, -1):
        path[t] = chain.states[copy]
        if t > 0:
            column = columns[copy]
            copy = pointers[t - 1, column] if column >= 0 else links.others[links.starts[copy]]
