"""Where EM begins: k-means++ or a tree on a subsample, random samples, labels or parameters.

Entries of the samples may be missing (NaN). Distances are then taken over the entries that are
there, samples to begin with get the mean for those that are not, and groups tell of the rest.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance import family_named
from gmmseg.core.hierarchical import merge_tree
from gmmseg.core.kernel_distances import fill_nearest, gather_nearest
from gmmseg.core.missing_start import filled_by_group, observed_mean, squared_distances
from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.errors import InputError

SUBSAMPLE_SIZE = 20_000  # samples that the start is found on
BLOCK_SIZE = 65_536  # weights that are looked through at once
FEW_FEATURES = 3  # that tell all rows of most tables apart
LLOYD_ROUNDS = 10
START_FLOOR = 1e-6  # fraction of the variance of the data that no component starts below
UNLIKE = 30.0  # times the spread of another feature: their units may have nothing in common

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
LabelSource = Callable[[int], tuple[Array, Array, Labels]]  # samples, their weights, their labels


def subsample(
    X: NDArray[Any], sample_weight: Array | None, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return at most 20,000 samples of positive weight as float64, and their weights.

    They are sorted and equal ones are merged, so that what chance makes of them depends neither on
    their order nor on whether a sample is repeated or weighted. Of more than 20,000, which ones are
    drawn does depend on their order.
    """
    rows, weight = drawn_rows(len(X), sample_weight, rng)
    return merged_rows(X[rows], weight)


def merged_rows(rows: NDArray[Any], weight: Array) -> tuple[Array, Array]:
    """Return the different rows in ascending order as float64, and their weights.

    Rows of which every entry is missing tell nothing and are left out.
    """
    is_seen = ~np.isnan(rows).all(axis=1)
    drawn, weight = rows[is_seen].astype(np.float64), weight[is_seen]
    # NaN equals nothing, but infinity, which no sample has, equals itself.
    drawn[np.isnan(drawn)] = np.inf
    order = np.lexsort(drawn[:, :FEW_FEATURES].T[::-1])
    first = drawn[order, :FEW_FEATURES]
    if (first[1:] != first[:-1]).any(axis=1).all():  # then no two rows are equal
        sample, merged = drawn[order], weight[order]
    else:
        sample, index = np.unique(drawn, axis=0, return_inverse=True)
        merged = np.bincount(index.ravel(), weight).astype(np.float64)
    sample[np.isinf(sample)] = np.nan
    return sample, merged


def drawn_rows(
    n_samples: int, sample_weight: Array | None, rng: np.random.Generator
) -> tuple[NDArray[np.intp], Array]:
    """Return the rows of a subsample and their weights; memory does not grow with the data."""
    if sample_weight is None:
        if n_samples <= SUBSAMPLE_SIZE:
            return np.arange(n_samples), np.ones(n_samples)
        rows = rng.integers(0, n_samples, SUBSAMPLE_SIZE)
        return rows, np.full(SUBSAMPLE_SIZE, n_samples / SUBSAMPLE_SIZE)
    if np.count_nonzero(sample_weight) <= SUBSAMPLE_SIZE:
        rows = np.flatnonzero(sample_weight)
        return rows, sample_weight[rows]
    total = float(sample_weight.sum())
    marks, before, found = drawn_marks(total, rng), 0.0, []
    for first in range(0, n_samples, BLOCK_SIZE):
        rows, before = rows_at(marks, sample_weight[first : first + BLOCK_SIZE], before)
        found.append(first + rows)
    rows = np.concatenate(found)
    return rows, np.full(len(rows), total / len(rows))


def drawn_marks(total: float, rng: np.random.Generator) -> Array:
    """Return as many ascending places in a heap of this weight as a subsample has rows."""
    return np.sort(rng.random(SUBSAMPLE_SIZE)) * total


