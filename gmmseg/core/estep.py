"""The E-step: what a mixture makes of samples, as sums, labels, densities or responsibilities."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core import kernels
from gmmseg.core.kernel_types import Sums
from gmmseg.core.layout import (
    added_up,
    empty_scratch,
    kernel_mixture,
    statistics_of,
    zero_sums,
)
from gmmseg.core.missing import (
    Incomplete,
    Table,
    describe,
    no_answers,
    partial_statistics,
    prepared,
)
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.threads import PerThread, cut_into_ranges, run_in_threads, worthwhile_jobs
from gmmseg.core.validation import check_sample_weight, check_samples, in_units
from gmmseg.errors import InputError

Array = NDArray[np.float64]


def expectation(
    X: ArrayLike,
    parameters: MixtureParameters,
    sample_weight: ArrayLike | None = None,
    *,
    n_jobs: int | None = None,
) -> SufficientStatistics:
    """Return the weighted sufficient statistics of samples under a mixture (the E-step of EM).

    Parameters
    ----------
    X : array_like of shape (n_samples, n_features)
        Samples; float32 and float64 are computed in their own precision, all else as float64. NaN
        is a missing entry: the sums are those expected given the observed entries of the row, in
        float64. A row that misses all adds nothing.
    parameters : MixtureParameters
        The mixture.
    sample_weight : array_like of shape (n_samples,), optional
        How often each sample counts, at least 0. Weight 3 is the same as the row three times.
    n_jobs : int, optional
        Number of threads; all processors that this process may use if None. The result does not
        depend on it.

    Returns
    -------
    statistics : SufficientStatistics
        Sums over all samples, float64. Statistics of several parts of the data may be added.

    Raises
    ------
    InputError
        If X or sample_weight has a wrong shape, is not numeric, infinite or too large to square.

    Notes
    -----
    In float32, samples further from the mixture than 1e17 times its spread count as that far.

    References
    ----------
    Bishop (2006), "Pattern recognition and machine learning", equation 9.23.

    Examples
    --------
    >>> two = MixtureParameters([0.5, 0.5], [[-5.0], [5.0]], [[1.0], [1.0]], covariance_type="diag")
    >>> expectation([[-5.0], [4.0], [6.0]], two).resp_sum
    array([1., 2.])
    """
    if not isinstance(parameters, MixtureParameters):
        raise InputError(
            f"parameters must be MixtureParameters, got {type(parameters).__name__}; "
            "those of a fitted GaussianMixture are its parameters_"
        )
    X = check_samples(X, parameters.n_features)
    weight, unit = in_units(check_sample_weight(sample_weight, len(X)))
    statistics = weighted_statistics(prepared(X), parameters, weight, n_jobs)
    return statistics if unit == 1.0 else statistics.scale(unit)


def weighted_statistics(
    X: Table,
    parameters: MixtureParameters,
    sample_weight: Array | None = None,
    n_jobs: int | None = None,
    *,
    known_labels: NDArray[np.int32] | None = None,
) -> SufficientStatistics:
    """Return the statistics of checked and `prepared` samples, as `expectation` does of any.

    A sample whose known label is 0 or above belongs to that component alone.
    """
    if isinstance(X, Incomplete):
        return partial_statistics(X, parameters, sample_weight, n_jobs, known_labels=known_labels)
    mixture, scale = kernel_mixture(parameters, X.dtype)
    weight = np.empty(0) if sample_weight is None else sample_weight
    labels = np.empty(0, dtype=np.int32) if known_labels is None else known_labels
    ranges = cut_into_ranges(len(X), zero_sums(mixture).dev2_sum.nbytes)
    scratch = PerThread(lambda: empty_scratch(mixture, ranges[0]))

    def sums_of_range(rows: tuple[int, int]) -> tuple[float, Sums]:
        sums = zero_sums(mixture)
        return kernels.accumulate(X, weight, labels, rows, mixture, scratch.own, sums), sums

    n_jobs = worthwhile_jobs(n_jobs, len(X) * mixture.factors.size)
    total, sums = added_up(run_in_threads(sums_of_range, ranges, n_jobs))
    return statistics_of(total, sums, mixture=mixture, scale=scale, parameters=parameters)


def predicted_labels(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[np.intp]:
    """Return the component of largest responsibility for each checked sample, (n_samples,).

    Noise is -1.
    """
    labels = np.empty(len(X), dtype=np.intp)
    _describe(X, parameters, n_jobs, labels=labels)
    if parameters.noise is not None:
        labels[labels == parameters.n_components] = -1
    return labels


def log_densities(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[Any]:
    """Return ``log p(x)`` of each checked sample in the dtype of X, (n_samples,).

    With missing entries it is that of the observed ones: 0 where there are none.
    """
    log_density = np.empty(len(X), dtype=X.dtype)
    scale = _describe(X, parameters, n_jobs, log_density=log_density)
    log_density -= np.log(scale).sum()
    return log_density


def responsibilities(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[Any]:
    """Return the posterior of each component for each checked sample, (n_samples, n_components).

    With noise there is one more column, the last.
    """
    n_columns = parameters.n_components + (parameters.noise is not None)
    resp = np.empty((len(X), n_columns), dtype=X.dtype)
    _describe(X, parameters, n_jobs, resp=resp)
    return resp


def _describe(
    X: NDArray[Any],
    parameters: MixtureParameters,
    n_jobs: int | None,
    *,
    labels: NDArray[np.intp] | None = None,
    log_density: NDArray[Any] | None = None,
    resp: NDArray[Any] | None = None,
) -> Array:
    """Fill those outputs that are given; return the spread that densities are still divided by."""
    mixture, scale = kernel_mixture(parameters, X.dtype)
    # To the kernel, an output without room is not asked for.
    labels = np.empty(0, dtype=np.intp) if labels is None else labels
    log_density = np.empty(0, dtype=X.dtype) if log_density is None else log_density
    resp = np.empty((0, 0), dtype=X.dtype) if resp is None else resp
    if isinstance(table := prepared(X), Incomplete):
        answers = no_answers(X.dtype)._replace(labels=labels, log_density=log_density, resp=resp)
        describe(table, parameters, n_jobs, answers)
        return np.ones(1)

    def fill_range(rows: tuple[int, int]) -> None:
        scratch = empty_scratch(mixture, rows)
        kernels.describe(X, rows, mixture, scratch, labels, log_density, resp)

    n_jobs = worthwhile_jobs(n_jobs, len(X) * mixture.factors.size)
    run_in_threads(fill_range, cut_into_ranges(len(X)), n_jobs)
    return scale
