"""From samples to a posterior: the best of several starts, each followed by coordinate ascent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.em import PRECISION, FitRecord
from gmmseg.core.estep import weighted_statistics
from gmmseg.core.initialization import initial_parameters, subsample
from gmmseg.core.missing import prepared, weight_of_seen
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import in_units
from gmmseg.core.variational import Posterior, lower_bound, updated_posterior
from gmmseg.core.variational_prior import PriorOptions, prior_for, total_statistics

Array = NDArray[np.float64]
EStep = Callable[[MixtureParameters], SufficientStatistics]


@dataclass(frozen=True, eq=False, kw_only=True)
class Ascent:
    """Where the ascent begins, and when it stops.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    method : {"k-means++", "random"}
        How a start is found on a subsample.
    n_init : int
        Number of starts, of which the result of highest bound is kept.
    tol : float
        Stop when the bound, in nats, changes by less.
    max_iter : int
        Largest number of iterations.
    previous : Posterior, optional
        A posterior to go on from; then nothing is searched.
    """

    rng: np.random.Generator
    method: str
    n_init: int
    tol: float
    max_iter: int
    previous: Posterior | None = None


def fit_posterior(
    X: NDArray[Any],
    sample_weight: Array | None,
    options: PriorOptions,
    ascent: Ascent,
    *,
    n_jobs: int | None = None,
) -> tuple[Posterior, FitRecord]:
    """Return the posterior of highest bound that the starts lead to, and the record of its fit.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Checked samples, C-ordered float32 or float64; NaN where an entry is missing.
    sample_weight : ndarray of shape (n_samples,) or None
        Checked weights.
    options : PriorOptions
        The priors, as far as they are given.
    ascent : Ascent
        Where to begin and when to stop.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.

    Returns
    -------
    posterior : Posterior
        The fitted posterior.
    record : FitRecord
        How the fit went; its bounds are in nats over all samples.
    """
    weight, unit = in_units(weight_of_seen(X, sample_weight))
    table = prepared(X)

    def estep(parameters: MixtureParameters) -> SufficientStatistics:
        statistics = weighted_statistics(table, parameters, weight, n_jobs)
        # Evidence counts samples, so that their number matters and not their shares alone.
        return statistics if unit == 1.0 else statistics.scale(unit)

    total = total_statistics(table, weight, n_jobs, covariance_type=options.covariance_type)
    prior = prior_for(options, total.scale(unit))

    def starting_points() -> Iterator[Posterior]:
        if ascent.previous is not None:
            yield replace(ascent.previous, prior=prior)
            return
        sample = subsample(X, weight, ascent.rng)
        for _ in range(ascent.n_init):
            mixture = initial_parameters(
                *sample,
                options.n_components,
                covariance_type=options.covariance_type,
                method=ascent.method,
                rng=ascent.rng,
            )
            yield updated_posterior(prior, estep(mixture))

    runs = (run_ascent(estep, posterior, ascent) for posterior in starting_points())
    return max(runs, key=lambda run: run[1].lower_bounds[-1])


def run_ascent(estep: EStep, start: Posterior, ascent: Ascent) -> tuple[Posterior, FitRecord]:
    """Return the posterior that coordinate ascent reaches, and the record of the way.

    Parameters
    ----------
    estep : callable
        Maps parameters to the statistics of all data under them.
    start : Posterior
        Where to begin.
    ascent : Ascent
        When to stop.

    Returns
    -------
    posterior : Posterior
        The fitted posterior.
    record : FitRecord
        The bound before each update, and the reason to stop.
    """
    bounds: list[float] = []
    before = posterior = start
    while True:
        statistics = estep(posterior.expected_mixture)
        bound = lower_bound(posterior, statistics)
        if bounds and bound < bounds[-1] - PRECISION * abs(bounds[-1]):
            reason = "the lower bound reached the limit of floating-point precision"
            return before, FitRecord(tuple(bounds), is_converged=True, stop_reason=reason)
        is_still = bool(bounds) and abs(bound - bounds[-1]) < ascent.tol
        bounds.append(bound)
        before, posterior = posterior, updated_posterior(posterior.prior, statistics)
        if is_still:
            reason = f"the lower bound changed by less than tol={ascent.tol:g}"
            return posterior, FitRecord(tuple(bounds), is_converged=True, stop_reason=reason)
        if len(bounds) >= ascent.max_iter:
            reason = f"max_iter={ascent.max_iter} was reached"
            return posterior, FitRecord(tuple(bounds), is_converged=False, stop_reason=reason)
