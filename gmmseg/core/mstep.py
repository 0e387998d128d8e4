"""The M-step: from statistics to the parameters of largest likelihood."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from gmmseg.core.covariance_base import Array, Floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.prior import CovariancePrior
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

# The smallest variance there is: float32 can still hold its inverse standard deviation.
SMALLEST_VARIANCE = 1e-60
ROUNDING = 64.0  # times the precision of a number: what sums of equal ones may be off


def maximization(
    statistics: SufficientStatistics,
    parameters: MixtureParameters,
    *,
    covariance_floor: float = 1e-6,
) -> MixtureParameters:
    """Return the mixture of largest likelihood for these statistics (the M-step of EM).

    A floor is put under the variances (the eigenvalues of covariances that are matrices). Unlike a
    ridge added to the diagonal, clipping is the exact constrained optimum, so the likelihood never
    falls.

    Parameters
    ----------
    statistics : SufficientStatistics
        Result of `expectation` with the same ``parameters``.
    parameters : MixtureParameters
        The mixture of the E-step. A component without samples keeps its mean and covariance.
    covariance_floor : float, default=1e-6
        Smallest variance, as a fraction of that of all data in the same feature.

    Returns
    -------
    parameters : MixtureParameters
        The new mixture, of the same family.

    Raises
    ------
    InputError
        If the statistics hold no sample or belong to another kind of mixture, or the floor is
        negative.

    References
    ----------
    Dempster, Laird, Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm";
    for mixtures Bishop (2006), "Pattern recognition and machine learning", equations 9.24 to 9.27.

    Examples
    --------
    >>> from gmmseg.core import expectation
    >>> standard = MixtureParameters([1.0], [[0.0]], [[1.0]], covariance_type="diag")
    >>> fitted = maximization(expectation([[1.0], [3.0]], standard), standard)
    >>> fitted.means, fitted.covariances
    (array([[2.]]), array([[1.]]))
    """
    check_number("covariance_floor", covariance_floor, least=0)
    wanted = SufficientStatistics.zero(parameters)
    if statistics.dev2_sum.shape != wanted.dev2_sum.shape:
        raise InputError(
            f"statistics must be those of the mixture, with dev2_sum of shape "
            f"{wanted.dev2_sum.shape}, got {statistics.dev2_sum.shape}; run the E-step with the "
            "same parameters"
        )
    if not statistics.weight_sum > 0.0:
        raise InputError(
            "the statistics hold no sample; add those of at least one before the M-step"
        )
    return maximize(statistics, parameters, variance_floor(statistics, covariance_floor))


def maximize(
    statistics: SufficientStatistics,
    parameters: MixtureParameters,
    floor: Floor,
    *,
    prior: CovariancePrior | None = None,
    fixed: Collection[str] = (),
) -> MixtureParameters:
    """Return the most likely mixture with no variance below ``floor``, in squared units of X.

    With a prior it is the mixture of largest posterior. What is named in ``fixed``, of "weights",
    "means" and "covariances", stays as it is.
    """
    weights, means, covariances = parameters.weights, parameters.means, parameters.covariances
    noise, resp_sum = parameters.noise, statistics.resp_sum
    if "weights" not in fixed:
        weights = resp_sum / statistics.weight_sum
        if noise is not None:
            noise = replace(noise, weight=statistics.noise_sum / statistics.weight_sum)
    if "means" not in fixed:
        means = statistics.new_means()
    if "covariances" not in fixed:
        scatter = statistics.scatter_about(means)
        is_empty = ~(resp_sum > 0.0)
        if is_empty.any():
            scatter[is_empty] = parameters.component_covariances[is_empty]
        if prior is not None:
            scatter, resp_sum = prior.blend(scatter, resp_sum)
        covariances = parameters.family.estimate(scatter, resp_sum, floor, before=covariances)
    return MixtureParameters.trusted(
        weights, means, covariances, parameters.covariance_type, noise=noise
    )


def variance_floor(
    statistics: SufficientStatistics, fraction: float, *, has_one_unit: bool = False
) -> Array:
    """Return the smallest variance allowed in each feature, (n_features,).

    It is a fraction of the feature's variance in the data, so that a rate beside an income is not
    drowned; of the mean variance if all features have one unit, as colours do. A feature without
    spread but for rounding gets the mean one.

    It never goes below what double precision can tell from zero at the distance and spread of the
    data, so that constant and repeated data have a likelihood, too.
    """
    variance = statistics.total_variance()
    mean_square = statistics.total_mean() ** 2 + variance
    eps = float(np.finfo(np.float64).eps)
    # What is left of equal samples far from zero and from the means that they were taken about.
    left = (ROUNDING * eps) ** 2 * mean_square + ROUNDING * eps * statistics.mean_dev2()
    is_rounding = variance <= left
    typical = float(variance.mean())
    own = np.where(is_rounding | has_one_unit, typical, variance)
    return np.maximum(fraction * own, np.maximum(eps**2 * mean_square, SMALLEST_VARIANCE))
