"""Missing entries (NaN) in the search of a start: distances and groups of what there is."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.kernel_distances import fill_distances

Array = NDArray[np.float64]
Labels = NDArray[np.intp]


def squared_distances(X: Array, centers: Array) -> Array:
    """Return the squared distance of each sample from each center, (n_centers, n_samples).

    Of missing entries those of the others are taken to speak.
    """
    distances = np.empty((len(centers), len(X)))
    fill_distances(X, centers, distances)
    return distances


def observed_mean(X: Array, weight: Array) -> Array:
    """Return the mean of the entries that are there, (n_features,); 0 where there are none."""
    is_missing = np.isnan(X)
    if not is_missing.any():
        mean: Array = np.average(X, axis=0, weights=weight)
        return mean
    mass = weight @ ~is_missing
    return weight @ np.where(is_missing, 0.0, X) / np.where(mass > 0.0, mass, 1.0)


def filled_by_group(
    X: Array, weight: Array, labels: Labels, n_components: int
) -> tuple[Array, Array]:
    """Return X with missing entries at the mean of their group, and the spread that this hides.

    The spread, (n_components, n_features), is the variance of the group times the weight of the
    entries that it lacks. A group that lacks all takes the mean and variance of all samples; a
    feature that all samples lack is 0, and as wide as the others on average.
    """
    is_missing = np.isnan(X)
    mean = observed_mean(X, weight)
    variance = observed_mean((X - mean) ** 2, weight)
    is_seen = ~is_missing.all(axis=0)
    variance[~is_seen] = variance[is_seen].mean() if is_seen.any() else 1.0
    filled, spread = X.copy(), np.zeros((n_components, X.shape[1]))
    for k in np.unique(labels):
        mine = np.flatnonzero(labels == k)
        is_known = ~is_missing[mine].all(axis=0)
        group, its_weight = X[mine], weight[mine]
        group_mean = np.where(is_known, observed_mean(group, its_weight), mean)
        within = observed_mean((group - group_mean) ** 2, its_weight)
        lacking = its_weight @ is_missing[mine]
        spread[k] = lacking * np.where(is_known, within, variance)
        filled[mine] = np.where(is_missing[mine], group_mean, group)
    return filled, spread
