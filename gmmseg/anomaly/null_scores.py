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
LEAST_EXCESS = 1e-3
"""Mean excess where all scores of the tail are equal."""


@dataclass(frozen=True, eq=False)
class NullScores:
    """Hold the scores of normal samples, by models that had not seen them.

    In the body a p-value is the rank, ``(1 + #{scores >= s}) / (n + 1)``, which is exactly uniform
    on further normal samples. Above the ``m`` largest scores it follows an exponential tail, of
    which the mean excess is known from ``m - 1`` of them: seen from there, the next excess follows
    a generalised Pareto distribution of shape ``1 / (m - 1)``, heavier the fewer they are.

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
        n = len(self.scores)
        rank = (1 + n - np.searchsorted(self.scores, scores, side="left")) / (n + 1)
        excess = np.maximum(scores - self._start, 0.0)
        tail = self._tail_share * (1.0 + excess / self._scale) ** -float(self._n_excesses)
        is_tail = (scores > self._start) & (self._n_excesses > 0)
        p_values: Array = np.where(is_tail, tail, rank)
        return np.maximum(p_values, np.finfo(np.float64).tiny)

    def threshold(self, false_alarm: float) -> float:
        """Return the score whose p-value is ``false_alarm``; infinity where none is as small."""
        n = len(self.scores)
        if false_alarm >= self._tail_share or self._n_excesses == 0:
            n_above = int(np.floor(false_alarm * (n + 1) + 1e-9)) - 1
            if n_above < 0:
                return float("inf")
            return float(np.nextafter(self.scores[max(n - n_above, 1) - 1], np.inf))
        ratio = self._tail_share / false_alarm
        return self._start + self._scale * (ratio ** (1.0 / self._n_excesses) - 1.0)

    @property
    def _n_tail(self) -> int:
        n = len(self.scores)
        return max(int(np.ceil(TAIL * n)), min(LEAST_TAIL, n // 2), 1)

    @property
    def _n_excesses(self) -> int:
        return self._n_tail - 1

    @property
    def _tail_share(self) -> float:
        return self._n_tail / (len(self.scores) + 1)

    @property
    def _start(self) -> float:
        return float(self.scores[-self._n_tail])

    @cached_property
    def _scale(self) -> float:
        """Scale of the Pareto distribution: number of excesses times their mean."""
        return max(float((self.scores[-self._n_tail :] - self._start).sum()), LEAST_EXCESS)
