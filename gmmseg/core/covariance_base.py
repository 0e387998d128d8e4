"""What a covariance family is, and the linear algebra that families share."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.wide_matrices import NARROW, fill_upper_factor, raise_eigenvalues
from gmmseg.errors import InputError

Array = NDArray[np.float64]
Floor: TypeAlias = float | Array  # smallest variance: of all features, or of each, (n_features,)


class CovarianceFamily(ABC):
    """A shape that all covariances of a mixture share.

    In the methods ``scatter`` is the mean outer product of the deviations from the new means:
    (n_components, n_features, n_features), or its diagonal where ``scatter_kind`` is "diag".
    """

    name: ClassVar[str]
    scatter_kind: ClassVar[Literal["full", "diag"]]
    # Whether sums and multiples of its covariances belong to the family, too.
    is_linear: ClassVar[bool] = False
    # Whether all components have one matrix, and so one factor.
    is_shared: ClassVar[bool] = False
    # Whether its covariances are of the family in whatever unit each feature is.
    has_any_units: ClassVar[bool] = False

    @abstractmethod
    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return the shape of the covariances."""

    @abstractmethod
    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free parameters in the covariances."""

    @abstractmethod
    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return the covariances of largest likelihood with no variance below ``floor``.

        Families without a formula for them search, and go on from the covariances ``before`` the
        M-step: the result is at least as likely as those.
        """

    def estimate(
        self, scatter: Array, resp_sum: Array, floor: Floor, *, before: Array | None = None
    ) -> Array:
        """Return what `likeliest` does, where each feature may have a floor of its own.

        In units in which all floors are one, a covariance is above them if none of its eigenvalues
        is below that one.
        """
        floors = self.floors(floor)
        lowest = float(floors.min())
        if np.ptp(floors) == 0.0:
            return self.likeliest(scatter, resp_sum, lowest, before=before)
        square = floors / lowest
        if self.scatter_kind == "full":
            square = np.sqrt(np.outer(square, square))
        # Families that go on from those before know but one unit, and so one floor.
        covariances = self.likeliest(scatter / square, resp_sum, lowest)
        covariances *= square
        return covariances

    def floors(self, floor: Floor) -> Array:
        """Return the floor of every feature, or the lowest where the family knows but one unit.

        Then what rounding leaves beside the feature of largest unit is a floor, too.
        """
        floors = np.atleast_1d(floor)
        if self.has_any_units:
            return floors
        rounding = float(np.finfo(np.float64).eps) * floors.max()
        return np.maximum(floors.min(keepdims=True), rounding)

    @abstractmethod
    def precision_factors(self, covariances: Array) -> Array:
        """Return U, in the shape of the covariances, with ``inverse(covariance) = U @ U.T``."""

    @abstractmethod
    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return covariances or factors spelled out per component, shaped as ``scatter``."""

    def subset(self, covariances: Array, components: NDArray[np.intp]) -> Array:
        """Return the covariances of these components alone."""
        return covariances[components]

    def precisions(self, covariances: Array) -> Array:
        """Return the inverse covariances, in the shape of the covariances."""
        factors = self.precision_factors(covariances)
        return factors @ np.swapaxes(factors, -1, -2) if self.scatter_kind == "full" else factors**2

    def covariances(self, precisions: Array) -> Array:
        """Return the covariances that have these precisions: inverting is its own inverse."""
        return self.precisions(precisions)

    def check_positive(self, matrices: Array, name: str) -> None:
        """Raise InputError unless every matrix is symmetric and positive definite."""
        if self.scatter_kind == "diag":
            if not (matrices > 0).all():
                first = tuple(int(i) for i in np.argwhere(~(matrices > 0))[0])
                raise InputError(f"{name} must be positive, got {matrices[first]} at index {first}")
            return
        for k, matrix in enumerate(matrices.reshape(-1, *matrices.shape[-2:])):
            if not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-9 * np.abs(matrix).max()):
                raise InputError(f"{name} must be symmetric; matrix {k} is not")
            if not is_positive_definite(matrix):
                raise InputError(f"{name} must be positive definite; matrix {k} is not")


def shares_of(weights: Array) -> Array:
    """Return the weights divided by their sum; equal shares where all are 0."""
    total = weights.sum()
    return weights / total if total > 0.0 else np.full(weights.shape, 1.0 / weights.size)


def is_positive_definite(matrix: Array) -> bool:
    """Tell whether a symmetric matrix is positive definite, whatever the scales of its rows.

    Eigenvalues that rounding cannot tell from 0 will do, as it may have made them of any positive.
    """
    diagonal = np.diag(matrix)
    if not (diagonal > 0).all():
        return False
    scale = np.sqrt(diagonal)
    try:
        rounding = 4.0 * len(matrix) * np.finfo(np.float64).eps
        np.linalg.cholesky(matrix / scale / scale[:, None] + rounding * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return True


def clip_eigenvalues(matrices: Array, floor: float) -> Array:
    """Return the matrices, (..., d, d), with their eigenvalues raised to at least ``floor``."""
    matrices = matrices + np.swapaxes(matrices, -1, -2)
    matrices *= 0.5
    if matrices.shape[-1] > NARROW:
        for matrix in matrices.reshape(-1, *matrices.shape[-2:]):
            raise_eigenvalues(matrix, floor)
        return matrices
    try:
        # Succeeds exactly when all eigenvalues lie above the floor, and is cheaper than they are.
        np.linalg.cholesky(matrices - floor * np.eye(matrices.shape[-1]))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrices)
        raised = np.maximum(values, floor)[..., None, :]
        clipped = (vectors * raised) @ np.swapaxes(vectors, -1, -2)
        is_low = np.asarray((values < floor).any(axis=-1))[..., None, None]
        return np.where(is_low, 0.5 * (clipped + np.swapaxes(clipped, -1, -2)), matrices)
    return matrices


def diagonals(matrices: NDArray[Any]) -> NDArray[Any]:
    """Return the diagonals of matrices, (n, d, d); what are diagonals already, (n, d), as it is."""
    return np.diagonal(matrices, axis1=1, axis2=2) if matrices.ndim == 3 else matrices


def log_determinants(factors: Array) -> Array:
    """Return the log-determinants of triangular matrices, or of diagonal ones, (n,)."""
    values: Array = np.log(diagonals(factors)).sum(axis=1)
    return values


def upper_precision_factors(covariances: Array) -> Array:
    """Return upper triangular U with ``inverse(covariance) = U @ U.T``, (..., d, d)."""
    if covariances.shape[-1] > NARROW:
        factors, shape = np.empty(covariances.shape), (-1, *covariances.shape[-2:])
        for covariance, factor in zip(
            covariances.reshape(shape), factors.reshape(shape), strict=True
        ):
            fill_upper_factor(covariance, factor)
        return factors
    scale = np.sqrt(np.diagonal(covariances, axis1=-2, axis2=-1))
    correlations = covariances / scale[..., :, None] / scale[..., None, :]
    try:
        lower = np.linalg.cholesky(correlations)
    except np.linalg.LinAlgError:
        # Rounding made the smallest eigenvalues negative: raise them until they can be told from 0.
        tiny = np.finfo(np.float64).eps * correlations.shape[-1]
        raised = clip_eigenvalues(correlations, 4.0 * tiny) + tiny * np.eye(correlations.shape[-1])
        lower = np.linalg.cholesky(raised)
    return np.swapaxes(inverse_of_lower(lower), -1, -2) / scale[..., :, None]


def inverse_of_lower(lower: NDArray[Any]) -> Array:
    """Return the inverses of lower triangular matrices, (..., d, d), by forward substitution.

    For a stack of many small ones this is much faster than a call to LAPACK for each.
    """
    inverse = np.zeros_like(lower)
    for i in range(lower.shape[-1]):
        row = -(lower[..., i : i + 1, :i] @ inverse[..., :i, :])[..., 0, :]
        row[..., i] += 1.0
        inverse[..., i, :] = row / lower[..., i, i, None]
    return inverse


class MatrixPerComponent(CovarianceFamily):
    """A family whose covariances are spelled out: a matrix for each component."""

    scatter_kind = "full"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_components, n_features, n_features)."""
        return n_components, n_features, n_features

    def precision_factors(self, covariances: Array) -> Array:
        """Return an upper triangular factor per component."""
        return upper_precision_factors(covariances)

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the matrices as they are."""
        return matrices


class VariancePerFeature(CovarianceFamily):
    """A family whose covariances are spelled out: a variance for each component and feature."""

    scatter_kind = "diag"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_components, n_features)."""
        return n_components, n_features

    def precision_factors(self, covariances: Array) -> Array:
        """Return one over the standard deviations."""
        return 1.0 / np.sqrt(covariances)

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the variances as they are."""
        return matrices
