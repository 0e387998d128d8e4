"""Symmetric matrices of many rows, one at a time: where a stack of small ones would be slow.

What waits for memory as much as for arithmetic is done in place.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, lapack, solve_triangular

NARROW = 16  # rows up to which matrices are worked through as one stack
SLACK = 1e-6  # share of the floor that an eigenvalue may lack, as rounding makes of one at it
MOST_COLUMNS = 0.6  # of a thin factor, as a share of its rows: from there on it saves no time

Array = NDArray[np.float64]


def raise_eigenvalues(matrix: Array, floor: float) -> None:
    """Raise the eigenvalues of a symmetric matrix to at least ``floor``.

    They cost many times what a Cholesky factor does. So they are only taken where one is below the
    floor, and not even then if all of these are zero, as with samples fewer than features: these
    belong to whatever no sample has.
    """
    if is_above(matrix, floor):
        return
    thin = thin_factor(matrix, SLACK * floor)
    if thin is None:
        values, axes = eigh(matrix, subset_by_value=(-np.inf, floor))
        lacking = axes * np.sqrt(floor - values)
        matrix += lacking @ lacking.T
    elif is_above(gram := thin.T @ thin, floor):  # whose eigenvalues are those that are not zero
        axes = solve_triangular(np.linalg.cholesky(gram), thin.T, lower=True)
        matrix -= floor * (axes.T @ axes)
        add_to_diagonal(matrix, floor)
    else:
        values, turns = np.linalg.eigh(gram)
        is_high = values > floor
        high = thin @ (turns[:, is_high] * np.sqrt(1.0 - floor / values[is_high]))
        np.matmul(high, high.T, out=matrix)
        add_to_diagonal(matrix, floor)


def is_above(matrix: Array, floor: float) -> bool:
    """Tell whether all eigenvalues are above the floor, or at it but for rounding."""
    above = matrix.copy()
    add_to_diagonal(above, (SLACK - 1.0) * floor)
    _, failure = lapack.dpotrf(above.T, overwrite_a=1, clean=0)
    return not failure


def thin_factor(matrix: Array, error: float) -> Array | None:
    """Return F of clearly fewer columns than rows, ``F @ F.T`` the matrix but for an error.

    None if there is no such factor. It is that of a Cholesky decomposition that takes the rows in
    the order of what is left of them, until nothing is.

    References
    ----------
    Higham (2002), "Accuracy and stability of numerical algorithms", section 10.3.
    """
    rounding = len(matrix) * np.finfo(np.float64).eps * np.diagonal(matrix).max()
    pivoted, order, rank, _ = lapack.dpstrf(matrix.T, lower=1, tol=rounding)
    if not 0 < rank <= MOST_COLUMNS * len(matrix):
        return None
    thin = np.empty((len(matrix), rank))
    thin[order - 1] = np.tril(pivoted[:, :rank])
    # Nothing is left on the diagonal: nor elsewhere, unless the matrix has negative eigenvalues.
    left = thin @ thin.T
    left -= matrix
    return thin if max(left.max(), -left.min()) <= error else None


def fill_upper_factor(covariance: Array, factor: Array) -> None:
    """Fill ``factor`` with upper triangular U, ``inverse(covariance) = U @ U.T``."""
    scale = np.sqrt(np.diagonal(covariance))
    correlation = covariance / scale[:, None]
    correlation /= scale
    # LAPACK reads by columns: what is lower to it is upper here.
    lower, failure = lapack.dpotrf(correlation.T, lower=1)
    if failure:
        # Rounding made the smallest eigenvalues negative: raise them until they can be told from 0.
        tiny = len(scale) * np.finfo(np.float64).eps
        raise_eigenvalues(correlation, 4.0 * tiny)
        add_to_diagonal(correlation, tiny)
        lower, _ = lapack.dpotrf(correlation.T, lower=1)
    inverse, _ = lapack.dtrtri(lower, lower=1, overwrite_c=1)
    np.divide(inverse.T, scale[:, None], out=factor)


def add_to_diagonal(matrix: Array, value: float) -> None:
    """Add ``value`` to every entry of the diagonal."""
    matrix.flat[:: len(matrix) + 1] += value
