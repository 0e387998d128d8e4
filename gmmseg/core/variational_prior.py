"""Priors for variational Bayes: what the user gives, and for the rest what the data suggest."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.covariance import family_named
from gmmseg.core.covariance_base import CovarianceFamily, clip_eigenvalues
from gmmseg.core.estep import weighted_statistics
from gmmseg.core.initialization import spread_parameters
from gmmseg.core.missing import Incomplete, Table
from gmmseg.core.mstep import SMALLEST_VARIANCE, maximize, variance_floor
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import as_finite, check_above
from gmmseg.core.variational import Prior, is_shared
from gmmseg.core.weight_priors import weight_prior_named

# A covariance of the data is singular where columns are constant, copied or sums of others. As a
# prior it is raised: constant columns to this fraction of the mean variance, and the eigenvalues
# of the correlations to the same.
PRIOR_FLOOR = 1e-6
ROUNDS_OF_MISSING = 20  # of EM, with which missing entries find their expectation

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PriorOptions:
    """Hold the priors as the user gave them; None stands for what the data suggest.

    The names are those of the options of `BayesianGaussianMixture`, less "prior".
    """

    n_components: int
    covariance_type: str
    weight_type: str
    weight_concentration: float | None
    mean_precision: float | None
    mean: ArrayLike | None
    degrees_of_freedom: float | None
    covariance: ArrayLike | None

    def check(self) -> None:
        """Raise InputError unless all that does not depend on the data can be used."""
        family_named(self.covariance_type)
        weight_prior_named(self.weight_type)
        if self.weight_concentration is not None:
            check_above("weight_concentration_prior", self.weight_concentration, 0)
        if self.mean_precision is not None:
            check_above("mean_precision_prior", self.mean_precision, 0)
        if self.degrees_of_freedom is not None:
            check_above("degrees_of_freedom_prior", self.degrees_of_freedom, 0)


def prior_for(options: PriorOptions, total: SufficientStatistics) -> Prior:
    """Return the prior, given the statistics of all data as one component.

    Raises
    ------
    InputError
        If a prior has the wrong shape, sign or size.
    """
    options.check()
    n_features = total.means.shape[1]
    dof = options.degrees_of_freedom
    if dof is not None:
        check_above("degrees_of_freedom_prior", dof, n_features - 1, "n_features - 1")
    concentration, precision = options.weight_concentration, options.mean_precision
    return Prior(
        covariance_type=options.covariance_type,
        weight_type=options.weight_type,
        weight_concentration=float(
            1.0 / options.n_components if concentration is None else concentration
        ),
        mean=_mean(options, total),
        mean_precision=float(1.0 if precision is None else precision),
        covariance=_covariance(options, total),
        degrees_of_freedom=float(n_features if dof is None else dof),
    )


def total_statistics(
    table: Table, sample_weight: Array | None, n_jobs: int | None, *, covariance_type: str
) -> SufficientStatistics:
    """Return the statistics of all checked samples as one component, about their middle.

    Missing entries are expected under the Gaussian that explains the others best.
    """
    X = table.X if isinstance(table, Incomplete) else table
    with np.errstate(invalid="ignore"):
        low, high = (edge.reduce(X, axis=0).astype(np.float64) for edge in (np.fmin, np.fmax))
    low, high = (np.where(np.isnan(edge), 0.0, edge) for edge in (low, high))
    half = 0.5 * (high - low)
    one = spread_parameters(
        (low + half)[None],
        np.maximum(half**2, SMALLEST_VARIANCE),
        family_named(covariance_type).scatter_kind,
    )
    statistics = weighted_statistics(table, one, sample_weight, n_jobs)
    for _ in range(ROUNDS_OF_MISSING if isinstance(table, Incomplete) else 0):
        one = maximize(statistics, one, SMALLEST_VARIANCE)
        statistics = weighted_statistics(table, one, sample_weight, n_jobs)
    return statistics


def covariance_shape(family: CovarianceFamily, n_features: int) -> tuple[int, ...]:
    """Return the shape of one covariance of a family."""
    shape = family.shape(1, n_features)
    return shape if is_shared(family) else shape[1:]


def _mean(options: PriorOptions, total: SufficientStatistics) -> Array:
    if options.mean is None:
        return total.new_means()[0]
    return as_finite(options.mean, "mean_prior", total.means.shape[1:])


def _covariance(options: PriorOptions, total: SufficientStatistics) -> Array:
    family = family_named(options.covariance_type)
    shape = covariance_shape(family, total.means.shape[1])
    if options.covariance is None:
        whole = family.estimate(_sample_scatter(total)[None], np.ones(1), SMALLEST_VARIANCE)
        return whole.reshape(shape)
    covariance = as_finite(options.covariance, "covariance_prior", shape)
    family.check_positive(covariance, "covariance_prior")
    return covariance


def _sample_scatter(total: SufficientStatistics) -> Array:
    """Return the unbiased covariance of the data, or its diagonal, raised to regular."""
    # Where weights add up to less than two samples, n - 1 would mean nothing.
    divisor = max(total.weight_sum - 1.0, 0.5 * total.weight_sum)
    scatter = total.new_scatter()[0] * (total.weight_sum / divisor)
    variance = np.diagonal(scatter) if scatter.ndim == 2 else scatter
    eps2 = float(np.finfo(np.float64).eps) ** 2
    resolution = eps2 * (total.new_means()[0] ** 2 + np.maximum(variance, 0.0))
    floor = variance_floor(total, PRIOR_FLOOR, has_one_unit=True)
    is_constant = variance <= np.maximum(resolution, SMALLEST_VARIANCE)
    raised: Array = np.where(is_constant, floor, variance)
    if scatter.ndim == 1:
        return raised
    deviation = np.sqrt(raised)
    correlation = scatter / deviation / deviation[:, None]
    np.fill_diagonal(correlation, 1.0)
    clipped = clip_eigenvalues(correlation, PRIOR_FLOOR)
    return clipped * np.outer(deviation, deviation)
