"""How far one Gaussian lies from others, and what merging it with each of them would cost."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance import spelled_out_family
from gmmseg.core.covariance_base import diagonals
from gmmseg.core.parameters import MixtureParameters

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

LARGEST_DISTANCE = 1e140  # in standard deviations: its square can be added up
LARGEST_DEVIATION = 1e151  # in units of the features: its square is finite


class Gaussians(NamedTuple):
    """Weighted Gaussians: means (n, d); covariances and their precision factors (n, d[, d])."""

    weights: Array
    means: Array
    covariances: Array
    factors: Array

    @classmethod
    def of(cls, parameters: MixtureParameters) -> "Gaussians":
        """Return the components of a mixture, in arrays that may be changed."""
        return cls(
            parameters.weights.copy(),
            parameters.means.copy(),
            parameters.component_covariances.copy(),
            parameters.component_factors.copy(),
        )

    def deviations(self, k: int, others: Indices) -> Array:
        """Return the means of the others minus that of Gaussian k, (n_others, d)."""
        return np.clip(self.means[others] - self.means[k], -LARGEST_DEVIATION, LARGEST_DEVIATION)


Measure = Callable[[Gaussians, int, Indices], Array]


def bhattacharyya(gaussians: Gaussians, k: int, others: Indices) -> Array:
    """Return the Bhattacharyya distance of Gaussian k to the others, (n_others,).

    ``-log(integral of sqrt(p_k p_j))``, which is ``(m_k - m_j)' S^-1 (m_k - m_j) / 8 +
    log(|S| / sqrt(|S_k| |S_j|)) / 2`` with ``S = (S_k + S_j) / 2`` (Bhattacharyya 1943; for
    Gaussians Fukunaga 1990, equation 3.152).
    """
    growth, squares = _blend(gaussians, k, others, np.full(len(others), 0.5))
    return np.maximum(0.125 * squares.sum(axis=1) + 0.5 * growth, 0.0)


def symmetric_kl(gaussians: Gaussians, k: int, others: Indices) -> Array:
    """Return the divergence of Gaussian k from the others plus that back, (n_others,), in nats.

    ``KL(p_k, p_j) + KL(p_j, p_k)`` (Kullback, Leibler 1951), which is
    ``(tr(S_j^-1 S_k) + tr(S_k^-1 S_j)) / 2 - d + (m_k - m_j)' (S_k^-1 + S_j^-1) (m_k - m_j) / 2``.
    """
    dev = gaussians.deviations(k, others)
    mine, theirs = gaussians.covariances[[k]], gaussians.covariances[others]
    my_factor, their_factors = gaussians.factors[[k]], gaussians.factors[others]
    traces = _trace(mine, their_factors) + _trace(theirs, my_factor) - 2.0 * dev.shape[1]
    squares = _squares(dev, my_factor) + _squares(dev, their_factors)
    return np.maximum(0.5 * (traces + squares.sum(axis=1)), 0.0)


def merge_cost(gaussians: Gaussians, k: int, others: Indices) -> Array:
    """Return what merging Gaussian k with each of the others costs at most, (n_others,).

    The mixture before diverges from the mixture after by no more nats per sample than
    ``((w_k + w_j) log|S| - w_k log|S_k| - w_j log|S_j|) / 2`` (Runnalls 2007, equation 21), where
    S holds the covariance, or the variances, of both together. Where a weight is 0 the cost is 0.
    """
    weight, their_weights = gaussians.weights[k], gaussians.weights[others]
    total = weight + their_weights
    share = weight / np.where(total > 0.0, total, 1.0)
    growth, squares = _blend(gaussians, k, others, share)
    squares = (share * (1.0 - share))[:, None] * squares
    # The determinant of a matrix plus an outer product: no digits are lost however far the means.
    if gaussians.covariances.ndim == 3:
        growth += np.log1p(squares.sum(axis=1))
    else:
        growth += np.log1p(squares).sum(axis=1)
    is_free = (weight == 0.0) | (their_weights == 0.0)
    return np.where(is_free, 0.0, np.maximum(0.5 * total * growth, 0.0))


def precision_factors(covariances: Array) -> Array:
    """Return U with ``inverse(covariance) = U @ U.T``, for matrices or for variances, (n, d)."""
    return spelled_out_family(covariances).precision_factors(covariances)


def pairwise(measure: Measure, gaussians: Gaussians) -> Array:
    """Return a symmetric measure of all pairs, (n, n), with zeros on the diagonal."""
    n = len(gaussians.means)
    matrix = np.zeros((n, n))
    for k in range(n - 1):
        others = np.arange(k + 1, n)
        matrix[k, others] = matrix[others, k] = measure(gaussians, k, others)
    return matrix


def _blend(gaussians: Gaussians, k: int, others: Indices, share: Array) -> tuple[Array, Array]:
    """Compare two Gaussians with ``S = share S_k + (1 - share) S_j``.

    Returns ``log|S| - share log|S_k| - (1 - share) log|S_j|``, (n_others,), and the terms that sum
    up to ``(m_k - m_j)' S^-1 (m_k - m_j)``, (n_others, d).
    """
    covariances, part = gaussians.covariances, share[:, None]
    spread = part[..., None] if covariances.ndim == 3 else part
    factors = precision_factors(spread * covariances[k] + (1.0 - spread) * covariances[others])
    mine, theirs = _logs(gaussians.factors[[k]]), _logs(gaussians.factors[others])
    logs = part * mine + (1.0 - part) * theirs - _logs(factors)
    return 2.0 * logs.sum(axis=1), _squares(gaussians.deviations(k, others), factors)


def _logs(factors: Array) -> Array:
    """Return numbers that sum up to ``log|U|``, (n, d)."""
    return np.log(diagonals(factors))


def _squares(dev: Array, factors: Array) -> Array:
    """Return numbers that sum up to ``dev' U U' dev``, (n, d)."""
    scaled = (dev[:, None, :] @ factors)[:, 0, :] if factors.ndim == 3 else dev * factors
    return np.clip(scaled, -LARGEST_DISTANCE, LARGEST_DISTANCE) ** 2


def _trace(covariances: Array, factors: Array) -> Array:
    """Return ``tr(U' S U)``, (n,): one covariance against n factors, or n against one."""
    if covariances.ndim == 2:
        ratio = np.minimum(np.sqrt(covariances) * factors, LARGEST_DISTANCE)
        return (ratio**2).sum(axis=1)
    scale = np.sqrt(diagonals(covariances))[:, :, None]
    ratio = np.clip(scale * factors, -LARGEST_DISTANCE, LARGEST_DISTANCE)
    correlations = covariances / scale / np.swapaxes(scale, 1, 2)
    return (ratio * (correlations @ ratio)).sum(axis=(1, 2))
