"""MixtureParameters: the weights, means and covariances of a Gaussian mixture, checked once."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.covariance import family_named
from gmmseg.core.covariance_base import CovarianceFamily, diagonals, shares_of
from gmmseg.core.noise import UniformNoise
from gmmseg.core.validation import as_numbers
from gmmseg.errors import InputError


@dataclass(frozen=True, eq=False)
class MixtureParameters:
    """Hold one Gaussian mixture: frozen, float64, checked when made.

    Parameters
    ----------
    weights : array_like of shape (n_components,)
        Share of each component, at least 0, summing to 1, the weight of the noise included. A
        component of weight 0 is switched off.
    means : array_like of shape (n_components, n_features)
        Centre of each component, in the units of the features.
    covariances : array_like
        Covariances in the shape of their family: (n_components, n_features, n_features) for "full",
        (n_features, n_features) for "tied", (n_components, n_features) for "diag",
        (n_components,) for "spherical"; as for "diag" in the families of mclust whose names end in
        I, as for "full" in its others; in squared units of the features.
    covariance_type : str, default="full"
        Name of the family: "full", "tied", "diag", "spherical", or one of mclust: EII, EEI, VEI,
        EVI, VEE, EVE, VVE, EEV, VEV, EVV. The names it has for the first four are taken as those.
    noise : UniformNoise, optional
        One more component, of samples that belong to no Gaussian.

    Raises
    ------
    InputError
        If shapes do not fit together, a number is not finite, the weights do not sum to 1 or a
        covariance is not positive definite.

    Examples
    --------
    >>> coin = MixtureParameters(
    ...     [0.5, 0.5], [[-1.0], [1.0]], [0.1, 0.1], covariance_type="spherical"
    ... )
    >>> coin.n_components, coin.n_features, coin.n_free_parameters
    (2, 1, 5)
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    covariance_type: str = field(default="full", kw_only=True)
    noise: UniformNoise | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Convert, check and freeze the arrays."""
        object.__setattr__(self, "covariance_type", family_named(self.covariance_type).name)
        for name in ("weights", "means", "covariances"):
            object.__setattr__(self, name, _frozen_array(getattr(self, name), name))
        if self.means.ndim != 2 or 0 in self.means.shape:
            raise InputError(
                f"means must have shape (n_components, n_features), got {self.means.shape}"
            )
        if self.noise is not None and self.noise.low.shape != self.means.shape[1:]:
            raise InputError(
                f"the box of the noise must have {self.means.shape[1]} features as the means "
                f"have, got {len(self.noise.low)}"
            )
        self._check_weights()
        wanted = self.family.shape(*self.means.shape)
        if self.covariances.shape != wanted:
            raise InputError(
                f"covariances must have shape {wanted} for "
                f"covariance_type={self.covariance_type!r} and means of shape "
                f"{self.means.shape}, got {self.covariances.shape}"
            )
        self.family.check_positive(self.covariances, "covariances")

    @classmethod
    def trusted(
        cls,
        weights: NDArray[np.float64],
        means: NDArray[np.float64],
        covariances: NDArray[np.float64],
        covariance_type: str,
        *,
        noise: UniformNoise | None = None,
    ) -> "MixtureParameters":
        """Return parameters that the core itself computed, without checking them again."""
        parameters = object.__new__(cls)
        object.__setattr__(parameters, "covariance_type", covariance_type)
        object.__setattr__(parameters, "noise", noise)
        for name, array in (("weights", weights), ("means", means), ("covariances", covariances)):
            array.setflags(write=False)
            object.__setattr__(parameters, name, array)
        return parameters

    def _check_weights(self) -> None:
        if self.weights.shape != (len(self.means),):
            raise InputError(
                f"weights must have shape ({len(self.means)},) as there are {len(self.means)} "
                f"means, got {self.weights.shape}"
            )
        if self.weights.min() < 0.0:
            raise InputError(
                f"weights must not be negative, got {self.weights.min()} "
                f"for component {self.weights.argmin()}"
            )
        if abs(self.weights.sum() + self.noise_weight - 1.0) > 1e-6:
            wanted = "1" if self.noise is None else f"{1.0 - self.noise.weight}, without the noise"
            raise InputError(
                f"weights must sum to {wanted}, got {self.weights.sum()}; divide them by their sum"
            )

    def __getstate__(self) -> tuple[Any, ...]:
        """Return the parameters without what is derived from them."""
        return self.weights, self.means, self.covariances, self.covariance_type, self.noise

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take the parameters back, as frozen as they were."""
        *parts, noise = state
        self.__dict__.update(self.trusted(*parts, noise=noise).__dict__)

    def replaced(
        self,
        *,
        weights: NDArray[np.float64] | None = None,
        means: NDArray[np.float64] | None = None,
        covariances: NDArray[np.float64] | None = None,
    ) -> "MixtureParameters":
        """Return the mixture with other parts, trusted; weights share what the noise leaves."""
        return MixtureParameters.trusted(
            self.weights if weights is None else _sharing(weights, self.noise),
            self.means if means is None else means,
            self.covariances if covariances is None else covariances,
            self.covariance_type,
            noise=self.noise,
        )

    def weighed(self, shares: NDArray[np.float64]) -> "MixtureParameters":
        """Return the mixture with other weights, that of the noise the last if there is any."""
        if self.noise is None:
            return self.replaced(weights=shares)
        noise = replace(self.noise, weight=float(shares[-1]))
        return self.replaced(weights=shares[:-1]).with_noise(noise)

    def with_noise(self, noise: UniformNoise | None) -> "MixtureParameters":
        """Return the mixture with this noise, its Gaussians sharing what that leaves."""
        return MixtureParameters.trusted(
            _sharing(self.weights, noise),
            self.means,
            self.covariances,
            self.covariance_type,
            noise=noise,
        )

    def subset(self, components: NDArray[np.intp]) -> "MixtureParameters":
        """Return the mixture of these components alone, in this order."""
        return self.replaced(
            weights=self.weights[components],
            means=self.means[components],
            covariances=self.family.subset(self.covariances, components),
        )

    @property
    def family(self) -> CovarianceFamily:
        """The covariance family that ``covariance_type`` names."""
        return family_named(self.covariance_type)

    @property
    def n_components(self) -> int:
        """Number of components, those of weight 0 included."""
        return len(self.means)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.means.shape[1]

    @property
    def noise_weight(self) -> float:
        """Share of the noise, 0 if there is none."""
        return 0.0 if self.noise is None else self.noise.weight

    @property
    def shares(self) -> NDArray[np.float64]:
        """Weights of the Gaussians and, if there is noise, its own as the last."""
        return self.weights if self.noise is None else np.append(self.weights, self.noise.weight)

    @property
    def n_free_parameters(self) -> int:
        """Number of free parameters of the components in use (weight above 0) and the noise."""
        n_used = int((self.weights > 0).sum())
        return (
            n_used
            - 1
            + (self.noise is not None)
            + n_used * self.n_features
            + self.family.n_parameters(n_used, self.n_features)
        )

    @cached_property
    def precision_factors(self) -> NDArray[np.float64]:
        """Upper factors U, ``inverse(covariance) = U @ U.T``, in the shape of the covariances."""
        return self.family.precision_factors(self.covariances)

    @cached_property
    def precisions(self) -> NDArray[np.float64]:
        """Inverse covariances, in the shape of the covariances."""
        return self.family.precisions(self.covariances)

    @cached_property
    def component_factors(self) -> NDArray[np.float64]:
        """Precision factors spelled out: (n_components, n_features[, n_features])."""
        return self.family.per_component(self.precision_factors, *self.means.shape)

    @cached_property
    def component_covariances(self) -> NDArray[np.float64]:
        """Covariances, or variances, spelled out: (n_components, n_features[, n_features])."""
        return self.family.per_component(self.covariances, *self.means.shape)

    @cached_property
    def component_variances(self) -> NDArray[np.float64]:
        """Variance of every feature in every component, (n_components, n_features)."""
        return diagonals(self.component_covariances)


def _sharing(weights: NDArray[np.float64], noise: UniformNoise | None) -> NDArray[np.float64]:
    """Return weights in the same proportions that sum to what the noise leaves."""
    shares = shares_of(weights)
    return shares if noise is None else shares * (1.0 - noise.weight)


def _frozen_array(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = as_numbers(values, name)
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite, got NaN or infinity at index {_first_bad(array)}")
    array.setflags(write=False)
    return array


def _first_bad(array: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