def rows_at(marks: Array, weight: Array, before: float) -> tuple[NDArray[np.intp], float]:
    """Return the rows that marks fall on, in a block on top of the weight ``before`` it.

    Also the weight with this block, which is before the next.
    """
    upto = before + np.cumsum(weight)
    mine = slice(*np.searchsorted(marks, [before, upto[-1]], side="left"))
    return np.searchsorted(upto, marks[mine], side="right"), float(upto[-1])


def initial_parameters(
    X: Array,
    weight: Array,
    n_components: int,
    *,
    covariance_type: str,
    method: str,
    rng: np.random.Generator,
    unit: Array | float = 1.0,
) -> MixtureParameters:
    """Return a mixture to begin with, found on a subsample by the method of this name."""
    labelled = label_source(X, weight, method=method, rng=rng, unit=unit)(n_components)
    return parameters_from_labels(*labelled, n_components, covariance_type=covariance_type)


def unlike_units(X: Array) -> Array | None:
    """Return a unit for each feature in which its spread is 1, or None if spreads are alike."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of features without an entry
        spread = np.nan_to_num(np.nanstd(X, axis=0))
    varies = spread > 0.0
    if not varies.any() or spread.max() <= UNLIKE * spread[varies].min():
        return None
    return np.where(varies, spread, 1.0)


def label_source(
    X: Array,
    weight: Array,
    *,
    method: str,
    rng: np.random.Generator,
    unit: Array | float = 1.0,
) -> LabelSource:
    """Return the function from a number of groups to labelled samples, by the method of this name.

    Distances are taken in this unit of each feature, (n_features,). What all numbers of groups have
    in common is computed once.
    """
    methods = {"k-means++": kmeans_labels, "random": random_labels}
    scaled = X / unit
    if method == "hierarchical":
        is_missing = np.isnan(X)
        filled = scaled
        if is_missing.any():
            filled = np.where(is_missing, observed_mean(scaled, weight), scaled)
        tree = merge_tree(filled, weight)
        rows = tree.rows * unit
        return lambda n_groups: (rows, tree.weight, tree.labels(n_groups))
    if method not in tuple(methods):
        names = ", ".join((*methods, "hierarchical"))
        raise InputError(f"init_params must be one of {names}, got {method!r}")
    return lambda n_groups: (X, weight, methods[method](scaled, weight, n_groups, rng))


def parameters_from_labels(
    X: Array,
    weight: Array,
    labels: Labels,
    n_components: int,
    *,
    covariance_type: str,
    has_one_unit: bool = False,
) -> MixtureParameters:
    """Return the most likely mixture where every sample belongs to the component of its label."""
    hidden = np.zeros((n_components, X.shape[1]))
    if np.isnan(X.min()):
        X, hidden = filled_by_group(X, weight, labels, n_components)
    means = np.repeat(np.average(X, axis=0, weights=weight)[None], n_components, axis=0)
    for k in np.unique(labels):
        # A first guess far from rounding error; the statistics about it are exact.
        means[k] = X[labels == k].mean(axis=0)
    is_full = family_named(covariance_type).scatter_kind == "full"
    statistics = _statistics_of_labels(X, weight, labels, means, is_full=is_full)
    dev2_sum = statistics.dev2_sum + (
        hidden[:, :, None] * np.eye(X.shape[1]) if is_full else hidden
    )
    statistics = replace(statistics, dev2_sum=dev2_sum)
    floor = variance_floor(statistics, START_FLOOR, has_one_unit=has_one_unit)
    wide = spread_parameters(means, statistics.total_variance() + floor, covariance_type)
    return maximize(statistics, wide, floor)


def spread_parameters(means: Array, variance: Array, covariance_type: str) -> MixtureParameters:
    """Return equal components at ``means``, as wide as ``variance``, (n_features,), says."""
    n_components = len(means)
    family = family_named(covariance_type)
    one = np.diag(variance) if family.scatter_kind == "full" else variance
    scatter = np.repeat(one[None], n_components, axis=0)
    weights = np.full(n_components, 1.0 / n_components)
    return MixtureParameters.trusted(
        weights, means.copy(), family.estimate(scatter, weights, 0.0), covariance_type
    )


def _statistics_of_labels(
    X: Array, weight: Array, labels: Labels, means: Array, *, is_full: bool
) -> SufficientStatistics:
    """Return the statistics of hard responsibilities."""
    n_components, n_features = means.shape
    dev = X - means[labels]
    weighted = dev * weight[:, None]
    resp_sum = np.bincount(labels, weight, minlength=n_components).astype(np.float64)
    dev_sum = np.zeros((n_components, n_features))
    dev2_sum = np.zeros((n_components, n_features) + (n_features,) * is_full)
    for k in range(n_components):
        is_mine = labels == k
        dev_sum[k] = weighted[is_mine].sum(axis=0)
        product = (
            weighted[is_mine].T @ dev[is_mine]
            if is_full
            else (weighted[is_mine] * dev[is_mine]).sum(axis=0)
        )
        dev2_sum[k] = product
    return SufficientStatistics(means, resp_sum, dev_sum, dev2_sum, log_likelihood=0.0)


def random_labels(X: Array, weight: Array, n_components: int, rng: np.random.Generator) -> Labels:
    """Return the nearest of ``n_components`` samples drawn by weight, for each sample."""
    n_centers = min(n_components, len(X))
    rows = rng.choice(len(X), n_centers, replace=False, p=weight / weight.sum())
    return nearest_center(X, np.where(np.isnan(X[rows]), observed_mean(X, weight), X[rows]))


def kmeans_labels(X: Array, weight: Array, n_components: int, rng: np.random.Generator) -> Labels:
    """Return the clusters of a few rounds of k-means from a greedy k-means++ start.

    References
    ----------
    Arthur, Vassilvitskii (2007), "k-means++: the advantages of careful seeding", section 2.2.
    """
    X = X - observed_mean(X, weight)
    centers = kmeans_plus_plus(X, weight, n_components, rng)
    labels = np.full(len(X), -1, dtype=np.intp)
    for _ in range(LLOYD_ROUNDS + 1):
        before, labels = labels, np.empty_like(labels)
        mass, sums = np.zeros(centers.shape), np.zeros(centers.shape)
        gather_nearest(X, weight, centers, labels, mass, sums)
        if np.array_equal(before, labels):
            break
        centers = np.where(mass > 0.0, sums / np.where(mass > 0.0, mass, 1.0), centers)
    return labels


def kmeans_plus_plus(
    X: Array,
    weight: Array,
    n_centers: int,
    rng: np.random.Generator,
    *,
    centers: Array | None = None,
) -> Array:
    """Return up to ``n_centers`` samples, each far from those before: the best of a few draws.

    It goes on from ``centers`` if there are any.

    There are fewer when fewer samples differ. In a center, missing entries are the mean.
    """
    n_trials = 2 + int(np.log(n_centers))
    filled = np.where(np.isnan(X), observed_mean(X, weight), X) if np.isnan(X.min()) else X
    if centers is None:
        centers = filled[rng.choice(len(X), 1, p=weight / weight.sum())]
    nearest = squared_distances(X, centers).min(axis=0)
    while len(centers) < n_centers:
        mass = np.cumsum(weight * nearest)
        if not mass[-1] > 0.0:
            break
        rows = np.searchsorted(mass, rng.random(n_trials) * mass[-1], side="right").clip(
            max=len(X) - 1
        )
        trials = np.minimum(nearest, squared_distances(X, filled[rows]))
        best = int((trials @ weight).argmin())
        centers = np.vstack([centers, filled[rows[best]]])
        nearest = trials[best]
    return centers


def nearest_center(X: Array, centers: Array) -> Labels:
    """Return the index of the nearest center for each sample, the first of equals."""
    nearest = np.empty(len(X), dtype=np.intp)
    fill_nearest(X, centers, nearest)
    return nearest
