"""Where a start among noise is searched: on the samples that lie densely."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gmmseg.core.missing_start import observed_mean

N_NEIGHBOURS = 10
REFERENCES = 2_000  # samples among which neighbours are looked for
LEAST_KEPT = 0.1  # share of the weight; with less left, nothing is told apart

Array = NDArray[np.float64]


def dense_samples(X: Array, sample_weight: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the samples, and their weights, that lie more densely than if all were noise.

    The density at a sample is estimated by the distance of its tenth neighbour, and that of noise
    is even in the box around all samples. A missing entry is taken at the mean of its feature.

    References
    ----------
    Byers, Raftery (1998), "Nearest-neighbor clutter removal for estimating features in spatial
    point processes", DOI 10.1080/01621459.1998.10473711.
    """
    filled = np.where(np.isnan(X), observed_mean(X, sample_weight), X)
    width = np.ptp(filled, axis=0)
    varying = np.flatnonzero(width)
    n_neighbours = min(N_NEIGHBOURS, len(X) - 1)
    if n_neighbours < 1 or len(varying) == 0:
        return X, sample_weight
    unit = (filled - filled.min(axis=0))[:, varying] / width[varying]
    drawn = rng.permutation(len(X))[:REFERENCES]
    distance, neighbours = KDTree(unit[drawn]).query(unit, n_neighbours + 1)
    share = sample_weight[drawn] / sample_weight[drawn].sum()
    # In logarithms, as the volume of a ball in many features is no number.
    with np.errstate(divide="ignore"):
        log_mass = np.log(share[neighbours].sum(axis=1))
        log_density = log_mass - _log_ball(distance[:, -1], len(varying))
    is_dense = log_density > 0.0  # which is that of noise in a box of volume 1
    if sample_weight[is_dense].sum() < LEAST_KEPT * sample_weight.sum():
        return X, sample_weight
    return X[is_dense], sample_weight[is_dense]


def _log_ball(radius: Array, n_features: int) -> Array:
    """Return the logarithm of the volume of balls, (n_balls,)."""
    unit = 0.5 * n_features * math.log(math.pi) - math.lgamma(0.5 * n_features + 1.0)
    return unit + n_features * np.log(radius)
