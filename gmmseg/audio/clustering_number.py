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

THRESHOLD = -1.5  # logarithm of the likelihood ratio from which on two clusters are one voice
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
    sights = independent_sights(weights)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        sums = weights[members] @ embeddings[members]
        for i in members if len(members) > 1 else ():
            rest = weights[members].sum() - weights[i]
            others = (sums - weights[i] * embeddings[i]) / rest
            scores[i] = log_likelihood_ratios(
                others[np.newaxis],
                embeddings[[i]],
                plda,
                n_enrolled=independent_sights(rest),
                n_tested=sights[i],
            )[0, 0]
    return int(scores.argmin())
