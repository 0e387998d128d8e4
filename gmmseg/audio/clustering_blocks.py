"""Clustering of long recordings: block by block, and then the clusters of all blocks."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.clustering import merge_clusters
from gmmseg.audio.plda import PLDA

WINDOWS_IN_BLOCK = 1200  # 10 min of speech: the work grows with the square
MOST_IN_BLOCK = 100  # clusters


def cluster_windows(
    embeddings: NDArray[np.float64],
    counts: NDArray[np.float64],
    plda: PLDA,
    *,
    threshold: float,
    most: int | None = None,
    n_in_block: int = WINDOWS_IN_BLOCK,
) -> NDArray[np.intp]:
    """Return the speaker of each window, as `merge_clusters` does of few.

    Parameters
    ----------
    embeddings : ndarray of shape (n_windows, n_dims)
        Windows in order of time, in the space of the PLDA.
    counts : ndarray of shape (n_windows,)
        How much each window counts, above 0.
    plda : PLDA
        What tells voices apart.
    threshold : float
        Logarithm of the likelihood ratio from which on two clusters are one.
    most : int, optional
        Largest number of speakers; as many as there are if None.
    n_in_block : int
        Largest number of windows that are clustered at once.

    Returns
    -------
    labels : ndarray of int of shape (n_windows,)
        Speakers, numbered from 0 by first appearance.
    """
    n_blocks = -(-len(embeddings) // n_in_block)
    if n_blocks <= 1:
        return merge_clusters(embeddings, counts, plda, threshold=threshold, most=most)
    groups = np.zeros(len(embeddings), dtype=np.intp)
    n_groups = 0
    for block in np.array_split(np.arange(len(embeddings)), n_blocks):
        found = merge_clusters(
            embeddings[block],
            counts[block],
            plda,
            threshold=threshold,
            most=MOST_IN_BLOCK,
        )
        groups[block] = found + n_groups
        n_groups += int(found.max()) + 1
    sums = np.bincount(groups, counts).astype(np.float64)
    means = [np.bincount(groups, counts * column) / sums for column in embeddings.T]
    together = merge_clusters(np.stack(means, axis=1), sums, plda, threshold=threshold, most=most)
    return together[groups]
