"""SQUAREM: a leap along the way that EM has gone, kept only where it is as good as its last step.

Near its end EM goes the same way in ever shorter steps. Two of them show how fast they shorten, and
so about where they would end: a leap there saves many.
"""

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance_base import Floor
from gmmseg.core.parameters import MixtureParameters

FIRST_PLAIN = 10  # iterations before the first leap: at the beginning the way still turns
FIRST_LIMIT, WIDENING = 4.0, 4.0  # of a leap, in steps; and how its limit grows and shrinks
SMALLEST_WEIGHT = 1e-300  # whose logarithm is finite

Array = NDArray[np.float64]
Way = tuple[Array, Array, Array]


class Leaps:
    """Propose a leap after every two steps of EM, or none at all.

    Parameters
    ----------
    is_on : bool, default=True
        Whether there are leaps.

    References
    ----------
    Varadhan, Roland (2008), "Simple and globally convergent methods for accelerating the
    convergence of any EM algorithm", section 3 (scheme S3).
    """

    def __init__(self, *, is_on: bool = True) -> None:
        self._is_on = is_on
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the way: something else than a step of EM changed the mixture."""
        self._path: list[MixtureParameters] = []
        self._n_steps = 0
        self._limit = FIRST_LIMIT
        self._is_at_limit = False

    def propose(
        self, before: MixtureParameters, after: MixtureParameters, floor: Floor
    ) -> MixtureParameters | None:
        """Return where a leap leads after the step from one mixture to the next, if it is time."""
        self._n_steps += 1
        self._path = [*(self._path or [before]), after]
        if not self._is_on or len(self._path) < 3 or self._n_steps < FIRST_PLAIN:
            self._path = self._path[-2:]
            return None
        (origin, middle, end), self._path = self._path, []
        first, second = _way(origin, middle), _way(middle, end)
        bend = tuple(b - a for a, b in zip(first, second, strict=True))
        length, its_bend = _length(first, origin), _length(bend, origin)
        if not (np.isfinite(length) and its_bend > 0.0):
            return None
        reach = min(length / its_bend, self._limit)
        self._is_at_limit = reach == self._limit
        if reach <= 1.0:  # no further than the steps themselves
            return None
        # origin + 2 reach first + reach^2 bend
        leap = tuple(2.0 * reach * a + reach**2 * b for a, b in zip(first, bend, strict=True))
        return _moved(origin, leap, floor)

    def judge(self, *, was_good: bool) -> None:
        """Let the next leaps be longer where a long one was good, shorter where it was not."""
        if was_good and self._is_at_limit:
            self._limit *= WIDENING
        elif not was_good:
            self._limit = max(FIRST_LIMIT, self._limit / WIDENING)


def _way(start: MixtureParameters, end: MixtureParameters) -> Way:
    """Return the difference of log weights, the noise last, of means and of covariances."""
    weights = np.log(_all_weights(end)) - np.log(_all_weights(start))
    return weights, end.means - start.means, end.covariances - start.covariances


def _all_weights(parameters: MixtureParameters) -> Array:
    """Return the weights, the noise last, as far above 0 as a logarithm needs them to be."""
    return np.maximum(parameters.shares, SMALLEST_WEIGHT)


def _length(way: tuple[Array, ...], origin: MixtureParameters) -> float:
    """Return how far a way leads, whatever the units and turns of the features."""
    weights, means, covariances = way
    factors = origin.component_factors
    spread = origin.family.per_component(covariances, *origin.means.shape)
    if factors.ndim == 3:
        moved = np.einsum("kde,kd->ke", factors, means)
        widened = np.swapaxes(factors, 1, 2) @ spread @ factors
    else:
        moved, widened = means * factors, spread * factors**2
    by_component = (moved**2).sum(axis=1) + 0.5 * (widened**2).reshape(len(means), -1).sum(axis=1)
    squares = _all_weights(origin) @ weights**2 + origin.weights @ by_component
    return float(np.sqrt(squares))


def _moved(
    origin: MixtureParameters, way: tuple[Array, ...], floor: Floor
) -> MixtureParameters | None:
    """Return the mixture at the end of a way, or None where it leads out of all bounds."""
    weights, means, covariances = way
    log_weights = np.log(_all_weights(origin)) + weights
    shares = np.exp(log_weights - log_weights.max())
    found = origin.covariances + covariances
    if not (np.isfinite(found).all() and np.isfinite(means).all()):
        return None
    spelled_out = origin.family.per_component(found, *origin.means.shape)
    raised = origin.family.estimate(spelled_out, shares[: len(means)], floor)
    return origin.replaced(means=origin.means + means, covariances=raised).weighed(
        shares / shares.sum()
    )
