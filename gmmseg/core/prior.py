"""A prior over covariances: what they are taken to be while there are few samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance_base import Floor, diagonals
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CovariancePrior:
    """Count some samples of the spread ``diag(variance)`` to every component.

    This is the inverse Wishart distribution, conjugate to covariances, by its mode: the M-step
    shrinks each scatter towards the prior's, which makes the likelihood times the prior largest.

    Parameters
    ----------
    strength : float
        Number of samples that the prior counts as, in each component.
    variance : ndarray of shape (n_features,)
        Their variances, in squared units of the features.

    References
    ----------
    Fraley, Raftery (2007), "Bayesian regularization for normal mixture estimation and model-based
    clustering", section 4.2.
    """

    strength: float
    variance: Array

    def blend(self, scatter: Array, resp_sum: Array) -> tuple[Array, Array]:
        """Return the mean scatter and the number of samples with those of the prior.

        ``(n S + strength diag(variance)) / (n + strength)`` and ``n + strength``.
        """
        count = resp_sum + self.strength
        own = np.diag(self.variance) if scatter.ndim == 3 else self.variance
        n = resp_sum.reshape((-1,) + (1,) * (scatter.ndim - 1))
        return (n * scatter + self.strength * own) / (n + self.strength), count

    def log_density(self, parameters: MixtureParameters) -> float:
        """Return ``-strength / 2 sum_k (log|S_k| + trace(inverse(S_k) diag(variance)))``."""
        factors = parameters.component_factors
        log_det = -2.0 * np.log(diagonals(factors)).sum()
        deviation = np.sqrt(self.variance)
        trace = ((factors * (deviation[:, None] if factors.ndim == 3 else deviation)) ** 2).sum()
        return -0.5 * self.strength * float(log_det + trace)


def prior_of_data(
    statistics: SufficientStatistics, strength: float, floor: Floor
) -> CovariancePrior:
    """Return a prior as wide as equal parts of the data: their variance over ``K ** (2 / d)``."""
    n_components, n_features = statistics.means.shape
    variance = statistics.total_variance() / n_components ** (2.0 / n_features)
    return CovariancePrior(strength, np.maximum(variance, floor))
