"""Distances from centers and the sums around them, compiled: what k-means repeats.

Each sample is read once for all centers, since in wide tables memory is what takes the time.
Entries may be missing (NaN).
"""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def squared_distance(X, n, centers, k):
    """Return the squared distance of sample n from center k.

    That of a sample with missing entries is taken over the others and scaled up to all: Dixon
    (1979), "Pattern recognition with partly missing data".
    """
    total = 0.0
    for d in range(X.shape[1]):
        dev = X[n, d] - centers[k, d]
        total += dev * dev
    if not np.isnan(total):
        return total
    total, n_seen = 0.0, 0
    for d in range(X.shape[1]):
        if not np.isnan(X[n, d]):
            dev = X[n, d] - centers[k, d]
            total += dev * dev
            n_seen += 1
    return total / n_seen * X.shape[1]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def fill_distances(X, centers, distances):
    """Fill ``distances[k, n]`` with the squared distance of sample n from center k."""
    for n in range(X.shape[0]):
        for k in range(centers.shape[0]):
            distances[k, n] = squared_distance(X, n, centers, k)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def nearest_to(X, n, centers):
    """Return the center that is nearest to sample n, the first of equals."""
    best, smallest = 0, squared_distance(X, n, centers, 0)
    for k in range(1, centers.shape[0]):
        distance = squared_distance(X, n, centers, k)
        if distance < smallest:
            best, smallest = k, distance
    return best


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def fill_nearest(X, centers, nearest):
    """Fill ``nearest[n]`` with the center that is nearest to sample n, the first of equals."""
    for n in range(X.shape[0]):
        nearest[n] = nearest_to(X, n, centers)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def has_missing(X, n):
    """Return whether sample n has a missing entry."""
    total = 0.0
    for d in range(X.shape[1]):
        total += X[n, d]
    return np.isnan(total)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def gather_nearest(X, sample_weight, centers, nearest, mass, sums):
    """Fill ``nearest`` and add the samples to the sums of the center that is nearest to each.

    Weights are added to ``mass[k, d]`` and weighted entries to ``sums[k, d]``.
    """
    whole = np.zeros(centers.shape[0])  # weight of samples without a missing entry
    for n in range(X.shape[0]):
        k, weight = nearest_to(X, n, centers), sample_weight[n]
        nearest[n] = k
        if not has_missing(X, n):
            whole[k] += weight
            for d in range(X.shape[1]):
                sums[k, d] += weight * X[n, d]
            continue
        for d in range(X.shape[1]):
            if not np.isnan(X[n, d]):
                mass[k, d] += weight
                sums[k, d] += weight * X[n, d]
    for k in range(centers.shape[0]):
        for d in range(X.shape[1]):
            mass[k, d] += whole[k]
