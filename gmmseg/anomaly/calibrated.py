"""What detectors of tables, images and sounds share: normal ones tell what a score means."""

import warnings
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from gmmseg.anomaly.null_scores import LEAST_SCORES, NullScores
from gmmseg.core.validation import check_number
from gmmseg.errors import GmmsegWarning, InputError, NotFittedError

Array = NDArray[np.float64]


class CalibratedDetector(BaseEstimator, ABC):
    """Judge samples by what normal ones scored; how samples are given is left to subclasses.

    ``X`` is what the subclass takes: a table or several, images, sounds.
    """

    false_alarm: float
    null_: NullScores

    @abstractmethod
    def score_samples(self, X: Any) -> Array:
        """Return how strange samples are, (n_samples,); higher is stranger."""

    def p_values(self, X: Any) -> Array:
        """Return how likely a normal sample is to be as strange.

        On normal samples they are uniform from 0 to 1. Beyond the strangest normal sample they are
        extrapolated, by a tail that is the heavier the fewer samples there were.

        Parameters
        ----------
        X : as in `score_samples`
            Samples to judge.

        Returns
        -------
        p_values : ndarray of shape (n_samples,)
            Above 0, at most 1.

        Raises
        ------
        InputError
            If the samples cannot be used.
        NotFittedError
            If nothing was learned yet.
        """
        scores = self.score_samples(X)
        return self.null_.p_values(scores)

    def predict(self, X: Any) -> NDArray[np.bool_]:
        """Return whether samples are strange: whether their p-value is at most ``false_alarm``.

        Parameters
        ----------
        X : as in `score_samples`
            Samples to judge.

        Returns
        -------
        is_strange : ndarray of bool of shape (n_samples,)
            True for strange ones.

        Raises
        ------
        InputError
            If the samples cannot be used.
        NotFittedError
            If nothing was learned yet.
        """
        check_false_alarm(self.false_alarm)
        return self.p_values(X) <= self.false_alarm

    @property
    def threshold_(self) -> float:
        """The score of which the p-value is ``false_alarm``; infinity if normals are too few."""
        self._check_fitted()
        check_false_alarm(self.false_alarm)
        return self.null_.threshold(self.false_alarm)

    def _check_fitted(self) -> None:
        if not hasattr(self, "null_"):
            raise NotFittedError(f"this {type(self).__name__} has learned nothing yet; call fit")


def check_false_alarm(false_alarm: float) -> None:
    """Refuse what is no rate of false alarms."""
    check_number("false_alarm", false_alarm, least=0.0)
    if not 0.0 < false_alarm < 1.0:
        raise InputError(f"false_alarm must lie between 0 and 1, got {false_alarm}")


def warn_if_few(n_samples: int, false_alarm: float, things: str = "samples") -> None:
    """Warn the caller of `fit` where normal samples are too few to count the rate."""
    if 1.0 / (n_samples + 1) <= false_alarm:
        return
    subject = f"{n_samples} normal {things} are" if n_samples > 1 else f"1 normal {things[:-1]} is"
    if n_samples < LEAST_SCORES:
        outlook = (
            "let alone to extrapolate it: nothing will ever be called anomalous; "
            f"{LEAST_SCORES} would be extrapolated from"
        )
    else:
        outlook = "which is extrapolated"
    warnings.warn(
        f"{subject} too few to count a false-alarm rate of {false_alarm:g}, {outlook}; "
        f"{int(np.ceil(1 / false_alarm)) - 1} would do",
        GmmsegWarning,
        stacklevel=3,
    )
