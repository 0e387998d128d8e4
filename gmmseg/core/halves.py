"""The E-step in its two halves, for who puts something between them: densities, then statistics.

A prior over neighbours changes the responsibilities that the densities alone would give. Both
tables are components by samples: what is done to one component then runs along memory.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core import kernels
from gmmseg.core.kernel_types import Sums
from gmmseg.core.layout import (
    added_up,
    empty_scratch,
    kernel_mixture,
    statistics_of,
    zero_sums,
)
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.threads import PerThread, cut_into_ranges, run_in_threads


def joint_log_densities(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[Any]:
    """Return ``log(weight_k) + log N(x; k)`` of checked samples without missing entries.

    The result is (n_components, n_samples) in the dtype of X; noise is one more row, the last.
    """
    mixture, scale = kernel_mixture(parameters, X.dtype)
    joint = np.empty((len(mixture.log_norm), len(X)), dtype=X.dtype)

    def fill_range(rows: tuple[int, int]) -> None:
        kernels.write_joint(X, rows, mixture, empty_scratch(mixture, rows), joint)

    run_in_threads(fill_range, cut_into_ranges(len(X)), n_jobs)
    joint -= np.log(scale).sum()
    return joint


def statistics_given(
    X: NDArray[Any],
    resp: NDArray[Any],
    parameters: MixtureParameters,
    n_jobs: int | None = None,
) -> SufficientStatistics:
    """Return the statistics of checked samples whose responsibilities are given.

    They are taken about the means of ``parameters``. ``resp`` is (n_components, n_samples) in the
    dtype of X, noise its last row; it need not sum to 1. The log-likelihood, which the
    responsibilities do not tell, is NaN.
    """
    mixture, scale = kernel_mixture(parameters, X.dtype)
    ranges = cut_into_ranges(len(X), zero_sums(mixture).dev2_sum.nbytes)
    scratch = PerThread(lambda: empty_scratch(mixture, ranges[0]))

    def sums_of_range(rows: tuple[int, int]) -> tuple[float, Sums]:
        sums = zero_sums(mixture)
        kernels.accumulate_given(X, resp, rows, mixture, scratch.own, sums)
        return math.nan, sums

    total, sums = added_up(run_in_threads(sums_of_range, ranges, n_jobs))
    return statistics_of(total, sums, mixture=mixture, scale=scale, parameters=parameters)
