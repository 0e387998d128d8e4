"""The covariance families: one class each, holding everything that sets one family apart.

A family says which second moments it needs, makes the covariances of largest likelihood from them
under a floor (the M-step), and turns covariances into precision factors (for the E-step). A new
family is one new class in ``FAMILIES``.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError

Array = NDArray[np.float64]


class CovarianceFamily(ABC):
    """A shape that all covariances of a mixture share.

    In the methods ``scatter`` is the mean outer product of the deviations from the new means:
    (n_components, n_features, n_features), or its diagonal where ``scatter_kind`` is "diag".
    """

    name: ClassVar[str]
    scatter_kind: ClassVar[Literal["full", "diag"]]

    @abstractmethod
    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return the shape of the covariances."""

    @abstractmethod
    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free parameters in the covariances."""

    @abstractmethod
    def estimate(self, scatter: Array, resp_sum: Array, floor: float) -> Array:
        """Return the covariances of largest likelihood with no variance below ``floor``."""

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


def is_positive_definite(matrix: Array) -> bool:
    """Tell whether a symmetric matrix is positive definite, whatever the scales of its rows."""
    diagonal = np.diag(matrix)
    if not (diagonal > 0).all():
        return False
    scale = np.sqrt(diagonal)
    try:
        np.linalg.cholesky(matrix / scale / scale[:, None])
    except np.linalg.LinAlgError:
        return False
    return True


def clip_eigenvalues(matrices: Array, floor: float) -> Array:
    """Return the matrices, (..., d, d), with their eigenvalues raised to at least ``floor``."""
    matrices = 0.5 * (matrices + np.swapaxes(matrices, -1, -2))
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


def upper_precision_factors(covariances: Array) -> Array:
    """Return upper triangular U with ``inverse(covariance) = U @ U.T``, (..., d, d)."""
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

    For small matrices this is many times faster than a call to LAPACK for each, whose threads
    compete with ours.
    """
    inverse = np.zeros_like(lower)
    for i in range(lower.shape[-1]):
        row = -(lower[..., i : i + 1, :i] @ inverse[..., :i, :])[..., 0, :]
        row[..., i] += 1.0
        inverse[..., i, :] = row / lower[..., i, i, None]
    return inverse


class Full(CovarianceFamily):
    """Each component has its own covariance matrix."""

    name = "full"
    scatter_kind = "full"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_components, n_features, n_features)."""
        return n_components, n_features, n_features

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one symmetric matrix per component."""
        return n_components * n_features * (n_features + 1) // 2

    def estimate(self, scatter: Array, resp_sum: Array, floor: float) -> Array:
        """Return each scatter with its eigenvalues clipped to the floor."""
        return clip_eigenvalues(scatter, floor)

    def precision_factors(self, covariances: Array) -> Array:
        """Return an upper triangular factor per component."""
        return upper_precision_factors(covariances)

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the matrices as they are."""
        return matrices


class Tied(CovarianceFamily):
    """All components share one covariance matrix."""

    name = "tied"
    scatter_kind = "full"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_features, n_features)."""
        return n_features, n_features

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one symmetric matrix."""
        return n_features * (n_features + 1) // 2

    def estimate(self, scatter: Array, resp_sum: Array, floor: float) -> Array:
        """Return the mean scatter with its eigenvalues clipped to the floor."""
        return clip_eigenvalues(np.tensordot(resp_sum / resp_sum.sum(), scatter, axes=1), floor)

    def precision_factors(self, covariances: Array) -> Array:
        """Return one upper triangular factor."""
        return upper_precision_factors(covariances)

    def subset(self, covariances: Array, components: NDArray[np.intp]) -> Array:
        """Return the one matrix, which all components share."""
        return covariances

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the one matrix for each component."""
        return np.broadcast_to(matrices, (n_components, n_features, n_features))


class Diag(CovarianceFamily):
    """Each component has its own variance per feature."""

    name = "diag"
    scatter_kind = "diag"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_components, n_features)."""
        return n_components, n_features

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one variance per component and feature."""
        return n_components * n_features

    def estimate(self, scatter: Array, resp_sum: Array, floor: float) -> Array:
        """Return the variances clipped to the floor."""
        return np.maximum(scatter, floor)

    def precision_factors(self, covariances: Array) -> Array:
        """Return one over the standard deviations."""
        return 1.0 / np.sqrt(covariances)

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the variances as they are."""
        return matrices


class Spherical(CovarianceFamily):
    """Each component has one variance for all features."""

    name = "spherical"
    scatter_kind = "diag"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_components,)."""
        return (n_components,)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one variance per component."""
        return n_components

    def estimate(self, scatter: Array, resp_sum: Array, floor: float) -> Array:
        """Return the mean variance over features, clipped to the floor."""
        return np.maximum(scatter.mean(axis=1), floor)

    def precision_factors(self, covariances: Array) -> Array:
        """Return one over the standard deviations."""
        return 1.0 / np.sqrt(covariances)

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the one variance for each feature."""
        return np.broadcast_to(matrices[:, None], (n_components, n_features))


FAMILIES: dict[str, CovarianceFamily] = {
    family.name: family for family in (Full(), Tied(), Diag(), Spherical())
}


def family_named(covariance_type: str) -> CovarianceFamily:
    """Return the family of this name, or raise InputError with the names there are."""
    if covariance_type not in tuple(FAMILIES):
        raise InputError(
            f"covariance_type must be one of {', '.join(sorted(FAMILIES))}, got {covariance_type!r}"
        )
    return FAMILIES[covariance_type]
