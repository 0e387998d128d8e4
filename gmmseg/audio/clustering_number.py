"""Clustering to a number of speakers that is known, or known within limits.

Where windows do not tell so many speakers apart, halving the one who speaks most would be right for
hardly anyone. Whoever is known to be there without being heard gets the window that fits least.
"""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.clustering import independent_sights
from gmmseg.audio.clustering_blocks import cluster_windows
from gmmseg.audio.plda import PLDA, log_likelihood_ratios

Array = NDArray[np.float64]
Index = NDArray[np.intp]

THRESHOLD = -1.0  # logarithm of the likelihood ratio from which on two clusters are one voice
PATIENCE = 2.0  # by how much it must exceed that where more speakers are known to be there


def cluster_speakers(
    embeddings: Array, weights: Array, plda: PLDA, *, least: int = 1, most: int | None = None
) -> Index:
    """Return the speaker of each window.

    Parameters
    ----------
    embeddings : ndarray of shape (n_windows, n_dims)
        Windows in order of time, in the space of the PLDA.
    weights : ndarray of shape (n_windows,)
        How much each window counts, above 0.
    plda : PLDA
        What tells voices apart.
    least, most : int
        Smallest and largest number of speakers; without the largest if None.

    Returns
    -------
    labels : ndarray of int of shape (n_windows,)
        Speakers, numbered from 0; at least `least` of them, or as many as there are windows.
    """
    labels = cluster_windows(embeddings, weights, plda, threshold=THRESHOLD, most=most)
    if labels.max() + 1 >= least:
        return labels
    strict = THRESHOLD + PATIENCE
    labels = cluster_windows(embeddings, weights, plda, threshold=strict, most=least)
    while labels.max() + 1 < min(least, len(labels)):
        labels[odd_one_out(embeddings, weights, labels, plda)] = labels.max() + 1
    return labels


def odd_one_out(embeddings: Array, weights: Array, labels: Index, plda: PLDA) -> int:
    """Return the window that is least likely to be the voice of the others of its cluster."""
    scores = np.full(len(labels), np.inf)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) > 1:
            own = weights[members, np.newaxis]
            rest = own.sum() - own
            sums = (own * embeddings[members]).sum(axis=0) - own * embeddings[members]
            scores[members] = _ratios(embeddings[members], own[:, 0], sums / rest, rest[:, 0], plda)
    return int(scores.argmin())


def _ratios(X: Array, own: Array, others: Array, rest: Array, plda: PLDA) -> Array:
    """Return how likely each window is the voice of its own others, as a logarithm of a ratio."""
    pairs = zip(X, independent_sights(own), others, independent_sights(rest), strict=True)
    return np.array(
        [
            log_likelihood_ratios(y[np.newaxis], x[np.newaxis], plda, n_enrolled=m, n_tested=n)[0, 0]
            for x, n, y, m in pairs
        ]
    )
