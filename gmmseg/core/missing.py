"""Missing entries (NaN): the E-step of rows that are only partly known, by exact expectations.

A row with missing entries tells of the others through the marginal densities of its observed ones.
Its sums are those of the complete row, expected under the mixture given what was observed: the
missing entries lie at their conditional means, and their conditional covariance is added to the
second moments. So EM still makes the observed data more likely with every step, and nothing is made
up. Little, Rubin (2002), "Statistical analysis with missing data", section 11.2; Ghahramani, Jordan
(1994), "Supervised learning from incomplete data via an EM approach", equations 8 and 9.

Complete rows go through the fast kernels of all other tables, in blocks; partial rows are computed
in float64 whatever the dtype of X. What is kept beside X is one index per row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core import kernels, missing_kernels
from gmmseg.core.covariance_base import diagonals
from gmmseg.core.kernel_types import KernelMixture, Sums
from gmmseg.core.layout import added_up, empty_scratch, kernel_mixture, statistics_of, zero_sums
from gmmseg.core.missing_kernels import Answers, PartialRows, PartialScratch
from gmmseg.core.noise import UniformNoise
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.threads import cut_into_ranges, run_in_threads
from gmmseg.errors import InputError

BLOCK_ROWS = 8_192  # rows that are looked at, or copied out of X, at once

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Labels = NDArray[np.int32]
Rows = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Incomplete:
    """A table with missing entries, its rows in the order in which they are worked through.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Checked samples; NaN where an entry is missing.
    features : ndarray of shape (n_features,)
        The columns of X in use.
    order : ndarray of shape (n_samples,)
        First the complete rows, then those with the same missing entries one after another, then
        those that miss all.
    n_complete, n_observed : int
        How many rows miss nothing, and how many do not miss all.
    """

    X: NDArray[Any]
    features: Index
    order: Index
    n_complete: int
    n_observed: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.X)

    def blocks(self, rows: Rows, size: int = BLOCK_ROWS) -> Iterator[tuple[Index, NDArray[Any]]]:
        """Yield numbers of rows and copies of these rows, over ``order[rows[0] : rows[1]]``."""
        for first in range(rows[0], rows[1], size):
            mine = self.order[first : min(first + size, rows[1])]
            block = self.X[mine]
            is_all = len(self.features) == self.X.shape[1]
            yield mine, block if is_all else np.ascontiguousarray(block[:, self.features])


Table = NDArray[Any] | Incomplete


def prepared(X: Table, *, with_unseen: bool = True) -> Table:
    """Return X itself if no entry is missing, else X with its rows put in order.

    Features that no row has are left out unless ``with_unseen``.
    """
    if isinstance(X, Incomplete) or not np.isnan(X.min()):
        return X
    is_used = with_unseen | ~np.isnan(np.fmin.reduce(X, axis=0))
    features = np.flatnonzero(is_used)
    complete, partial, empty, patterns = [], [], [], []
    for first in range(0, len(X), BLOCK_ROWS):
        is_missing = np.isnan(X[first : first + BLOCK_ROWS])[:, features]
        n_missing = is_missing.sum(axis=1)
        is_partial = (n_missing > 0) & (n_missing < len(features))
        complete.append(first + np.flatnonzero(n_missing == 0))
        partial.append(first + np.flatnonzero(is_partial))
        empty.append(first + np.flatnonzero(n_missing == len(features)))
        patterns.append(_as_words(is_missing[is_partial]))
    words = np.concatenate(patterns)
    by_pattern = np.lexsort(words.T[::-1])
    order = [*complete, np.concatenate(partial)[by_pattern], *empty]
    n_complete = sum(map(len, complete))
    return Incomplete(X, features, np.concatenate(order), n_complete, n_complete + len(words))


def _as_words(is_missing: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return one bit per entry, packed into as few 64-bit words per row as hold them."""
    packed = np.packbits(is_missing, axis=1)
    packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(packed).view(np.uint64)


def weight_of_seen(X: NDArray[Any], sample_weight: Array | None) -> Array | None:
    """Return the weights with 0 for rows that miss all: they tell nothing and count for nothing.

    Without such rows the weights are returned as they are. InputError if no weight is left.
    """
    if np.isnan(X.min()):
        is_empty = np.isnan(np.fmin.reduce(X, axis=1))
        if is_empty.any():
            weight = np.ones(len(X)) if sample_weight is None else sample_weight
            sample_weight = np.where(is_empty, 0.0, weight)
    if sample_weight is not None and not sample_weight.any():
        raise InputError(
            "X is missing (NaN) in every entry of every sample of positive weight; "
            "give at least one entry"
        )
    return sample_weight


