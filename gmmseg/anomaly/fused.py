"""FusedDetector: how strange samples are, from several tables about them and normal ones alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.base import DetectorBase, checked_table
from gmmseg.errors import InputError

Array = NDArray[np.float64]


class FusedDetector(DetectorBase):
    """Detector of strange samples that are described by several tables, called views.

    A view may be the same recordings pooled in another way, or another kind of feature. In each,
    several back-ends measure squared distances from normal: their logarithms, brought to median 0
    and deviation 1 on the normal samples, are averaged over back-ends and views. Nothing is learned
    from a strange sample, and no feature's unit or offset matters. What a score means is read from
    the scores of the normal samples themselves, each by models that have not seen it.

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
        What was learned of each table.
    null_ : NullScores
        Scores of normal samples.
    outliers_ : ndarray of int of shape (n_outliers,)
        Samples given as normal that were so strange that they were left out, by their number.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> normal = {"level": rng.normal(size=(60, 2)), "shape": rng.normal(size=(60, 3))}
    >>> detector = FusedDetector().fit(normal)
    >>> new = {"level": [[0.0, 0.0], [0.0, 9.0]], "shape": np.zeros((2, 3))}
    >>> detector.predict(new)
    array([False,  True])
    """

    def contributions(self, X: Any) -> dict[str, Array]:
        """Return what each feature of each view adds to how strange samples are.

        Parameters
        ----------
        X : mapping of str to array_like of shape (n_samples, n_features)
            The tables of `fit`, of other samples.

        Returns
        -------
        contributions : dict of str to ndarray of shape (n_samples, n_features)
            At least 0. In each view rows sum to the squared distance from normal, over several
            back-ends the geometric mean of theirs; with the Gaussian alone, that of Mahalanobis.

        Raises
        ------
        InputError
            If the tables are not those of `fit`, or hold NaN or infinity.
        NotFittedError
            If nothing was learned yet.

        References
        ----------
        Kessy, Lewin, Strimmer (2018), "Optimal whitening and decorrelation",
        DOI 10.1080/00031305.2016.1277159.
        """
        tables = self._tables(X, self._fitted())
        return {name: self.views_[name].contributions(table) for name, table in tables.items()}

    def _tables(self, X: Any, known: Mapping[str, int] | None) -> dict[str, Array]:
        """Return checked tables of one length, in the order of those of the fit if there are."""
        if not isinstance(X, Mapping) or not X:
            raise InputError(
                f"X must be a mapping of names to tables, got {type(X).__name__}; "
                "for one table use AnomalyDetector"
            )
        if known is not None and set(X) != set(known):
            raise InputError(f"X must hold the views {sorted(known)}, got {sorted(map(str, X))}")
        tables = {}
        for name in X if known is None else known:
            try:
                tables[str(name)] = checked_table(X[name], None if known is None else known[name])
            except InputError as error:
                raise InputError(f"view {name!r}: {error}") from None
        lengths = {name: len(table) for name, table in tables.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"all views must have the same samples, got numbers {lengths}")
        return tables
