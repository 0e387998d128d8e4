"""How strongly the pixels of an image differ from their neighbours: the unit of its edges."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LARGEST = 1e38  # factor that float32 holds


@dataclass(frozen=True, eq=False)
class ContrastScale:
    """What every feature is multiplied with, so that neighbours differ by 1 in the mean square.

    All features together make that one, so that their number does not matter.

    Parameters
    ----------
    factors : ndarray of float32 of shape (n_features,)
        One factor for every feature; 0 for a feature that is constant.
    """

    factors: NDArray[np.float32]

    def scaled(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features in units of their edges, (..., n_features)."""
        return features * self.factors


class NeighbourSquares:
    """The mean squared difference of neighbours, feature by feature, added up over parts."""

    def __init__(self, n_axes: int) -> None:
        self._n_axes = n_axes
        self._total = np.zeros(1)
        self._count = 0

    def add(
        self,
        features: NDArray[np.float32],
        inside: NDArray[np.bool_],
        chosen: NDArray[np.bool_],
    ) -> None:
        """Compare the chosen pixels of a part with the next along every axis, where both are used.

        ``features`` is (planes, rows, cols, n_features), the others (planes, rows, cols).
        """
        for steps in neighbour_steps(features, inside, chosen, self._n_axes):
            self._total = self._total + np.sum(np.square(steps, dtype=np.float64), axis=0)
            self._count += len(steps)

    def scale(self) -> ContrastScale:
        """Return the factors that make the mean square 1."""
        mean_square = self._total / max(self._count, 1)
        varies = mean_square > 0
        factors = np.zeros(len(mean_square))
        factors[varies] = 1 / np.sqrt(mean_square[varies] * np.count_nonzero(varies))
        return ContrastScale(np.minimum(factors, _LARGEST).astype(np.float32))


def neighbour_steps(
    features: NDArray[np.float32],
    inside: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    n_axes: int,
) -> list[NDArray[np.float32]]:
    """Return how the chosen pixels differ from the next along every axis, where both are used.

    ``features`` is (planes, rows, cols, n_features), the others (planes, rows, cols); the result
    is an array (n, n_features) for each of the last ``n_axes`` axes.
    """
    cells = np.argwhere(chosen)
    steps = []
    for axis in range(3 - n_axes, 3):
        here = cells[cells[:, axis] + 1 < inside.shape[axis]]
        beside = here + (np.arange(3) == axis)
        both = inside[tuple(beside.T)]
        steps.append(features[tuple(here[both].T)] - features[tuple(beside[both].T)])
    return steps
