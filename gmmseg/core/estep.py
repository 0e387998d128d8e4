"""The E-step: cut the samples into ranges, run the kernels on threads, add up in a fixed order."""

import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core import kernels
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import check_sample_weight, check_samples
from gmmseg.errors import InputError

LARGEST_WHOLE_TILE = 8  # up to this many features the compiler unrolls all of them
TILE_SIZE = 4  # features per tile beyond
BLOCK_BYTES = 2**18  # of one block: it shares the second-level cache with the parameters
# A block is an odd number of vector register loads long: rows that lie a power of two apart evict
# one another from the cache.
REGISTERS = 64
SMALLEST_BLOCK, LARGEST_BLOCK = 3 * REGISTERS, 15 * REGISTERS
MOST_RANGES = 32  # ranges that are summed apart, whatever the number of threads
SUMS_BYTES = 2**24  # memory that the sums of all ranges may take together

# By the bytes of a number: the powers of two that have an inverse, and how large a coordinate and a
# factor may be so that neither their product nor a sum of products overflows.
EXPONENTS = {4: (-120, 120), 8: (-1000, 1000)}
LIMITS = {4: 1e17, 8: 1e140}

T = TypeVar("T")


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
        Samples; float32 and float64 are computed in their own precision, all else as float64.
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
        If X or sample_weight has a wrong shape, is not numeric or not finite.

    Examples
    --------
    >>> two = MixtureParameters([0.5, 0.5], [[-5.0], [5.0]], [[1.0], [1.0]], covariance_type="diag")
    >>> expectation([[-5.0], [4.0], [6.0]], two).resp_sum
    array([1., 2.])
    """
    X = check_samples(X, parameters.n_features)
    return weighted_statistics(X, parameters, check_sample_weight(sample_weight, len(X)), n_jobs)


def weighted_statistics(
    X: NDArray[Any],
    parameters: MixtureParameters,
    sample_weight: NDArray[np.float64] | None = None,
    n_jobs: int | None = None,
) -> SufficientStatistics:
    """Return the statistics of checked samples, as `expectation` does of any."""
    mixture, scale = kernel_mixture(parameters, X.dtype)
    weight = np.empty(0) if sample_weight is None else sample_weight
    zero = SufficientStatistics.zero(parameters)

    def sums_of_range(rows: tuple[int, int]) -> tuple[float, kernels.Sums]:
        sums = _zero_sums(mixture)
        scratch = _scratch(mixture, rows)
        return kernels.accumulate(X, weight, rows, mixture, scratch, sums), sums

    ranges = _ranges(len(X), zero.dev2_sum.nbytes)
    total_likelihood, total = 0.0, _zero_sums(mixture)
    for log_likelihood, sums in run_in_threads(sums_of_range, ranges, n_jobs):
        total_likelihood += log_likelihood
        for whole, part in zip(total, sums, strict=True):
            np.add(whole, part, out=whole)
    # The kernels saw samples over `scale`, so their densities are those of X times prod(scale).
    total_likelihood -= float(np.log(scale).sum()) * float(total.resp_sum.sum())
    return _in_units_of_samples(
        total_likelihood, total, mixture=mixture, scale=scale, parameters=parameters
    )


def predicted_labels(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[np.intp]:
    """Return the component of largest responsibility for each checked sample, (n_samples,)."""
    labels = np.empty(len(X), dtype=np.intp)
    _describe(X, parameters, n_jobs, labels=labels)
    return labels


def log_densities(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[Any]:
    """Return ``log p(x)`` of each checked sample in the dtype of X, (n_samples,)."""
    log_density = np.empty(len(X), dtype=X.dtype)
    scale = _describe(X, parameters, n_jobs, log_density=log_density)
    log_density -= np.log(scale).sum()
    return log_density


def responsibilities(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[Any]:
    """Return the posterior of each component for each checked sample, (n_samples, n_components)."""
    resp = np.empty((len(X), parameters.n_components), dtype=X.dtype)
    _describe(X, parameters, n_jobs, resp=resp)
    return resp


def run_in_threads(
    function: Callable[[tuple[int, int]], T], ranges: list[tuple[int, int]], n_jobs: int | None
) -> list[T]:
    """Return ``[function(rows) for rows in ranges]``, computed by ``n_jobs`` threads."""
    n_threads = min(thread_count(n_jobs), len(ranges))
    if n_threads == 1:
        return [function(rows) for rows in ranges]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, ranges))


def thread_count(n_jobs: int | None) -> int:
    """Return the number of threads that ``n_jobs`` means: None is all, -1 all, -2 all but one."""
    available = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    if n_jobs is None:
        return available
    if n_jobs == 0:
        raise InputError(
            "n_jobs must not be 0; give a number of threads, or None for all processors"
        )
    return n_jobs if n_jobs > 0 else max(1, available + 1 + n_jobs)


def kernel_mixture(
    parameters: MixtureParameters, dtype: np.dtype[Any]
) -> tuple[kernels.KernelMixture, NDArray[np.float64]]:
    """Return the mixture shifted to its middle and divided by its spread, and that spread."""
    weights, means = parameters.weights, parameters.means
    # Taken about the first mean, so that a far origin costs no digits, and rounded to what X can
    # hold, so that subtracting it from samples nearby is exact.
    origin = (means[0] + weights @ (means - means[0])).astype(dtype).astype(np.float64)
    variance = weights @ (parameters.component_variances + (means - origin) ** 2)
    # A power of two: dividing by it rounds nothing; within the reach of X its inverse is finite.
    scale = 2.0 ** np.clip(np.round(np.log2(variance) / 2.0), *EXPONENTS[dtype.itemsize])
    n_features = parameters.n_features
    tile_size = n_features if n_features <= LARGEST_WHOLE_TILE else TILE_SIZE
    padding = (0, -n_features % tile_size)
    factors = parameters.component_factors
    is_full = factors.ndim == 3
    diagonal = np.diagonal(factors, axis1=1, axis2=2) if is_full else factors
    with np.errstate(divide="ignore"):
        log_norm = np.log(weights) + (np.log(diagonal * scale) - 0.5 * math.log(2 * math.pi)).sum(
            axis=1
        )
    limit = LIMITS[dtype.itemsize]
    factors = factors * (scale[:, None] if is_full else scale) / math.sqrt(2.0)
    factors = np.clip(factors, -limit, limit)
    mixture = kernels.KernelMixture(
        origin=origin.astype(dtype),
        inverse_scale=(1.0 / scale).astype(dtype),
        limit=dtype.type(limit),
        log_norm=log_norm.astype(dtype),
        means=np.pad((means - origin) / scale, ((0, 0), padding)).astype(dtype),
        factors=np.pad(factors, ((0, 0),) + (padding,) * (factors.ndim - 1)).astype(dtype),
        tile=(0,) * tile_size,
    )
    return mixture, scale


def _describe(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None, **outputs: NDArray[Any]
) -> NDArray[np.float64]:
    """Fill those of labels, log_density and resp that are given; return the spread."""
    mixture, scale = kernel_mixture(parameters, X.dtype)
    labels = outputs.get("labels", np.empty(0, dtype=np.intp))
    log_density = outputs.get("log_density", np.empty(0, dtype=X.dtype))
    resp = outputs.get("resp", np.empty((0, 0), dtype=X.dtype))

    def fill_range(rows: tuple[int, int]) -> None:
        kernels.describe(X, rows, mixture, _scratch(mixture, rows), labels, log_density, resp)

    run_in_threads(fill_range, _ranges(len(X), 0), n_jobs)
    return scale


def _in_units_of_samples(
    log_likelihood: float,
    sums: kernels.Sums,
    *,
    mixture: kernels.KernelMixture,
    scale: NDArray[np.float64],
    parameters: MixtureParameters,
) -> SufficientStatistics:
    """Undo shift, scale and padding, and move the sums from the rounded means to the exact ones."""
    d = parameters.n_features
    resp_sum, dev_sum = sums.resp_sum, sums.dev_sum[:, :d] * scale
    rounded = mixture.origin.astype(np.float64) + mixture.means[:, :d].astype(np.float64) * scale
    shift = rounded - parameters.means
    if parameters.family.scatter_kind == "full":
        lower = np.tril(sums.dev2_sum[:, :d, :d])
        dev2_sum = (lower + np.swapaxes(np.tril(lower, -1), 1, 2)) * np.outer(scale, scale)
        cross = shift[:, :, None] * dev_sum[:, None, :]
        dev2_sum += cross + np.swapaxes(cross, 1, 2)
        dev2_sum += resp_sum[:, None, None] * shift[:, :, None] * shift[:, None, :]
    else:
        dev2_sum = (
            sums.dev2_sum[:, :d] * scale**2 + 2.0 * shift * dev_sum + resp_sum[:, None] * shift**2
        )
    return SufficientStatistics(
        means=parameters.means,
        resp_sum=resp_sum,
        dev_sum=dev_sum + resp_sum[:, None] * shift,
        dev2_sum=dev2_sum,
        log_likelihood=log_likelihood,
    )


def _zero_sums(mixture: kernels.KernelMixture) -> kernels.Sums:
    n_components, n_padded = mixture.means.shape
    is_full = mixture.factors.ndim == 3
    n_rows = n_padded + n_padded % 2 if is_full else n_padded
    return kernels.Sums(
        resp_sum=np.zeros(n_components),
        dev_sum=np.zeros((n_components, n_rows)),
        dev2_sum=np.zeros((n_components, n_rows) + (n_rows,) * is_full),
    )


def _scratch(mixture: kernels.KernelMixture, rows: tuple[int, int]) -> kernels.Scratch:
    n_components, n_padded = mixture.means.shape
    dtype = mixture.means.dtype
    n_rows = n_padded + n_padded % 2
    fitting = BLOCK_BYTES // (dtype.itemsize * (3 * n_rows + n_components + 2))
    odd = (fitting // REGISTERS - 1 | 1) * REGISTERS
    block_size = min(max(odd, SMALLEST_BLOCK), LARGEST_BLOCK, rows[1] - rows[0])
    return kernels.Scratch(
        samples=np.zeros((n_rows, block_size), dtype),
        log_prob=np.empty((n_components, block_size), dtype),
        dev=np.zeros((n_rows, block_size), dtype),
        weighted_dev=np.zeros((n_rows, block_size), dtype),
        peak=np.empty(block_size, dtype),
        total=np.empty(block_size, dtype),
    )


def _ranges(n_samples: int, sums_bytes: int) -> list[tuple[int, int]]:
    """Return the ranges of samples that are summed apart: they depend on the problem alone."""
    most = max(1, min(MOST_RANGES, n_samples // LARGEST_BLOCK, SUMS_BYTES // max(sums_bytes, 1)))
    edges = [n_samples * i // most for i in range(most + 1)]
    return list(itertools.pairwise(edges))