def partial_statistics(
    table: Incomplete,
    parameters: MixtureParameters,
    sample_weight: Array | None = None,
    n_jobs: int | None = None,
    *,
    known_labels: Labels | None = None,
) -> SufficientStatistics:
    """Return the expected statistics of the rows of a table, those that miss all left out."""
    weight = np.empty(0) if sample_weight is None else sample_weight
    labels = np.empty(0, np.int32) if known_labels is None else known_labels
    total = SufficientStatistics.zero(parameters)
    if table.n_complete > 0:
        total += _statistics_of_complete_rows(table, parameters, weight, labels, n_jobs=n_jobs)
    if table.n_observed > table.n_complete:
        total += _statistics_of_partial_rows(table, parameters, weight, labels, n_jobs=n_jobs)
    return total


def _statistics_of_complete_rows(
    table: Incomplete,
    parameters: MixtureParameters,
    weight: Array,
    labels: Labels,
    *,
    n_jobs: int | None,
) -> SufficientStatistics:
    mixture, scale = kernel_mixture(parameters, table.X.dtype)

    def sums_of_range(rows: Rows) -> tuple[float, Sums]:
        sums, scratch, total = zero_sums(mixture), empty_scratch(mixture, rows), 0.0
        for mine, block in table.blocks(rows):
            its_weight = weight[mine] if weight.size else weight
            its_labels = labels[mine] if labels.size else labels
            bounds = (0, len(block))
            total += kernels.accumulate(
                block, its_weight, its_labels, bounds, mixture, scratch, sums
            )
        return total, sums

    ranges = cut_into_ranges(table.n_complete, zero_sums(mixture).dev2_sum.nbytes)
    total, sums = added_up(run_in_threads(sums_of_range, ranges, n_jobs))
    return statistics_of(total, sums, mixture=mixture, scale=scale, parameters=parameters)


def _statistics_of_partial_rows(
    table: Incomplete,
    parameters: MixtureParameters,
    weight: Array,
    labels: Labels,
    *,
    n_jobs: int | None,
) -> SufficientStatistics:
    mixture, scale = kernel_mixture(parameters, np.dtype(np.float64))
    mixture, partial = _bare(mixture), PartialRows(table.order, table.features)

    def sums_of_range(rows: Rows) -> tuple[float, Sums]:
        sums, scratch = zero_sums(mixture), _empty_scratch(mixture, scale)
        log_likelihood = missing_kernels.accumulate_partial(
            table.X, weight, labels, rows, partial, mixture, scratch, sums
        )
        return log_likelihood, sums

    ranges = _ranges(table.n_complete, table.n_observed, zero_sums(mixture).dev2_sum.nbytes)
    total, sums = added_up(run_in_threads(sums_of_range, ranges, n_jobs))
    return statistics_of(total, sums, mixture=mixture, scale=scale, parameters=parameters)


def describe(
    table: Incomplete,
    parameters: MixtureParameters,
    n_jobs: int | None,
    answers: Answers,
) -> None:
    """Fill the answers that have room, log-densities in the units of X.

    A row that misses all has log-density 0 and the weights for responsibilities.
    """
    if table.n_complete > 0:
        _describe_complete_rows(table, parameters, n_jobs, answers)
    mixture, scale = kernel_mixture(parameters, np.dtype(np.float64))
    mixture, partial = _bare(mixture), PartialRows(table.order, table.features)

    def fill_range(rows: Rows) -> None:
        scratch = _empty_scratch(mixture, scale)
        missing_kernels.describe_partial(table.X, rows, partial, mixture, scratch, answers)

    ranges = _ranges(table.n_complete, len(table))
    run_in_threads(fill_range, ranges, n_jobs)
    empty = table.order[table.n_observed :]
    if answers.labels.size:
        answers.labels[empty] = parameters.shares.argmax()
    if answers.log_density.size:
        answers.log_density[empty] = 0.0
    if answers.resp.size:
        answers.resp[empty] = parameters.shares


def _describe_complete_rows(
    table: Incomplete, parameters: MixtureParameters, n_jobs: int | None, answers: Answers
) -> None:
    mixture, scale = kernel_mixture(parameters, table.X.dtype)
    log_unit = np.log(scale).sum()
    wanted = answers[:3]  # of complete rows there is nothing to fill

    def fill_range(rows: Rows) -> None:
        scratch = empty_scratch(mixture, rows)
        for mine, block in table.blocks(rows):
            parts = [whole[: len(mine)].copy() for whole in wanted]
            kernels.describe(block, (0, len(block)), mixture, scratch, *parts)
            parts[1] -= log_unit
            for whole, part in zip(wanted, parts, strict=True):
                if whole.size:
                    whole[mine] = part

    run_in_threads(fill_range, cut_into_ranges(table.n_complete), n_jobs)


