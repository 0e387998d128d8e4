"""Moments: count, mean and covariance of normal samples, with a prior for when they are few."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.statistics import SufficientStatistics

Array = NDArray[np.float64]

PRIOR_COUNT = 1.0
"""Number of samples that the prior over the variances counts as."""
RESOLUTION = 1e-6
"""Smallest deviation that is more than rounding, relative to the mean of a feature."""
SMALLEST = 1e-200
"""Variance that counts as none."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Hold what a Gaussian knows of its samples.

    Parameters
    ----------
    count : float
        Total weight of the samples.
    mean : ndarray of shape (n_features,)
        Their mean.
    scatter : ndarray of shape (n_features, n_features)
        Their mean squared deviation from it.
    prior_variance : ndarray of shape (n_features,)
        Variance of each feature as far as it is known beforehand, above 0.
    """

    count: float
    mean: Array
    scatter: Array
    prior_variance: Array

    @classmethod
    def of_statistics(cls, statistics: SufficientStatistics, prior_variance: Array) -> "Moments":
        """Return the moments of the samples of a single full Gaussian's statistics."""
        mean, scatter = statistics.new_means()[0], statistics.new_scatter()[0]
        return cls(float(statistics.resp_sum[0]), mean, scatter, prior_variance)

    @classmethod
    def of_samples(cls, X: Array, prior_variance: Array) -> "Moments":
        """Return the moments of samples that count once each."""
        return cls.of_statistics(statistics_about(X, X.mean(axis=0)), prior_variance)

    def with_samples(self, X: Array, weight: float = 1.0) -> "Moments":
        """Return the moments with further samples that count ``weight`` each."""
        n_features = len(self.mean)
        seen = SufficientStatistics(
            means=self.mean[np.newaxis],
            resp_sum=np.array([self.count]),
            dev_sum=np.zeros((1, n_features)),
            dev2_sum=self.count * self.scatter[np.newaxis],
            log_likelihood=0.0,
        )
        both = seen + statistics_about(X, self.mean).scale(weight)
        return Moments.of_statistics(both, self.prior_variance)

    @property
    def deviation(self) -> Array:
        """Standard deviation of each feature, that of the prior counted in."""
        variance = np.maximum(np.diagonal(self.scatter), 0.0)
        blend = self.count * variance + PRIOR_COUNT * self.prior_variance
        return np.sqrt(blend / (self.count + PRIOR_COUNT))

    @property
    def correlation(self) -> Array:
        """Scatter in units of `deviation`, its diagonal 1."""
        deviation = self.deviation
        correlation: Array = self.scatter / deviation / deviation[:, np.newaxis]
        np.fill_diagonal(correlation, 1.0)
        return correlation


def statistics_about(X: Array, center: Array) -> SufficientStatistics:
    """Return the statistics of samples under one full Gaussian at ``center``."""
    dev = X - center
    return SufficientStatistics(
        means=center[np.newaxis],
        resp_sum=np.array([float(len(X))]),
        dev_sum=dev.sum(axis=0)[np.newaxis],
        dev2_sum=(dev.T @ dev)[np.newaxis],
        log_likelihood=0.0,
    )


def variance_of(X: Array) -> Array:
    """Return the variance of each feature, and what is to be expected of one that never varies.

    That is the mean variance of the others, or its own square where that is less; where nothing
    varies, its own magnitude to rounding, and 1 where that is 0.
    """
    mean = X.mean(axis=0)
    variance: Array = ((X - mean) ** 2).mean(axis=0)
    rounding = (RESOLUTION * mean) ** 2
    is_constant = variance <= np.maximum(1e-6 * rounding, SMALLEST)
    if is_constant.all():
        return np.where(rounding > SMALLEST, rounding, 1.0)
    usual = variance[~is_constant].mean()
    own = np.where(mean**2 > SMALLEST, np.minimum(mean**2, usual), usual)
    return np.where(is_constant, np.maximum(own, rounding), variance)
