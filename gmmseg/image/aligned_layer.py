"""AlignedLayer: a Gaussian at every place, as parts need that always lie alike.

Means and variances belong to the place, correlations are those of all places together: they could
not be known from few images, and would take a matrix per place (PaDiM without its memory).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.statistics import SufficientStatistics
from gmmseg.errors import InputError
from gmmseg.image.place_sums import PlaceSums

Floats = NDArray[np.float32]
Array = NDArray[np.float64]

PRIOR_COUNT = 4.0  # images that the variance of all places together counts as, at each
SHRINKAGE = 0.02  # share of no correlation
LEAST_VARIANCE = 1e-12


@dataclass(frozen=True, eq=False)
class AlignedLayer:
    """Measure the Mahalanobis distance of features from those usual at their place.

    Parameters
    ----------
    sums : PlaceSums
        What was added up over the normal images.

    References
    ----------
    Defard, Setkov, Loesch, Audigier (2021), "PaDiM: a patch distribution modeling framework for
    anomaly detection and localization".
    """

    sums: PlaceSums
    name: ClassVar[str] = "aligned"

    @cached_property
    def mean(self) -> Floats:
        """Mean at every place, (n_places, n_features)."""
        return self.sums.statistics.new_means().astype(np.float32)

    @cached_property
    def deviation(self) -> Floats:
        """Standard deviation at every place, (n_places, n_features)."""
        own = np.maximum(self.sums.statistics.new_scatter(), 0.0)
        count, usual = self.sums.n_images, self._usual_variance
        variance = (count * own + PRIOR_COUNT * usual) / (count + PRIOR_COUNT)
        # A place that is not known exactly: the error of its mean counts, too.
        return np.sqrt(variance * (1.0 + 1.0 / max(count, 1.0))).astype(np.float32)

    @cached_property
    def _usual_variance(self) -> Array:
        within = np.maximum(np.diagonal(self.sums.within()), 0.0)
        mean_square = (self.sums.statistics.new_means() ** 2).mean(axis=0)
        usual = within.mean() if within.any() else 1.0
        variance = np.where(within > 0.0, within, usual)
        return np.maximum(variance, LEAST_VARIANCE * np.maximum(mean_square, 1e-12))

    @cached_property
    def _spectrum(self) -> tuple[Array, Array]:
        """Return eigenvalues and axes of the shrunk correlations."""
        deviation = np.sqrt(self._usual_variance)
        correlation = self.sums.within() / deviation / deviation[:, np.newaxis]
        np.fill_diagonal(correlation, 1.0)
        values, axes = np.linalg.eigh(correlation)
        return (1.0 - SHRINKAGE) * np.maximum(values, 0.0) + SHRINKAGE, axes

    def log_likelihoods(self, features: Floats, n_jobs: int | None = None) -> Array:
        """Return the log-density of the features at every place, in their own units."""
        values, _ = self._spectrum
        log_det = np.log(values).sum() + 2.0 * np.log(self.deviation).sum(axis=1, dtype=np.float64)
        log_norm = -0.5 * (log_det + len(values) * np.log(2.0 * np.pi))
        result: Array = log_norm.reshape(self.sums.shape) - 0.5 * self.distances(features)
        return result

    def distances(self, features: Floats, n_jobs: int | None = None) -> Floats:
        """Return the squared Mahalanobis distance at every place, (rows, cols)."""
        values, axes = self._spectrum
        turned = self._scaled(features) @ (axes / np.sqrt(values)).astype(np.float32)
        return np.einsum("ij,ij->i", turned, turned).reshape(self.sums.shape)

    def contributions(
        self, features: Floats, places: NDArray[np.bool_], n_jobs: int | None = None
    ) -> Array:
        """Return the share of each feature in the distances of some places, (n_features,)."""
        values, axes = self._spectrum
        scaled = self._scaled(features)[places.ravel()]
        shares = (((scaled @ axes / np.sqrt(values)) @ axes.T) ** 2).sum(axis=0)
        return shares / max(float(shares.sum()), np.finfo(np.float64).tiny)

    def adapted(self, features: Floats, *, weight: float = 1.0, n_jobs: int | None = None) -> Self:
        """Return the layer with a further normal image, which counts as ``weight`` of them."""
        return replace(self, sums=self.sums.with_image(features, weight))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it has learned, as arrays for a file."""
        statistics = self.sums.statistics
        return {
            "origin": statistics.means.astype(np.float32),
            "dev_sum": statistics.dev_sum,
            "dev2_sum": statistics.dev2_sum,
            "cross": self.sums.cross,
            "shape_and_count": np.array([*self.sums.shape, self.sums.n_images]),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the layer of `arrays`; raise InputError, KeyError or ValueError if damaged."""
        rows, cols, count = arrays["shape_and_count"].astype(np.float64)
        origin, dev_sum, dev2_sum, cross = (
            arrays[name].astype(np.float64) for name in ("origin", "dev_sum", "dev2_sum", "cross")
        )
        shape = int(rows), int(cols)
        n_places, n_features = origin.shape
        if min(shape) < 1 or shape[0] * shape[1] != n_places:
            raise InputError(f"a layer of {rows:g} x {cols:g} places has {n_places} of them")
        if not 1.0 <= count < np.inf:
            raise InputError(f"a layer must have seen 1 image or more, got {count:g}")
        if dev_sum.shape != origin.shape or dev2_sum.shape != origin.shape:
            raise InputError(
                f"the sums of a layer must have shape {origin.shape}, "
                f"got {dev_sum.shape} and {dev2_sum.shape}"
            )
        if not all(np.isfinite(array).all() for array in (origin, dev_sum, dev2_sum, cross)):
            raise InputError("the sums of a layer must be finite")
        if cross.shape != (n_features, n_features) or not np.allclose(cross, cross.T):
            raise InputError(
                f"the products of a layer must be symmetric, of {n_features} features, "
                f"got shape {cross.shape}"
            )
        statistics = SufficientStatistics(origin, np.full(n_places, count), dev_sum, dev2_sum, 0.0)
        return cls(PlaceSums(statistics, cross, shape))

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.sums.cross)

    def _scaled(self, features: Floats) -> Floats:
        if features.shape[:2] != self.sums.shape:
            raise InputError(
                f"image has {features.shape[0]} x {features.shape[1]} places, the normal ones have "
                f'{self.sums.shape[0]} x {self.sums.shape[1]}; resize it, or use mode="tied"'
            )
        return (features.reshape(-1, features.shape[-1]) - self.mean) / self.deviation
