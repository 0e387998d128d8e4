"""From samples to a mixture: the best of several starts, each followed by EM."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.covariance import family_named
from gmmseg.core.data import Data, TableData
from gmmseg.core.em import EMOptions, FitRecord, run_em
from gmmseg.core.estep import log_densities
from gmmseg.core.initialization import (
    initial_parameters,
    nearest_center,
    parameters_from_labels,
    subsample,
    unlike_units,
)
from gmmseg.core.known_labels import parameters_from_some_labels
from gmmseg.core.missing import imputed, with_unseen_features
from gmmseg.core.noise_start import dense_samples
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import as_finite
from gmmseg.errors import InputError

# Where there are several starts: so many iterations for each, then so many of the best go on.
SHORT_ROUNDS = ((8, 3), (32, 1))

Array = NDArray[np.float64]
Sample = Callable[[], tuple[Array, Array]]  # rows and their weights, drawn when first asked for


@dataclass(frozen=True, eq=False, kw_only=True)
class Start:
    """Where EM begins: a method with its seed, and whatever parameters are given.

    Parameters
    ----------
    n_components : int
        Number of Gaussians.
    covariance_type : str, default="full"
        Covariance family.
    method : {"k-means++", "random", "hierarchical"}, default="k-means++"
        How a start is found on a subsample.
    n_init : int, default=1
        Number of starts, of which the most likely result is kept.
    rng : Generator
        Source of chance.
    weights, means, precisions : array_like, optional
        Parameters that take the place of those found.
    previous : MixtureParameters, optional
        A mixture to go on from; then nothing is searched.
    labels : ndarray of shape (n_samples,), optional
        Components that samples are known to belong to, -1 for none.
    noise : bool, default=False
        Whether there is uniform noise besides the Gaussians.
    sample : ndarray of shape (n_some_samples, n_features), optional
        Samples to search a start on, drawn by who knows how to draw them. If None, up to 20,000
        samples are all searched; of more, as many are drawn by chance.
    """

    n_components: int
    rng: np.random.Generator
    covariance_type: str = "full"
    method: str = "k-means++"
    n_init: int = 1
    weights: ArrayLike | None = None
    means: ArrayLike | None = None
    precisions: ArrayLike | None = None
    previous: MixtureParameters | None = None
    labels: NDArray[np.int32] | None = None
    noise: bool = False
    sample: NDArray[Any] | None = None

    @property
    def is_given(self) -> bool:
        """Whether nothing is left to chance."""
        is_found_by_chance = self.means is None and self.method != "hierarchical"
        return self.previous is not None or not is_found_by_chance

    @property
    def needs_unseen(self) -> bool:
        """Whether features that no sample has take part, because something is given for them."""
        return self.is_given or self.precisions is not None


def fit_mixture(
    X: NDArray[Any],
    sample_weight: Array | None,
    start: Start,
    options: EMOptions,
    *,
    n_jobs: int | None = None,
) -> tuple[MixtureParameters, FitRecord]:
    """Return the most likely mixture that EM reaches from the starts, and the record of its fit.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Checked samples, C-ordered float32 or float64; NaN where an entry is missing. Features that
        no sample has take no part in the fit, unless something is given to start them from.
    sample_weight : ndarray of shape (n_samples,) or None
        Checked weights.
    start : Start
        Where to begin.
    options : EMOptions
        When to stop.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.

    Returns
    -------
    parameters : MixtureParameters
        The fitted mixture.
    record : FitRecord
        How the fit went.
    """
    data = TableData(X, sample_weight, start.labels, start.needs_unseen, n_jobs)
    return fit_data(data, start, options, n_jobs=n_jobs)


def fit_data(
    data: Data, start: Start, options: EMOptions, *, n_jobs: int | None = None
) -> tuple[MixtureParameters, FitRecord]:
    """Return the same of any data.

    Of several starts each gets a few iterations on a subsample, the best few some more, and the
    best of these the whole fit: Biernacki, Celeux, Govaert (2003), "Choosing starting values for
    the EM algorithm for getting the highest likelihood in multivariate Gaussian mixture models"
    (small EM).
    """

    @cache  # it takes longer than an iteration, and a given start does without
    def sample() -> tuple[Array, Array]:
        if start.sample is not None:
            return subsample(start.sample, None, start.rng)
        return data.sample(start.rng)

    @cache
    def searched() -> tuple[Array, Array]:
        return dense_samples(*sample(), start.rng) if start.noise else sample()

    def find_worst(parameters: MixtureParameters) -> Array:
        rows, _ = sample()
        # In the precision of the data, whose kernels are compiled already.
        density = log_densities(rows.astype(data.dtype), parameters, n_jobs)
        worst: Array = imputed(rows[[density.argmin()]], parameters, n_jobs)[0]
        return worst

    starts = [
        _with_noise(point, data, start)
        for point in _starting_points(searched, data, start, has_one_unit=options.has_one_unit)
    ]
    if len(starts) > 1:
        # What labels are known of a subsample is not known; so then all samples are taken.
        few = data if start.labels is not None else _small(*sample(), data.dtype, n_jobs)
        starts = _most_promising(starts, few, options)
    parameters, record = run_em(
        data.statistics,
        starts[0],
        replace(options, covariance_prior=options.covariance_prior / data.unit),
        find_worst=find_worst,
        has_labels=start.labels is not None,
    )
    if data.n_features < data.n_columns:
        parameters = with_unseen_features(parameters, data.features, data.n_columns)
    return parameters, replace(record, weight_sum=data.weight_sum)


def _small(rows: Array, weight: Array, dtype: np.dtype[Any], n_jobs: int | None) -> TableData:
    # In the precision of the data, whose kernels are compiled already.
    return TableData(rows.astype(dtype), weight, n_jobs=n_jobs)


def _most_promising(
    starts: list[MixtureParameters], data: Data, options: EMOptions
) -> list[MixtureParameters]:
    """Return the one mixture that is left of several after short rounds of EM."""
    for max_iter, n_best in SHORT_ROUNDS:
        short = replace(options, max_iter=max_iter)
        runs = [run_em(data.statistics, start, short) for start in starts]
        runs.sort(key=lambda run: -run[1].lower_bounds[-1])
        starts = [parameters for parameters, _ in runs[:n_best]]
    return starts


def _with_noise(point: MixtureParameters, data: Data, start: Start) -> MixtureParameters:
    if start.noise == (point.noise is not None):
        return point
    return point.with_noise(data.noise() if start.noise else None)


def _starting_points(
    sample: Sample, data: Data, start: Start, *, has_one_unit: bool
) -> Iterator[MixtureParameters]:
    """Yield mixtures to begin with: from groups in the units of the data, and in others, too.

    Where a feature varies much more than another, nothing tells whether it counts more, or is but
    in a smaller unit. What fits better is told by the likelihood.
    """
    if start.previous is not None:
        yield start.previous
        return
    is_searched = not (start.is_given or has_one_unit or start.labels is not None)
    unit = unlike_units(sample()[0]) if is_searched else None
    for _ in range(1 if start.is_given else start.n_init):
        if start.labels is not None and start.means is None:
            yield parameters_from_some_labels(
                *data.labelled(),
                sample(),
                start.n_components,
                covariance_type=start.covariance_type,
                rng=start.rng,
            )
        else:
            yield _starting_point(sample, data.n_features, start)
            if unit is not None:
                yield _starting_point(sample, data.n_features, start, unit)


def _starting_point(
    sample: Sample, n_features: int, start: Start, unit: Array | float = 1.0
) -> MixtureParameters:
    family, n_components = family_named(start.covariance_type), start.n_components
    means = _given(start.means, "means_init", (n_components, n_features))
    weights = _given(start.weights, "weights_init", (n_components,))
    if weights is not None and (weights.min() < 0.0 or abs(weights.sum() - 1.0) > 1e-6):
        raise InputError(
            f"weights_init must be at least 0 and sum to 1, got {weights}; divide it by its sum"
        )
    precisions = _given(start.precisions, "precisions_init", family.shape(n_components, n_features))
    if precisions is not None:
        family.check_positive(precisions, "precisions_init")
    if weights is None or means is None or precisions is None:
        found = _found(sample, start, means, unit)
        weights = found.weights if weights is None else weights
        means = found.means if means is None else means
    if precisions is None:
        return MixtureParameters.trusted(weights, means, found.covariances, family.name)
    covariances = family.covariances(precisions)
    return MixtureParameters(weights, means, covariances, covariance_type=family.name)


def _found(
    sample: Sample, start: Start, means: Array | None, unit: Array | float
) -> MixtureParameters:
    """Return a start found on the subsample, around the given means if there are any."""
    rows, weight = sample()
    if means is None:
        return initial_parameters(
            rows,
            weight,
            start.n_components,
            covariance_type=start.covariance_type,
            method=start.method,
            rng=start.rng,
            unit=unit,
        )
    labels = nearest_center(rows, means)
    return parameters_from_labels(
        rows, weight, labels, start.n_components, covariance_type=start.covariance_type
    )


def _given(values: ArrayLike | None, name: str, shape: tuple[int, ...]) -> Array | None:
    """Return a start parameter of the user as float64, or None where there is none."""
    return None if values is None else as_finite(values, name, shape)
