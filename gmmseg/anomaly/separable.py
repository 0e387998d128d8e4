"""A Gaussian over samples that are small tables, its covariance a product of rows' and columns'.

Where a sample has many features and samples are few, a full covariance is mostly noise. If the
features are a table (poolings x bands, places x colours),
``covariance[r, c; s, d] = R[r, s] * C[c, d]`` has few parameters and still knows which rows say
the same (the matrix normal distribution).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.moments import Moments

Array = NDArray[np.float64]

N_ROUNDS = 8  # of estimating rows given columns, and columns given rows
SMALLEST = 1e-30  # mean variance that counts as some


@dataclass(frozen=True)
class Shrinkage:
    """How far estimates are shrunk towards simpler ones, each from 0 to 1.

    Parameters
    ----------
    rows : float
        Of the rows' covariance towards a multiple of the identity.
    columns : float
        Of the columns' covariance, likewise.
    product : float
        Of the covariance of all features towards the product of the two.
    """

    rows: float
    columns: float
    product: float


@dataclass(frozen=True, eq=False)
class SeparableGaussian:
    """Measure squared Mahalanobis distances of tables from a mean.

    The covariance is ``W^-1 (p I + (1 - p) W S W') W^-T``: W whitens by the product of rows and
    columns, S is the covariance of all features, p the shrinkage towards the product.

    Parameters
    ----------
    row_whitener : ndarray of shape (n_rows, n_rows)
        Symmetric; brings rows to unit covariance.
    column_whitener : ndarray of shape (n_columns, n_columns)
        Symmetric; brings columns to unit covariance.
    values : ndarray of shape (n_rows * n_columns,)
        Eigenvalues of the covariance so whitened.
    axes : ndarray of shape (n_rows * n_columns, n_rows * n_columns) or None
        Its eigenvectors, one a column; None for those of the identity.
    """

    row_whitener: Array
    column_whitener: Array
    values: Array
    axes: Array | None

    @classmethod
    def of_scatter(
        cls, scatter: Array, shape: tuple[int, int], shrinkage: Shrinkage, floor: float
    ) -> "SeparableGaussian":
        """Return the Gaussian of a covariance of all features.

        Parameters
        ----------
        scatter : ndarray of shape (n_rows * n_columns, n_rows * n_columns)
            Covariance of the features, row after row.
        shape : tuple of int
            Numbers of rows and columns.
        shrinkage : Shrinkage
            How far to shrink.
        floor : float
            Least variance of a column, above 0.
        """
        rows, columns = factors(scatter, shape, shrinkage, floor)
        row_whitener, column_whitener = _inverse_root(rows), _inverse_root(columns)
        n_features = len(scatter)
        if shrinkage.product == 1.0:
            return cls(row_whitener, column_whitener, np.ones(n_features), None)
        whitener = np.kron(row_whitener, column_whitener)
        values, axes = np.linalg.eigh(whitener @ scatter @ whitener.T)
        values = shrinkage.product + (1.0 - shrinkage.product) * np.maximum(values, 0.0)
        return cls(row_whitener, column_whitener, values, axes)

    @property
    def log_determinant(self) -> float:
        """Log-determinant of the covariance."""
        n_rows, n_columns = len(self.row_whitener), len(self.column_whitener)
        rows = np.linalg.slogdet(self.row_whitener)[1]
        columns = np.linalg.slogdet(self.column_whitener)[1]
        return float(np.log(self.values).sum() - 2.0 * (n_columns * rows + n_rows * columns))

    def whitened(self, dev: Array) -> Array:
        """Return deviations (n_samples, n_features) as uncorrelated features, near to their own."""
        shape = len(self.row_whitener), len(self.column_whitener)
        tables = dev.reshape(-1, *shape)
        white = (self.row_whitener @ tables @ self.column_whitener).reshape(len(dev), -1)
        if self.axes is None:
            return white
        return (white @ self.axes / np.sqrt(self.values)) @ self.axes.T

    def distances(self, dev: Array) -> Array:
        """Return the squared Mahalanobis distances of deviations from the mean, (n_samples,)."""
        distances: Array = (self.whitened(dev) ** 2).sum(axis=1)
        return distances


def factors(
    scatter: Array, shape: tuple[int, int], shrinkage: Shrinkage, floor: float
) -> tuple[Array, Array]:
    """Return the covariances of rows, of mean variance 1, and of columns, whose product fits best.

    Each in turn is the mean over the other's whitened axes (Dutilleul 1999, "The MLE algorithm for
    the matrix normal distribution", equations 2 and 3), shrunk before it serves.
    """
    n_rows, n_columns = shape
    covariance = scatter.reshape(n_rows, n_columns, n_rows, n_columns).transpose(0, 2, 1, 3)
    rows, columns = np.eye(n_rows), np.eye(n_columns)
    for _ in range(N_ROUNDS if n_rows > 1 else 1):
        columns = np.tensordot(np.linalg.inv(rows), covariance, 2) / n_rows
        columns = _shrunk(columns, shrinkage.columns) + floor * np.eye(n_columns)
        if n_rows > 1:
            rows = np.tensordot(covariance, np.linalg.inv(columns), 2) / n_columns
            mean = max(np.trace(rows) / n_rows, SMALLEST)
            rows = _shrunk(rows / mean, max(shrinkage.rows, 1e-9))
            if mean == SMALLEST:
                rows = np.eye(n_rows)
    return rows, columns


def pooled_scatter(domains: Sequence[Moments]) -> Array:
    """Return the covariance of samples about the mean of their own domain, as of new samples.

    Of n samples with k means the sum of squares is known about n - k ways, and a mean is itself
    uncertain: the factor is ``(n + k) / (n - k)``.
    """
    n, k = sum(domain.count for domain in domains), len(domains)
    total = np.sum([domain.count * domain.scatter for domain in domains], axis=0) / n
    scatter: Array = total * ((n + k) / max(n - k, 0.5))
    return scatter


def _shrunk(covariance: Array, share: float) -> Array:
    mean = np.trace(covariance) / len(covariance)
    shrunk: Array = (1.0 - share) * covariance + share * mean * np.eye(len(covariance))
    return 0.5 * (shrunk + shrunk.T)


def _inverse_root(covariance: Array) -> Array:
    """Return the symmetric inverse square root."""
    values, axes = np.linalg.eigh(covariance)
    root: Array = (axes / np.sqrt(np.maximum(values, 1e-12 * values[-1]))) @ axes.T
    return root