def imputed(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[Any]:
    """Return a copy of X with each missing entry at its conditional mean, in the dtype of X.

    ``E[x_m | x_o] = sum_k r_k (mean_km + S_kmo inverse(S_koo) (x_o - mean_ko))`` with the
    responsibilities ``r_k`` and covariances ``S_k`` of the observed entries o and the missing m.
    """
    filled, table = X.copy(), prepared(X)
    if isinstance(table, Incomplete):
        nothing = no_answers(X.dtype)
        describe(table, parameters, n_jobs, nothing._replace(filled=filled))
    return filled


def imputed_deviation(
    X: NDArray[Any], parameters: MixtureParameters, n_jobs: int | None = None
) -> NDArray[Any]:
    """Return the conditional standard deviation of each missing entry, 0 where it is observed."""
    deviation, table = np.zeros_like(X), prepared(X)
    if isinstance(table, Incomplete):
        nothing = no_answers(X.dtype)
        describe(table, parameters, n_jobs, nothing._replace(deviation=deviation))
    return deviation


def no_answers(dtype: np.dtype[Any]) -> Answers:
    """Return answers of which none is asked for."""
    table, line = np.empty((0, 0), dtype), np.empty(0, dtype)
    return Answers(np.empty(0, np.intp), line, table, table, table)


def with_unseen_features(
    parameters: MixtureParameters, seen: Index, n_features: int
) -> MixtureParameters:
    """Return the mixture with the features that no row had beside those that were ``seen``.

    They have mean 0 and are independent of the others, so that nothing changes for those. They are
    as wide as the geometric mean of a component's axes: that keeps volumes and shapes equal where
    the family wants them equal.
    """
    n_components, spelled_out = parameters.n_components, parameters.component_covariances
    means = np.zeros((n_components, n_features))
    means[:, seen] = parameters.means
    variance = np.exp(-2.0 * np.log(diagonals(parameters.component_factors)).mean(axis=1))
    scatter = np.repeat(variance[:, None], n_features, axis=1)
    if spelled_out.ndim == 3:
        scatter = scatter[:, :, None] * np.eye(n_features)
        scatter[:, seen[:, None], seen] = spelled_out
    else:
        scatter[:, seen] = spelled_out
    noise = parameters.noise
    if noise is not None:  # its volume stays the same
        low, high = np.full(n_features, -0.5), np.full(n_features, 0.5)
        low[seen], high[seen] = noise.low, noise.high
        noise = UniformNoise(noise.weight, low, high)
    family, weights = parameters.family, parameters.weights.copy()
    is_spelled_out = family.shape(*means.shape) == scatter.shape
    covariances = scatter if is_spelled_out else family.estimate(scatter, weights, 0.0)
    return MixtureParameters.trusted(
        weights, means, covariances, parameters.covariance_type, noise=noise
    )


def _bare(mixture: KernelMixture) -> KernelMixture:
    """Return the mixture with tiles of one size, so that the kernels here are compiled once."""
    return mixture._replace(tile=(0,))


def _ranges(first: int, last: int, bytes_per_result: int = 0) -> list[Rows]:
    """Return ranges that cover the rows from ``first`` to ``last``."""
    return [(first + a, first + b) for a, b in cut_into_ranges(last - first, bytes_per_result)]


def _empty_scratch(mixture: KernelMixture, scale: Array) -> PartialScratch:
    n_components, n_features = len(mixture.means), len(mixture.origin)
    is_full = mixture.factors.ndim == 3
    square = (n_features, n_features) if is_full else (0, 0)
    return PartialScratch(
        log_scale=np.log(scale),
        sample=np.empty(n_features),
        missing=np.empty(n_features, np.intp),
        log_norm=np.empty(n_components),
        basis=np.empty((n_components, *square)),
        triangle=np.empty((n_components, *square)),
        inverse=np.empty(square),
        whitened=np.empty(n_features),
        shares=np.empty(n_features),
        expected=np.empty((n_components, n_features)),
        variances=np.empty((n_components, n_features)),
        resp=np.empty(n_components),
        pattern_resp=np.zeros(n_components),
    )
