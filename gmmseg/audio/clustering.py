"""Agglomerative clustering: the two most likely to be one voice become one, until none is likely.

How likely is told by a PLDA, from the means of two clusters and from how much is in them. Windows
of one voice do not vary independently: speech goes through moods, heads turn. So the evidence of a
cluster grows more slowly than its duration.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.plda import PLDA, log_likelihood_ratios

Array = NDArray[np.float64]

SIGHTS = 0.4  # independent sights of a voice that one window is worth
GROWTH = 0.4  # power of the number of windows that more of them are worth
MOST_SIGHTS = 3.0  # what one recording shows of a voice, however long it is


def independent_sights(count: ArrayLike) -> Array:
    """Return how many independent embeddings so many windows are worth.

    ``min(SIGHTS * count ** GROWTH, MOST_SIGHTS)``: the variance of the mean of what varies slowly
    falls with a power below 1 of its duration, and does not vanish. Without an end to that, hours
    would make a speaker of every mood.
    """
    return np.minimum(SIGHTS * np.asarray(count, dtype=np.float64) ** GROWTH, MOST_SIGHTS)


def merge_clusters(
    means: Array,
    counts: Array,
    plda: PLDA,
    *,
    threshold: float,
    most: int | None = None,
) -> NDArray[np.intp]:
    """Return the cluster of each embedding, or of each group of them.

    Parameters
    ----------
    means : ndarray of shape (n_groups, n_dims)
        Embeddings in the space of the PLDA, or means of groups of them.
    counts : ndarray of shape (n_groups,)
        Number of windows in each, above 0; fractions are allowed.
    plda : PLDA
        What tells voices apart.
    threshold : float
        Logarithm of the likelihood ratio from which on two are one.
    most : int, optional
        Largest number of clusters; as many as there are if None.

    Returns
    -------
    labels : ndarray of int of shape (n_groups,)
        Numbers from 0, in the order of the first group of each.

    References
    ----------
    Chen, Gopalakrishnan (1998), "Speaker, environment and channel change detection and clustering
    via the Bayesian information criterion", section 4; with the ratio of a PLDA.
    """
    means, counts = means.copy(), counts.astype(np.float64)
    n_groups = len(means)
    labels = np.arange(n_groups)
    is_left = np.ones(n_groups, dtype=np.bool_)
    ratios = np.stack([_ratios_to(i, means, counts, plda) for i in range(n_groups)])
    np.fill_diagonal(ratios, -np.inf)
    partners = ratios.argmax(axis=1)
    best = ratios[np.arange(n_groups), partners]
    for n_left in range(n_groups, 1, -1):
        i = int(best.argmax())
        j = int(partners[i])
        if best[i] < threshold and (most is None or n_left <= most):
            break
        i, j = min(i, j), max(i, j)
        means[i] = (counts[i] * means[i] + counts[j] * means[j]) / (counts[i] + counts[j])
        counts[i] += counts[j]
        labels[labels == j] = i
        is_left[j] = False
        ratios[j] = ratios[:, j] = -np.inf
        row = np.where(is_left, _ratios_to(i, means, counts, plda), -np.inf)
        row[i] = -np.inf
        ratios[i] = ratios[:, i] = row
        is_stale = (partners == i) | (partners == j) | (row > best)
        is_stale[i] = is_stale[j] = True
        partners[is_stale] = ratios[is_stale].argmax(axis=1)
        best[is_stale] = ratios[is_stale, partners[is_stale]]
    return np.unique(labels, return_inverse=True)[1]


def _ratios_to(i: int, means: Array, counts: Array, plda: PLDA) -> Array:
    """Return how likely group i is one voice with each, as a logarithm of a ratio."""
    sights = independent_sights(counts)
    return log_likelihood_ratios(means[[i]], means, plda, n_enrolled=sights[[i]], n_tested=sights)[
        0
    ]
