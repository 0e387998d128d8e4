"""Supervectors: how far a recording moves the means of a small background mixture."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics

RELEVANCE_FACTOR = 8.0
"""Number of frames that the background counts as, in each component."""

Array = NDArray[np.float64]


def supervector(
    statistics: SufficientStatistics,
    background: MixtureParameters,
    *,
    relevance_factor: float = RELEVANCE_FACTOR,
) -> Array:
    """Return the moves of all means by MAP adaptation, one after the other.

    Parameters
    ----------
    statistics : SufficientStatistics
        Result of `expectation` of the frames with the background mixture.
    background : MixtureParameters
        The mixture, of a family with a variance per feature.
    relevance_factor : float, default=8.0
        Number of frames that the background counts as, in each component.

    Returns
    -------
    vector : ndarray of shape (n_components * n_features,)
        ``sqrt(weight_k) * (new_mean_k - mean_k) / spread_k``: half the squared distance of two
        of them is about the divergence of their mixtures.

    References
    ----------
    Campbell, Sturim, Reynolds (2006), "Support vector machines using GMM supervectors for speaker
    verification", IEEE Signal Processing Letters 13, equation 10.

    Examples
    --------
    >>> from gmmseg.core import expectation
    >>> one = MixtureParameters([1.0], [[0.0]], [[4.0]], covariance_type="diag")
    >>> supervector(expectation([[3.0]] * 8, one), one)
    array([0.75])
    """
    pull = 1.0 / (statistics.resp_sum + relevance_factor)
    moves = statistics.dev_sum * pull[:, None] / np.sqrt(background.component_variances)
    vector: Array = (np.sqrt(background.weights)[:, None] * moves).ravel()
    return vector
