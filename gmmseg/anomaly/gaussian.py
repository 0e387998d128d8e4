"""One Gaussian whose correlations are shrunk: the squared Mahalanobis distance."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.backend import Array, Backend, Setting
from gmmseg.anomaly.moment_arrays import moment_arrays, moments_of, number
from gmmseg.anomaly.moments import Moments
from gmmseg.anomaly.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class GaussianBackend(Backend):
    """Measure the Mahalanobis distance from the mean.

    Parameters
    ----------
    moments : Moments
        What is known of the normal samples.
    shrinkage : float
        Share of no correlation in the correlations.

    References
    ----------
    Ledoit, Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices",
    for the shape of the estimate; its strength is chosen by held-out likelihood here.
    """

    moments: Moments
    shrinkage: float
    name: ClassVar[str] = "gaussian"

    @classmethod
    def learn(cls, X: Array, setting: Setting) -> tuple[Self, Array]:
        """Return the Gaussian, and the distance of every sample from the others."""
        moments = Moments.of_samples(X, setting.prior_variance)
        return cls(moments, setting.shrinkage), setting.distances

    @cached_property
    def spectrum(self) -> Spectrum:
        """The principal axes of the correlations."""
        return Spectrum.of_moments(self.moments)

    def distances(self, X: Array) -> Array:
        """Return the squared Mahalanobis distances."""
        squares = self.spectrum.coordinates(X) ** 2
        return squares @ (1.0 / self.spectrum.shrunk(self.shrinkage))

    def contributions(self, X: Array) -> Array:
        """Return the squares of the whitened features."""
        return self.spectrum.whitened(X, self.shrinkage) ** 2

    def adapted(self, X: Array, weight: float) -> Self:
        """Return the Gaussian of old and new samples."""
        return type(self)(self.moments.with_samples(X, weight), self.shrinkage)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return moments and shrinkage."""
        return {**moment_arrays(self.moments), "shrinkage": np.array(self.shrinkage)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the Gaussian of these arrays."""
        shrinkage = number(arrays["shrinkage"], "shrinkage", 1e-9, 1.0)
        return cls(moments_of(arrays), shrinkage)
