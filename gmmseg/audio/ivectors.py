"""Total variability: the ways in which recordings move a background mixture, and how far one does.

The means of a recording are ``means_k + shift_k + loadings_k @ z``, with ``z`` standard normal; its
i-vector is the ``z`` that is expected given its statistics.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import as_numbers, check_number
from gmmseg.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TotalVariability:
    """Hold the directions in which recordings move the means of a background mixture.

    Parameters
    ----------
    spread : array_like of shape (n_components, n_features)
        Standard deviations of the background mixture, whose covariances are diagonal.
    shift : array_like of shape (n_components, n_features)
        Mean of all recordings, from the means of the background mixture.
    loadings : array_like of shape (n_components, n_features, n_dims)
        What a unit of each dimension adds to the means, in the units of the features.

    Raises
    ------
    InputError
        If shapes do not fit together, a number is not finite or a spread is not above 0.

    References
    ----------
    Kenny, Boulianne, Dumouchel (2005), "Eigenvoice modeling with sparse training data", section
    II.
    Dehak, Kenny, Dehak, Dumouchel, Ouellet (2011), "Front-end factor analysis for speaker
    verification", section III-A.

    Examples
    --------
    >>> import numpy as np
    >>> model = TotalVariability(np.ones((1, 1)), np.zeros((1, 1)), 2.0 * np.ones((1, 1, 1)))
    >>> model.n_dims
    1
    """

    spread: Array
    shift: Array
    loadings: Array

    def __post_init__(self) -> None:
        """Convert, check and freeze the arrays."""
        for name in ("spread", "shift", "loadings"):
            array = as_numbers(getattr(self, name), name)
            if not np.isfinite(array).all():
                raise InputError(f"{name} must be finite, got NaN or infinity")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        shapes = (self.spread.shape, self.shift.shape, self.loadings.shape[:2])
        if self.loadings.ndim != 3 or len(set(shapes)) != 1:
            raise InputError(
                f"spread, shift and loadings do not fit together: {self.spread.shape}, "
                f"{self.shift.shape}, {self.loadings.shape}"
            )
        if not (self.spread > 0.0).all():
            raise InputError(f"spread must be above 0, got {self.spread.min()}")

    @property
    def n_dims(self) -> int:
        """Number of dimensions of an i-vector."""
        return self.loadings.shape[2]


def fit_total_variability(
    statistics: Sequence[SufficientStatistics],
    spread: Array,
    *,
    n_dims: int = 40,
    n_iter: int = 10,
) -> TotalVariability:
    """Fit the directions in which recordings differ by EM, from the largest principal components.

    Parameters
    ----------
    statistics : sequence of SufficientStatistics
        One for each recording, or window of one, all under the same background mixture.
    spread : ndarray of shape (n_components, n_features)
        Standard deviations of that mixture.
    n_dims : int, default=40
        Number of directions; of fewer recordings as many as there are.
    n_iter : int, default=10
        Number of iterations, each with a step that makes i-vectors standard normal (minimum
        divergence).

    Returns
    -------
    model : TotalVariability
        The fitted model.

    Raises
    ------
    InputError
        If there are no recordings, or n_dims or n_iter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from gmmseg.core import MixtureParameters, expectation
    >>> ubm = MixtureParameters([1.0], [[0.0, 0.0]], [[1.0, 1.0]], covariance_type="diag")
    >>> rows = [np.full((50, 2), level) for level in ([3.0, 0.0], [-3.0, 0.0], [1.0, 0.0])]
    >>> statistics = [expectation(X, ubm) for X in rows]
    >>> model = fit_total_variability(statistics, np.ones((1, 2)), n_dims=1)
    >>> ivectors(statistics, model).round(1)
    array([[ 1.1],
           [-1.3],
           [ 0.3]])
    """
    check_number("n_dims", n_dims, least=1, is_whole=True)
    check_number("n_iter", n_iter, least=0, is_whole=True)
    counts, sums = _stacked(statistics, spread)
    model = _principal_directions(counts, sums, spread, n_dims)
    for _ in range(n_iter):
        model = _better(counts, sums, model)
    return model


def ivectors(statistics: Sequence[SufficientStatistics], model: TotalVariability) -> Array:
    """Return the i-vectors of recordings: how far each goes in every direction.

    Parameters
    ----------
    statistics : sequence of SufficientStatistics
        One for each recording, under the background mixture of the model. Neighbouring frames
        say much the same; ``statistics.scale(0.3)`` believes a third of them.
    model : TotalVariability
        The model.

    Returns
    -------
    vectors : ndarray of shape (n_recordings, n_dims)
        Means of ``z`` given the frames: ``inverse(1 + sum_k n_k T_k' T_k) @ sum_k T_k' f_k`` with
        counts ``n`` and deviations ``f``, both ``T`` and ``f`` in units of the spread.

    Raises
    ------
    InputError
        If the statistics are not of the background mixture of the model.

    Examples
    --------
    >>> import numpy as np
    >>> from gmmseg.core import MixtureParameters, expectation
    >>> ubm = MixtureParameters([1.0], [[0.0]], [[1.0]], covariance_type="diag")
    >>> model = TotalVariability(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1, 1)))
    >>> ivectors([expectation([[2.0]], ubm), expectation([[2.0]] * 9, ubm)], model)
    array([[1. ],
           [1.8]])
    """
    counts, sums = _stacked(statistics, model.spread)
    return _posterior(counts, sums, model)[0]


def _stacked(statistics: Sequence[SufficientStatistics], spread: Array) -> tuple[Array, Array]:
    """Return counts, (n, n_components), and deviations in units of the spread, (n, ..., d)."""
    if not statistics:
        raise InputError("statistics of at least one recording are needed, got none")
    got = {one.dev_sum.shape for one in statistics}
    if got != {spread.shape}:
        raise InputError(
            f"statistics must be of {spread.shape[0]} components and {spread.shape[1]} features, "
            f"got shapes {sorted(got)}"
        )
    counts = np.array([one.resp_sum for one in statistics])
    return counts, np.array([one.dev_sum for one in statistics]) / spread


def _posterior(counts: Array, sums: Array, model: TotalVariability) -> tuple[Array, Array]:
    """Return means and covariances of z given each recording."""
    directions = model.loadings / model.spread[:, :, None]
    sums = sums - counts[:, :, None] * (model.shift / model.spread)
    squares = np.einsum("kdi,kdj->kij", directions, directions)
    precisions = np.eye(model.n_dims) + np.einsum("nk,kij->nij", counts, squares, optimize=True)
    pulls = np.einsum("nkd,kdi->ni", sums, directions, optimize=True)
    covariances = np.linalg.inv(precisions)
    return np.einsum("nij,nj->ni", covariances, pulls), covariances


def _better(counts: Array, sums: Array, model: TotalVariability) -> TotalVariability:
    """Return the model after one iteration of EM and a step of minimum divergence."""
    means, covariances = _posterior(counts, sums, model)
    seconds = covariances + means[:, :, None] * means[:, None, :]
    shift = model.shift / model.spread
    dev = sums - counts[:, :, None] * shift
    # Per component, in units of the spread: T_k = (sum_n f_nk z_n') inverse(sum_n n_nk E[z z']).
    cross = np.einsum("nkd,ni->kdi", dev, means, optimize=True)
    weight = np.einsum("nk,nij->kij", counts, seconds, optimize=True)
    one = np.eye(model.n_dims)
    is_used = counts.sum(axis=0) > 0.0
    weight[~is_used] = one
    directions = np.swapaxes(np.linalg.solve(weight, np.swapaxes(cross, 1, 2)), 1, 2)
    center = means.mean(axis=0)
    about = seconds.mean(axis=0) - np.outer(center, center)
    shift = shift + directions @ center
    directions = directions @ _root(about)
    return TotalVariability(
        model.spread, shift * model.spread, directions * model.spread[:, :, None]
    )


def _root(matrix: Array) -> Array:
    """Return the symmetric root, which turns nothing where the matrix is near the identity."""
    values, axes = np.linalg.eigh(0.5 * (matrix + matrix.T))
    root: Array = (axes * np.sqrt(np.maximum(values, 0.0))) @ axes.T
    return root


def _principal_directions(
    counts: Array, sums: Array, spread: Array, n_dims: int
) -> TotalVariability:
    """Return the principal components of means shrunk by one frame's worth of the background."""
    means = sums / (counts + 1.0)[:, :, None]
    center = means.mean(axis=0)
    rows = (means - center).reshape(len(means), -1)
    _, lengths, axes = np.linalg.svd(rows, full_matrices=False)
    n_dims = min(n_dims, len(lengths))
    directions = (axes[:n_dims].T * (lengths[:n_dims] / np.sqrt(len(rows)))).reshape(
        *spread.shape, n_dims
    )
    # The largest entry of every direction is positive: the same data give the same signs.
    flat = directions.reshape(-1, n_dims)
    largest = np.take_along_axis(flat, np.abs(flat).argmax(axis=0)[None], axis=0)[0]
    directions = directions * np.where(largest < 0.0, -1.0, 1.0)
    return TotalVariability(spread, center * spread, directions * spread[:, :, None])
