"""Backend: what every way to measure strangeness must be able to do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.moments import Moments

Array = NDArray[np.float64]

NEARNESS = 0.5
"""Squared distance, per feature, below which nearer hardly counts as more normal: a sample in the
very middle must not outweigh, by the logarithm of nothing, what other back-ends find strange."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What all back-ends of one table are given.

    Parameters
    ----------
    prior_variance : ndarray of shape (n_features,)
        Variance of each feature, above 0.
    shrinkage : float
        How far correlations are shrunk towards none, from 0 to 1.
    distances : ndarray of shape (n_samples,)
        Squared Mahalanobis distance of every sample from the others, so shrunk.
    seed : int or None
        Seed of what is left to chance.
    """

    prior_variance: Array
    shrinkage: float
    distances: Array
    seed: int | None


class Backend(ABC):
    """Measure how far samples are from normal ones, as a squared distance."""

    name: ClassVar[str]
    moments: Moments

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.moments.mean)

    @classmethod
    @abstractmethod
    def learn(cls, X: Array, setting: Setting) -> tuple[Self, Array]:
        """Return a back-end for these normal samples, and their cross-fitted squared distances."""

    @abstractmethod
    def distances(self, X: Array) -> Array:
        """Return the squared distance of each sample, (n_samples,)."""

    @abstractmethod
    def contributions(self, X: Array) -> Array:
        """Return what each feature adds to `distances`, (n_samples, n_features), at least 0."""

    @abstractmethod
    def adapted(self, X: Array, weight: float) -> Self:
        """Return a back-end that knows further normal samples, each counting ``weight``."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all it has learned, as arrays for a file."""

    @classmethod
    @abstractmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the back-end of `arrays`; raise InputError, KeyError or ValueError if damaged."""


def log_distances(distances: Array, n_features: int) -> Array:
    """Return the scores of squared distances: logarithms, so that distances of all sizes weigh."""
    return np.log(distances + NEARNESS * n_features)
