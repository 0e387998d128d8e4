"""The covariance families by name: the four of scikit-learn here, the others of mclust beside them.

A family is one class that holds everything that sets it apart: which second moments it needs, the
covariances of largest likelihood that it makes from them under a floor (the M-step), and the
precision factors it makes from covariances (for the E-step). A new family is one new class in
``FAMILIES``.
"""

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.constrained import CONSTRAINED
from gmmseg.core.covariance_base import (
    Array,
    CovarianceFamily,
    MatrixPerComponent,
    VariancePerFeature,
    clip_eigenvalues,
    shares_of,
    upper_precision_factors,
)
from gmmseg.errors import InputError

# The names of mclust for volume, shape and orientation that are equal, variable or those of I.
SYNONYMS = {"VVV": "full", "EEE": "tied", "VVI": "diag", "VII": "spherical"}


class Full(MatrixPerComponent):
    """Each component has its own covariance matrix."""

    name = "full"
    is_linear = has_any_units = True

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one symmetric matrix per component."""
        return n_components * n_features * (n_features + 1) // 2

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return each scatter with its eigenvalues clipped to the floor."""
        return clip_eigenvalues(scatter, floor)


class Tied(CovarianceFamily):
    """All components share one covariance matrix."""

    name = "tied"
    is_linear = has_any_units = is_shared = True
    scatter_kind = "full"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_features, n_features)."""
        return n_features, n_features

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one symmetric matrix."""
        return n_features * (n_features + 1) // 2

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return the mean scatter with its eigenvalues clipped to the floor."""
        return clip_eigenvalues(np.tensordot(shares_of(resp_sum), scatter, axes=1), floor)

    def precision_factors(self, covariances: Array) -> Array:
        """Return one upper triangular factor."""
        return upper_precision_factors(covariances)

    def subset(self, covariances: Array, components: NDArray[np.intp]) -> Array:
        """Return the one matrix, which all components share."""
        return covariances

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the one matrix for each component."""
        return np.broadcast_to(matrices, (n_components, n_features, n_features))


class Diag(VariancePerFeature):
    """Each component has its own variance per feature."""

    name = "diag"
    is_linear = has_any_units = True

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one variance per component and feature."""
        return n_components * n_features

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return the variances clipped to the floor."""
        return np.maximum(scatter, floor)


class Spherical(CovarianceFamily):
    """Each component has one variance for all features."""

    name = "spherical"
    is_linear = True
    scatter_kind = "diag"

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return (n_components,)."""
        return (n_components,)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one variance per component."""
        return n_components

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return the mean variance over features, clipped to the floor."""
        return np.maximum(scatter.mean(axis=1), floor)

    def precision_factors(self, covariances: Array) -> Array:
        """Return one over the standard deviations."""
        return 1.0 / np.sqrt(covariances)

    def per_component(self, matrices: Array, n_components: int, n_features: int) -> Array:
        """Return the one variance for each feature."""
        return np.broadcast_to(matrices[:, None], (n_components, n_features))


FAMILIES: dict[str, CovarianceFamily] = {
    family.name: family for family in (Full(), Tied(), Diag(), Spherical(), *CONSTRAINED)
}


def spelled_out_family(matrices: Array) -> CovarianceFamily:
    """Return the family whose covariances are matrices, (n, d, d), or variances, (n, d)."""
    return FAMILIES["full" if matrices.ndim == 3 else "diag"]


def family_named(covariance_type: str) -> CovarianceFamily:
    """Return the family of this name, or raise InputError with the names there are."""
    if covariance_type in tuple(SYNONYMS):
        covariance_type = SYNONYMS[covariance_type]
    if covariance_type not in tuple(FAMILIES):
        names = ", ".join(FAMILIES)
        raise InputError(f"covariance_type must be one of {names}, got {covariance_type!r}")
    return FAMILIES[covariance_type]
