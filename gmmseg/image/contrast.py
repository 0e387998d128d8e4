"""How strongly the pixels of an image differ from their neighbours: the unit of its edges."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.image.pixels import Pixels
from gmmseg.image.recipe import Recipe, within

MEASURED_ON = 2**17  # pixels, about, that are compared with their neighbours


@dataclass(frozen=True, eq=False)
class ContrastScale:
    """What every feature is multiplied with, so that neighbours differ by 1 in the mean square.

    Parameters
    ----------
    factors : ndarray of float32 of shape (n_features,)
        One factor for every feature; 0 for a feature that is constant.
    """

    factors: NDArray[np.float32]

    @classmethod
    def fitting(cls, pixels: Pixels, recipe: Recipe, seed: int = 0) -> "ContrastScale":
        """Measure the mean squared difference of neighbours, feature by feature.

        All features together make one, so that their number does not matter.
        """
        share = MEASURED_ON / max(pixels.n_inside, 1)
        total, count = np.zeros(1), 0
        axes = range(3 - pixels.n_axes, 3)
        for outer, inner in pixels.strips(recipe.reach + 1):
            features, inside = recipe.features(pixels, outer)
            kept = within(outer, inner)
            drawn = np.zeros_like(inside)
            drawn[kept] = inside[kept] & pixels.chosen(inner, share, seed)
            for axis in axes:
                cells = np.array(np.nonzero(drawn))
                cells = cells[:, cells[axis] + 1 < inside.shape[axis]]
                neighbours = cells + (np.arange(3) == axis)[:, np.newaxis]
                cells = cells[:, inside[tuple(neighbours)]]
                neighbours = cells + (np.arange(3) == axis)[:, np.newaxis]
                steps = features[tuple(cells)] - features[tuple(neighbours)]
                total = total + np.sum(np.square(steps, dtype=np.float64), axis=0)
                count += len(steps)
        return cls(_factors(total / max(count, 1)))

    def scaled(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features in units of their edges, (..., n_features)."""
        return features * self.factors


def _factors(mean_square: NDArray[np.float64]) -> NDArray[np.float32]:
    varies = mean_square > 0
    factors = np.zeros(len(mean_square))
    factors[varies] = 1 / np.sqrt(mean_square[varies] * np.count_nonzero(varies))
    return factors.astype(np.float32)
