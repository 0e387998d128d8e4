"""The nearest normal samples: what was seen before, however rare, is not strange."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.backend import Array, Backend, Setting
from gmmseg.anomaly.folds import cross_fitted
from gmmseg.anomaly.moment_arrays import finite, moment_arrays, moments_of, number
from gmmseg.anomaly.moments import Moments
from gmmseg.anomaly.spectrum import Spectrum
from gmmseg.errors import InputError

MOST_KEPT = 20_000  # samples to compare with; of more, evenly spaced ones
MOST_NEIGHBORS = 5
BLOCK = 2**22  # distances that are held at once


@dataclass(frozen=True, eq=False)
class NeighborBackend(Backend):
    """Measure the mean squared distance to the nearest normal samples, in whitened features.

    Parameters
    ----------
    moments : Moments
        What is known of the normal samples.
    shrinkage : float
        Share of no correlation in the correlations.
    kept : ndarray of shape (n_kept, n_features)
        The normal samples to compare with.
    """

    moments: Moments
    shrinkage: float
    kept: Array
    name: ClassVar[str] = "neighbors"

    @classmethod
    def learn(cls, X: Array, setting: Setting) -> tuple[Self, Array]:
        """Return the back-end, and the distance of every sample to its nearest others."""
        prior, shrinkage = setting.prior_variance, setting.shrinkage

        def score(rest: Array, left_out: Array) -> Array:
            part = cls(Moments.of_samples(rest, prior), shrinkage, _thinned(rest))
            return part.distances(left_out)

        moments = Moments.of_samples(X, prior)
        return cls(moments, shrinkage, _thinned(X)), cross_fitted(X, score)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The principal axes of the correlations."""
        return Spectrum.of_moments(self.moments)

    @cached_property
    def whitened(self) -> Array:
        """The kept samples, whitened."""
        return self.spectrum.whitened(self.kept, self.shrinkage)

    def distances(self, X: Array) -> Array:
        """Return the mean squared distance to the nearest normal samples."""
        return self._nearest(X)[1]

    def contributions(self, X: Array) -> Array:
        """Return the mean squared distance to the same samples, along each whitened feature."""
        nearest, _ = self._nearest(X)
        own = self.spectrum.whitened(X, self.shrinkage)
        total = np.zeros_like(own)
        for neighbor in nearest.T:
            total += (own - self.whitened[neighbor]) ** 2
        return total / nearest.shape[1]

    def adapted(self, X: Array, weight: float) -> Self:
        """Return the back-end of old and new samples."""
        moments = self.moments.with_samples(X, weight)
        return type(self)(moments, self.shrinkage, _thinned(np.concatenate([self.kept, X])))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return moments, shrinkage and the kept samples."""
        shrinkage = np.array(self.shrinkage)
        return {**moment_arrays(self.moments), "shrinkage": shrinkage, "kept": self.kept}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the back-end of these arrays."""
        moments, kept = moments_of(arrays), finite(arrays["kept"], "kept", 2)
        n_features = len(moments.mean)
        if kept.shape[1] != n_features:
            raise InputError(f"kept must have {n_features} features, got {kept.shape[1]}")
        return cls(moments, number(arrays["shrinkage"], "shrinkage", 1e-9, 1.0), kept)

    def _nearest(self, X: Array) -> tuple[NDArray[np.intp], Array]:
        """Return the nearest kept samples, (n_samples, n_neighbors), and their mean distance."""
        own, others = self.spectrum.whitened(X, self.shrinkage), self.whitened
        n_neighbors = max(1, min(MOST_NEIGHBORS, len(others) // 10))
        nearest = np.empty((len(X), n_neighbors), dtype=np.intp)
        mean = np.empty(len(X))
        step = max(1, BLOCK // len(others))
        squares = (others**2).sum(axis=1)
        for first in range(0, len(X), step):
            block = own[first : first + step]
            expanded = squares - 2.0 * (block @ others.T)  # but for a term of the sample's own
            found = np.argpartition(expanded, n_neighbors - 1, axis=1)[:, :n_neighbors]
            nearest[first : first + step] = found
            # Subtract, then square: what is expanded loses its digits near 0.
            apart = block[:, np.newaxis] - others[found]
            mean[first : first + step] = (apart**2).sum(axis=2).mean(axis=1)
        return nearest, mean


def _thinned(X: Array) -> Array:
    """Return at most `MOST_KEPT` of the samples, evenly spaced."""
    if len(X) <= MOST_KEPT:
        return X
    return X[np.linspace(0, len(X) - 1, MOST_KEPT).astype(np.intp)]
