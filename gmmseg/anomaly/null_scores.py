"""What normal samples score: from a score to its p-value, and from a rate to a threshold."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TAIL = 0.1
"""Share of the normal scores that the tail is fitted to."""
LEAST_TAIL = 10
"""Number of scores that it is fitted to at least, if there are twice as many."""
LEAST_SCORES = 4
"""Number of scores from which on the tail has an excess, so that it can be extrapolated."""
LEAST_EXCESS = 1e-3
"""Sum of excesses where all scores of the tail are equal."""


@dataclass(frozen=True, eq=False)
class NullScores:
    """Hold the scores of normal samples, by models that had not seen them.

    A further normal sample exceeds the k-th largest of n scores with probability ``k / (n + 1)``,
    whatever their distribution: this is the p-value there, and between two scores it lies between,
    linearly. Beyond the largest it follows an exponential tail, of which the mean excess is known
    from the ``m - 1`` largest scores above the m-th: seen from there, the next excess follows a
    generalised Pareto distribution of shape ``1 / (m - 1)``, heavier the fewer they are.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        The scores, ascending.
    """

    scores: Array

    @classmethod
    def of(cls, scores: Array) -> "NullScores":
        """Return the null scores of unsorted ones."""
        return cls(np.sort(scores))

    def p_values(self, scores: Array) -> Array:
        """Return how likely a normal sample is to score as high, (n_samples,), above 0."""
        n, known = len(self.scores), self.scores
        first = np.searchsorted(known, scores, side="left")  # of those that are as high
        low, high = known[np.maximum(first - 1, 0)], known[np.minimum(first, n - 1)]
        gap = np.where(high > low, high - low, 1.0)
        # From the next lower score on: 1 there, 0 at the next higher.
        share = np.where((first > 0) & (first < n), (high - scores) / gap, 0.0)
        p_values: Array = np.where(first == 0, 1.0, (n - first + share) / (n + 1))
        p_values = np.where((first == 0) & (scores == known[0]), n / (n + 1), p_values)
        beyond = scores > known[-1]
        excess = np.where(beyond, scores - known[-1], 0.0)
        tail = (1.0 + excess / self._scale) ** -float(self._n_excesses) / (n + 1)
        return np.maximum(np.where(beyond, tail, p_values), np.finfo(np.float64).tiny)

    def threshold(self, false_alarm: float) -> float:
        """Return the score whose p-value is ``false_alarm``; infinity where none is as small."""
        n, place = len(self.scores), false_alarm * (len(self.scores) + 1)
        if place < 1.0:
            if self._n_excesses == 0:
                return float("inf")
            ratio = place ** (-1.0 / self._n_excesses)
            return float(self.scores[-1] + self._scale * (ratio - 1.0))
        return float(np.interp(-place, -np.arange(n, 0, -1.0), self.scores))

    @property
    def _n_tail(self) -> int:
        n = len(self.scores)
        return max(int(np.ceil(TAIL * n)), min(LEAST_TAIL, n // 2), 1)

    @property
    def _n_excesses(self) -> int:
        return self._n_tail - 1

    @cached_property
    def _scale(self) -> float:
        """Scale of the Pareto distribution: number of excesses times their mean."""
        tail = self.scores[-self._n_tail :]
        return max(float((tail - tail[0]).sum()), LEAST_EXCESS)
