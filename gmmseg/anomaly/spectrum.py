"""Spectrum: the principal axes of the correlations, in which every shrinkage is a formula.

A covariance shrunk towards its own diagonal is a correlation matrix shrunk towards the identity:
``(1 - a) R + a I`` has the axes of R, and eigenvalues ``(1 - a) e + a``. So one decomposition
serves all shrinkages that are tried, and the choice by held-out likelihood costs next to nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.folds import cross_fitted
from gmmseg.anomaly.moments import Moments

Array = NDArray[np.float64]

SHRINKAGES = (0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Shares of the diagonal that are tried."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Hold mean, deviations and the eigenvalues and axes of the correlations.

    Parameters
    ----------
    mean, deviation : ndarray of shape (n_features,)
        Centre and standard deviation of each feature.
    values : ndarray of shape (n_features,)
        Eigenvalues of the correlations, from the largest.
    axes : ndarray of shape (n_features, n_features)
        Their eigenvectors, one a column.
    """

    mean: Array
    deviation: Array
    values: Array
    axes: Array

    @classmethod
    def of_moments(cls, moments: Moments) -> "Spectrum":
        """Return the decomposition of what the moments say."""
        values, axes = np.linalg.eigh(moments.correlation)
        values = np.maximum(values[::-1], 0.0)
        return cls(moments.mean, moments.deviation, values, np.ascontiguousarray(axes[:, ::-1]))

    def coordinates(self, X: Array) -> Array:
        """Return samples along the axes, in standard deviations of the features."""
        return ((X - self.mean) / self.deviation) @ self.axes

    def shrunk(self, shrinkage: float) -> Array:
        """Return the eigenvalues of ``(1 - shrinkage) R + shrinkage I``."""
        return (1.0 - shrinkage) * self.values + shrinkage

    def whitened(self, X: Array, shrinkage: float) -> Array:
        """Return samples as uncorrelated features of variance 1, each as near to its own as can be.

        ``z = R^(-1/2) (x - mean) / deviation`` (Kessy, Lewin, Strimmer 2018, "Optimal whitening and
        decorrelation", ZCA-cor). Its squares sum to the squared Mahalanobis distance.
        """
        scaled = self.coordinates(X) / np.sqrt(self.shrunk(shrinkage))
        return scaled @ self.axes.T


def best_shrinkage(X: Array, prior_variance: Array) -> tuple[float, Array]:
    """Return the shrinkage that makes left-out samples likeliest, and their squared distances.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Normal samples.
    prior_variance : ndarray of shape (n_features,)
        As in `Moments`.

    Returns
    -------
    shrinkage : float
        The best of `SHRINKAGES`.
    distances : ndarray of shape (n_samples,)
        Squared Mahalanobis distance of every sample from the others.
    """

    def score(rest: Array, left_out: Array) -> Array:
        spectrum = Spectrum.of_moments(Moments.of_samples(rest, prior_variance))
        squares = spectrum.coordinates(left_out) ** 2
        values = np.stack([spectrum.shrunk(shrinkage) for shrinkage in SHRINKAGES], axis=1)
        distances = squares @ (1.0 / values)
        log_det = np.log(values).sum(axis=0) + 2.0 * np.log(spectrum.deviation).sum()
        return np.stack([distances, -0.5 * (distances + log_det)], axis=1)

    found = cross_fitted(X, score)
    best = int(found[:, 1].sum(axis=0).argmax())
    return SHRINKAGES[best], found[:, 0, best]
