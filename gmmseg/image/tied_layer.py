"""TiedLayer: one mixture of features for all places of an image, as textures need it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.mixture import distance_parts, prior_count
from gmmseg.core.em import EMOptions
from gmmseg.core.estep import expectation, log_densities, responsibilities
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.mstep import maximize
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.errors import InputError

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

COMPONENTS = (1, 2, 4, 8, 16)
LEAST_ROWS = 50  # of a component
MAX_ITER = 60
FLOOR = 1e-4  # smallest variance, of features whose variance is 1
PEAK_SHARE = 1e-3  # of the normal samples, which count as lying in the middle


@dataclass(frozen=True, eq=False)
class TiedLayer:
    """Measure how unlikely features are under a mixture, wherever they lie.

    Parameters
    ----------
    mean, deviation : ndarray of shape (n_features,)
        What features are standardised by.
    parameters : MixtureParameters
        The mixture of standardised features.
    peak : float
        Log-density that only one normal sample in a thousand exceeds.
    count : float
        Number of places seen.
    """

    mean: Array
    deviation: Array
    parameters: MixtureParameters
    peak: float
    count: float
    name: ClassVar[str] = "tied"

    @classmethod
    def learn(
        cls,
        rows: Floats,
        n_components: int,
        *,
        count: float,
        seed: int | None,
        n_jobs: int | None = None,
    ) -> Self:
        """Return the layer of normal places.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            Features of normal places.
        n_components : int
            Number of components, for example by `best_number`.
        count : float
            Number of places that the rows were drawn from.
        seed : int or None
            Seed of the starts.
        n_jobs : int, optional
            Number of threads; all processors if None. The result does not depend on it.
        """
        mean, deviation = _standard(rows)
        scaled = np.ascontiguousarray((rows - mean) / deviation, dtype=np.float32)
        parameters = _fitted(scaled, n_components, seed, n_jobs)
        log_density = log_densities(scaled, parameters, n_jobs)
        peak = float(np.quantile(log_density, 1.0 - PEAK_SHARE))
        return cls(mean, deviation, parameters, peak, count)

    def log_likelihoods(self, features: Floats, n_jobs: int | None = None) -> Array:
        """Return the log-density of the features at every place, in their own units."""
        scaled = self._scaled(features)
        log_density = log_densities(scaled, self.parameters, n_jobs).astype(np.float64)
        return (log_density - np.log(self.deviation).sum()).reshape(features.shape[:2])

    def distances(self, features: Floats, n_jobs: int | None = None) -> Floats:
        """Return twice how far the log-density is below its peak, (rows, cols), at least 0."""
        log_density = log_densities(self._scaled(features), self.parameters, n_jobs)
        below = 2.0 * np.maximum(np.float32(self.peak) - log_density, 0)
        return below.astype(np.float32).reshape(features.shape[:2])

    def contributions(
        self, features: Floats, places: NDArray[np.bool_], n_jobs: int | None = None
    ) -> Array:
        """Return the share of each feature in the distances of some places, (n_features,)."""
        scaled = self._scaled(features[places][np.newaxis])
        resp = responsibilities(scaled, self.parameters, n_jobs)
        shares = np.zeros(scaled.shape[1])
        for k, parts in enumerate(distance_parts(scaled, self.parameters)):
            shares += resp[:, k] @ parts
        return shares / max(shares.sum(), np.finfo(np.float64).tiny)

    def adapted(self, features: Floats, *, weight: float = 1.0, n_jobs: int | None = None) -> Self:
        """Return the layer with a further normal image, each place counting as ``weight`` ones."""
        old = SufficientStatistics.of_parameters(self.parameters, self.count)
        new = expectation(self._scaled(features), self.parameters, n_jobs=n_jobs).scale(weight)
        count = self.count + weight * features.shape[0] * features.shape[1]
        return replace(self, parameters=maximize(old + new, self.parameters, FLOOR), count=count)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it has learned, as arrays for a file."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "weights": self.parameters.weights,
            "means": self.parameters.means,
            "covariances": self.parameters.covariances,
            "peak_and_count": np.array([self.peak, self.count]),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the layer of `arrays`; raise InputError, KeyError or ValueError if damaged."""
        parameters = MixtureParameters(arrays["weights"], arrays["means"], arrays["covariances"])
        mean, deviation = (arrays[name].astype(np.float64) for name in ("mean", "deviation"))
        peak, count = arrays["peak_and_count"].astype(np.float64)
        if not mean.shape == deviation.shape == (parameters.n_features,):
            raise InputError(
                f"mean and deviation of a layer must be {parameters.n_features} numbers each, "
                f"got shapes {mean.shape} and {deviation.shape}"
            )
        if not np.isfinite([*mean, *deviation, peak, count]).all():
            raise InputError("the numbers of a layer must be finite")
        if not (deviation > 0.0).all():
            raise InputError(f"the deviations of a layer must be above 0, got {deviation.min():g}")
        if count < 0.0:
            raise InputError(f"a layer must have seen 0 places or more, got {count:g}")
        return cls(mean, deviation, parameters, float(peak), float(count))

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.mean)

    def _scaled(self, features: Floats) -> Floats:
        rows = features.reshape(-1, features.shape[-1])
        return np.ascontiguousarray((rows - self.mean) / self.deviation, dtype=np.float32)


def _fitted(
    scaled: Floats, n_components: int, seed: int | None, n_jobs: int | None
) -> MixtureParameters:
    start = Start(n_components=n_components, rng=np.random.default_rng(seed))
    options = EMOptions(
        max_iter=MAX_ITER, covariance_floor=FLOOR, covariance_prior=prior_count(scaled.shape[1])
    )
    return fit_mixture(scaled, None, start, options, n_jobs=n_jobs)[0]


def best_number(
    rows: Floats, groups: NDArray[np.intp], seed: int | None, n_jobs: int | None = None
) -> int:
    """Return the number of components that makes left-out images likeliest.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Features of normal places.
    groups : ndarray of shape (n_rows,)
        Part of the images that each is from: that of number 0 is left out.
    seed : int or None
        Seed of the starts.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.
    """
    is_out = groups == 0
    if is_out.all() or not is_out.any():
        return 1
    mean, deviation = _standard(rows)
    scaled = np.ascontiguousarray((rows - mean) / deviation, dtype=np.float32)
    rest, left_out = scaled[~is_out], scaled[is_out]
    best, chosen = -np.inf, 1
    for n_components in COMPONENTS:
        if n_components > 1 and n_components * LEAST_ROWS > len(rest):
            break
        fitted = _fitted(rest, n_components, seed, n_jobs)
        likelihood = float(log_densities(left_out, fitted, n_jobs).mean())
        if likelihood < best:
            break
        best, chosen = likelihood, n_components
    return chosen


def _standard(rows: Floats) -> tuple[Array, Array]:
    """Return mean and deviation of each feature; of one that never varies, the usual deviation."""
    mean = rows.mean(axis=0, dtype=np.float64)
    variance = rows.var(axis=0, dtype=np.float64)
    rounding = (1e-6 * np.abs(mean)) ** 2
    usual = variance.mean() if variance.any() else 1.0
    return mean, np.sqrt(np.where(variance > rounding, variance, usual + rounding))
