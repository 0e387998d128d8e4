"""PlaceSums: what is added up over images at every place, whatever their number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.statistics import SufficientStatistics

Floats = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlaceSums:
    """Hold the sums of features at every place, about those of a first image.

    Parameters
    ----------
    statistics : SufficientStatistics
        One diagonal component per place.
    cross : ndarray of shape (n_features, n_features)
        Sum over places and images of the products of deviations.
    shape : tuple of int
        Rows and columns of the places.
    """

    statistics: SufficientStatistics
    cross: Array
    shape: tuple[int, int]

    @classmethod
    def none(cls, origin: Floats) -> "PlaceSums":
        """Return the sums of no image, about the features (rows, cols, n_features) of one."""
        about = origin.reshape(-1, origin.shape[-1]).astype(np.float64)
        zeros = np.zeros_like(about)
        statistics = SufficientStatistics(about, np.zeros(len(about)), zeros, zeros, 0.0)
        n_features = about.shape[1]
        return cls(statistics, np.zeros((n_features, n_features)), origin.shape[:2])

    def with_image(self, features: Floats, weight: float = 1.0) -> "PlaceSums":
        """Return the sums with one more image, which counts as ``weight`` of them."""
        dev = features.reshape(-1, features.shape[-1]) - self.statistics.means
        own = SufficientStatistics(self.statistics.means, np.ones(len(dev)), dev, dev**2, 0.0)
        cross = self.cross + weight * (dev.T @ dev)
        return PlaceSums(self.statistics + own.scale(weight), cross, self.shape)

    def __add__(self, other: "PlaceSums") -> "PlaceSums":
        """Return the sums of both sets of images, which must be about the same features."""
        return PlaceSums(self.statistics + other.statistics, self.cross + other.cross, self.shape)

    def of_features(self, own: slice) -> "PlaceSums":
        """Return the sums of some of the features."""
        old = self.statistics
        statistics = SufficientStatistics(
            old.means[:, own], old.resp_sum, old.dev_sum[:, own], old.dev2_sum[:, own], 0.0
        )
        return PlaceSums(statistics, self.cross[own, own], self.shape)

    @property
    def n_images(self) -> float:
        """Number of images."""
        return float(self.statistics.resp_sum[0])

    def within(self) -> Array:
        """Return the mean covariance about the means of the places, (n_features, n_features)."""
        shift = self.statistics.new_means() - self.statistics.means
        scatter = self.cross - self.n_images * (shift.T @ shift)
        return scatter / max(self.n_images * len(shift), 1.0)
