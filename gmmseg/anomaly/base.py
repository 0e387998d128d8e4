"""What detectors of tables share: learn from normal samples, score, adapt, save."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from gmmseg.anomaly.calibrated import CalibratedDetector, check_false_alarm, warn_if_few
from gmmseg.anomaly.detector_file import read_detector, write_detector
from gmmseg.anomaly.null_scores import NullScores
from gmmseg.anomaly.outliers import Learned, Mask, without_outliers
from gmmseg.anomaly.view import BACKENDS, View
from gmmseg.core.validation import check_above, check_samples, generator_of
from gmmseg.errors import InputError

Array = NDArray[np.float64]

ALL_BACKENDS = tuple(BACKENDS)


class DetectorBase(CalibratedDetector):
    """Learn from normal samples, score others; how samples are given is left to subclasses.

    ``X`` is what the subclass takes: one table, or a mapping of names to tables.
    """

    views_: dict[str, View]
    outliers_: NDArray[np.intp]

    def __init__(
        self,
        backends: Sequence[str] | None = None,
        *,
        false_alarm: float = 0.05,
        random_state: int | None = 0,
    ) -> None:
        self.backends = backends
        self.false_alarm = false_alarm
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn from normal samples.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features), or mapping of str to it
            At least 2 normal samples, in all tables in the same order. From 19 on, a false-alarm
            rate of 5 % is counted; with fewer it is extrapolated, and a warning says so.
            Strange ones among them, up to about a tenth, are left out if they are far from the
            others, and so is a kind of normal ones as rare and as far.
        y : None
            Ignored.

        Returns
        -------
        self : DetectorBase
            The fitted detector.

        Raises
        ------
        InputError
            If there are fewer than 2 samples, X holds NaN or infinity, tables have
            different numbers of rows, or an option cannot be used.
        """
        names = self._checked_backends()
        check_false_alarm(self.false_alarm)
        generator_of(self.random_state)  # refuses what is no seed
        tables = self._tables(X, None)
        n_samples = len(next(iter(tables.values())))
        if n_samples < 2:
            raise InputError(
                "normal samples must be at least 2, so that it can be seen how much they differ, "
                f"got {n_samples}"
            )

        def learn(kept: Mask) -> Learned[tuple[dict[str, View], Array]]:
            views, own = self._learned({k: X[kept] for k, X in tables.items()}, names)
            scores = _fused(views, tables)
            scores[kept] = own
            return Learned((views, own), scores, kept)

        labels = np.zeros(n_samples, dtype=np.intp)
        found = without_outliers(learn, lambda kept, _: learn(kept).scores, labels)
        self.views_, scores = found.model
        self.outliers_ = np.flatnonzero(~found.kept)
        self.null_ = NullScores.of(scores)
        warn_if_few(len(scores), self.false_alarm)
        return self

    def score_samples(self, X: Any) -> Array:
        """Return how strange samples are; higher is stranger, and normal ones lie about 0.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features), or mapping of str to it
            Samples of the same features.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Mean over views and back-ends of the log-distances, in deviations of normal ones.

        Raises
        ------
        InputError
            If the features are not those of `fit`, or hold NaN or infinity.
        NotFittedError
            If nothing was learned yet.
        """
        tables = self._tables(X, self._fitted())
        return _fused(self.views_, tables)

    def partial_fit(self, X: Any, y: object = None) -> Self:
        """Learn from one more block of normal samples: the first is fitted, further ones added.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features), or mapping of str to it
            Normal samples.
        y : None
            Ignored.

        Returns
        -------
        self : DetectorBase
            This detector.

        Raises
        ------
        InputError
            If the samples cannot be used.
        """
        if not hasattr(self, "null_"):
            return self.fit(X)
        moved = self.adapt(X)
        self.views_, self.null_ = moved.views_, moved.null_
        return self

    def adapt(self, X: Any, *, weight: float = 1.0) -> Self:
        """Return a new detector that knows further normal samples, without a refit.

        Sums are added and mixtures moved; numbers of components, axes and shrinkage stay. The new
        samples' scores, each by a detector adapted to the others, join those of normal samples.
        This detector stays as it is.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features), or mapping of str to it
            New normal samples.
        weight : float, default=1.0
            How many of the samples of `fit` each of these counts as, above 0.

        Returns
        -------
        adapted : DetectorBase
            The new detector.

        Raises
        ------
        InputError
            If the features are not those of `fit`, or weight is not above 0.
        NotFittedError
            If nothing was learned yet.
        """
        tables = self._tables(X, self._fitted())
        check_above("weight", weight, 0.0)
        moved = {name: self.views_[name].adapted(table, weight) for name, table in tables.items()}
        scores = np.mean([scores for _, scores in moved.values()], axis=0)
        new: Self = clone(self)
        new.views_ = {name: view for name, (view, _) in moved.items()}
        new.null_ = NullScores.of(np.concatenate([self.null_.scores, scores]))
        new.outliers_ = self.outliers_
        return new

    def save(self, path: str | PathLike[str]) -> None:
        """Write the detector to a model file, without pickle."""
        self._check_fitted()
        write_detector(path, self)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a detector from a model file that `save` wrote."""
        return read_detector(path, cls)

    def _learned(
        self, tables: Mapping[str, Array], names: Sequence[str]
    ) -> tuple[dict[str, View], Array]:
        learned = {
            name: View.learn(table, names, self.random_state) for name, table in tables.items()
        }
        scores = np.mean([scores for _, scores in learned.values()], axis=0)
        return {name: view for name, (view, _) in learned.items()}, scores

    def _fitted(self) -> dict[str, int]:
        """Return the numbers of features of the views, by name."""
        self._check_fitted()
        return {name: view.n_features for name, view in self.views_.items()}

    @abstractmethod
    def _tables(self, X: Any, known: Mapping[str, int] | None) -> dict[str, Array]:
        """Return checked tables by name; ``known`` are names and numbers of features of the fit."""

    def _checked_backends(self) -> tuple[str, ...]:
        names = ALL_BACKENDS if self.backends is None else tuple(self.backends)
        unknown = [name for name in names if name not in BACKENDS]
        if unknown or not names or isinstance(self.backends, str):
            raise InputError(
                f"backends must be some of {', '.join(ALL_BACKENDS)}, got {self.backends!r}"
            )
        return names


def _fused(views: Mapping[str, View], tables: Mapping[str, Array]) -> Array:
    """Return the mean of what all views score, (n_samples,)."""
    scores: Array = np.mean([views[name].scores(table) for name, table in tables.items()], axis=0)
    return scores


def checked_table(X: ArrayLike, n_features: int | None) -> Array:
    """Return one table as float64 without a missing entry."""
    table = check_samples(X, n_features).astype(np.float64)
    if np.isnan(table).any():
        is_missing = np.isnan(table).any(axis=1)
        raise InputError(
            f"X has NaN in {is_missing.sum()} of {len(table)} rows, first in row "
            f"{is_missing.argmax()}; remove these rows, or fill in what is missing"
        )
    return table
