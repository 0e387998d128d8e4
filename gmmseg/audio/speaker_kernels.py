"""Numba kernel: how much likelier frames are from each speaker's mixture than from the background.

A speaker's mixture is the background's, adapted: where a frame lies far from a Gaussian of the
background it lies far from the speaker's, so that the few best of the background are enough.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmseg.core.kernel_types import FASTMATH

DOUBT = 0.001  # share of frames that may come from another voice, so that a frame says 6.9 at most


class Gaussians(NamedTuple):
    """Components of mixtures: (n_mixtures, n_components[, n_features])."""

    log_norms: NDArray[np.float64]  # log of the weight and of the density at the mean
    means: NDArray[np.float64]
    precisions: NDArray[np.float64]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_prob_of(x, log_norm, mean, precision):
    """Return ``log(weight) + log N(x; mean, 1 / precision)``."""
    distance = 0.0
    for d in range(len(x)):
        dev = x[d] - mean[d]
        distance += dev * dev * precision[d]
    return log_norm - 0.5 * distance


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def find_best(values, best):
    """Fill ``best`` with the indices of the largest values; each entry of `values` may be lost."""
    for i in range(len(best)):
        peak = 0
        for k in range(1, len(values)):
            if values[k] > values[peak]:
                peak = k
        best[i] = peak
        values[peak] = -math.inf


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_density_of(x, speaker, best, mixture):
    """Return ``log sum_k weight_k N(x; k)`` over the components ``best`` of one mixture."""
    peak = -math.inf
    total = 0.0
    for i in range(len(best)):
        k = best[i]
        value = log_prob_of(
            x,
            mixture.log_norms[speaker, k],
            mixture.means[speaker, k],
            mixture.precisions[speaker, k],
        )
        if value > peak:
            total = total * math.exp(peak - value) + 1.0
            peak = value
        elif value > -math.inf:
            total += math.exp(value - peak)
    return peak + math.log(total)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def bounded(ratio):
    """Return the ratio where a share of frames, `DOUBT`, comes from the respective other mixture.

    So a frame far from all mixtures, of which their tails know nothing, says little.
    """
    odds = math.exp(-abs(ratio))
    size = math.log((1.0 - DOUBT + DOUBT * odds) / (DOUBT + (1.0 - DOUBT) * odds))
    return size if ratio > 0.0 else -size


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_log_ratios(X, background, speakers, best, out):
    """Add to ``out[s]`` the log-likelihood ratio of all frames, over the best of the background."""
    values = np.empty(background.means.shape[1])
    for n in range(X.shape[0]):
        for k in range(len(values)):
            values[k] = log_prob_of(
                X[n],
                background.log_norms[0, k],
                background.means[0, k],
                background.precisions[0, k],
            )
        find_best(values, best)
        reference = log_density_of(X[n], 0, best, background)
        for s in range(speakers.means.shape[0]):
            out[s] += bounded(log_density_of(X[n], s, best, speakers) - reference)
