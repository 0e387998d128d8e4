"""AnomalyDetector: how strange samples of one table are, from normal ones alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.anomaly.base import DetectorBase, checked_table

Array = NDArray[np.float64]

NAME = "X"  # of the only view


class AnomalyDetector(DetectorBase):
    """Detector of strange samples, learned from normal ones alone.

    Several back-ends measure squared distances from normal: their logarithms, brought to median 0
    and deviation 1 on the normal samples, are averaged. All settings are chosen from the normal
    samples, and no feature's unit or offset matters. What a score means is read from the scores of
    the normal samples themselves, each by models that have not seen it.

    Parameters
    ----------
    backends : sequence of {"gaussian", "mixture", "neighbors", "residual"}, optional
        Ways to measure: one Gaussian with shrunk correlations; a mixture; the nearest normal
        samples; what the main axes leave unexplained. All if None. Their numbers of components and
        axes and their shrinkage are chosen by held-out likelihood of normal samples.
    false_alarm : float, default=0.05
        Share of normal samples that `predict` may call strange, between 0 and 1.
    random_state : int or None, default=0
        Seed of the starts of mixtures.

    Attributes
    ----------
    views_ : dict of str to View
        What was learned, the table being the only view.
    null_ : NullScores
        Scores of normal samples.
    outliers_ : ndarray of int of shape (n_outliers,)
        Samples given as normal that were so strange that they were left out, by their number.

    Examples
    --------
    >>> import numpy as np
    >>> normal = np.random.default_rng(0).normal(size=(200, 3))
    >>> detector = AnomalyDetector().fit(normal)
    >>> detector.predict([[0.0, 0.5, 0.0], [0.0, 0.0, 7.0]])
    array([False,  True])
    >>> detector.contributions([[0.0, 0.0, 7.0]]).argmax()
    np.int64(2)
    """

    def contributions(self, X: ArrayLike) -> Array:
        """Return what each feature adds to how strange samples are.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples of the same features.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features)
            At least 0. Rows sum to the squared distance from normal, over several
            back-ends the geometric mean of theirs; with the Gaussian alone, that of Mahalanobis.

        Raises
        ------
        InputError
            If the features are not those of `fit`, or hold NaN or infinity.
        NotFittedError
            If nothing was learned yet.

        References
        ----------
        Kessy, Lewin, Strimmer (2018), "Optimal whitening and decorrelation",
        DOI 10.1080/00031305.2016.1277159.
        """
        tables = self._tables(X, self._fitted())
        return self.views_[NAME].contributions(tables[NAME])

    def _tables(self, X: Any, known: Mapping[str, int] | None) -> dict[str, Array]:
        return {NAME: checked_table(X, None if known is None else known[NAME])}
