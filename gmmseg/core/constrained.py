"""The covariance families of mclust beside the common four: volume, shape, orientation.

A covariance is ``volume * axes @ diag(shape) @ axes.T`` with a shape of determinant 1. Three
letters say how components compare: volume, shape and orientation are E (equal in all components),
V (variable) or I (shape: round; orientation: along the features).

References
----------
Banfield, Raftery (1993), "Model-based Gaussian and non-Gaussian clustering".
Celeux, Govaert (1995), "Gaussian parsimonious clustering models", sections 3 and 4.
"""

from typing import ClassVar

import numpy as np

from gmmseg.core.common_axes import (
    FEW_SWEEPS,
    MOST_SWEEPS,
    common_axes,
    spelled_out,
    variances_along,
)
from gmmseg.core.covariance_base import (
    Array,
    CovarianceFamily,
    MatrixPerComponent,
    VariancePerFeature,
    shares_of,
)
from gmmseg.core.volume_shape import MOST_ROUNDS, STEADY, TINY, Letter, log_volumes, variances
from gmmseg.errors import InputError

GOLDEN = 0.5 * (5.0**0.5 - 1.0)
EPS = float(np.finfo(np.float64).eps)
MEMBER = 1e-6  # difference from the family, as a share of the largest entry, that is rounding


class ConstrainedFamily(CovarianceFamily):
    """A family that its three letters say all about."""

    volume: ClassVar[Letter]
    form: ClassVar[Letter]

    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return one per free volume, d - 1 per free shape, d (d - 1) / 2 per free orientation."""
        costs = (1, n_features - 1, n_features * (n_features - 1) // 2)
        times = {"I": 0, "E": 1, "V": n_components}
        return sum(times[letter] * cost for letter, cost in zip(self.name, costs, strict=True))

    def check_positive(self, matrices: Array, name: str) -> None:
        """Raise InputError unless the matrices are positive definite and of this family."""
        super().check_positive(matrices, name)
        rounding = _rounding(matrices)
        if rounding >= 1.0:  # so narrow along some axis that its volume cannot be told
            return
        nearest = self.likeliest(matrices, np.ones(len(matrices)), 0.0, before=matrices)
        largest = matrices.reshape(len(matrices), -1).max(axis=1)
        off = np.abs(nearest - matrices).reshape(len(matrices), -1).max(axis=1) / largest
        if off.max() > MEMBER + rounding:
            raise InputError(
                f"{name} must be of the family {self.name}; those of component {off.argmax()} are "
                "not. Its letters say how volume, shape and orientation compare: E equal, "
                "V variable, I round or along the features"
            )


class AlongFeatures(ConstrainedFamily, VariancePerFeature):
    """Components lie along the features."""

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return the variances with volume and shape equal or free."""
        return variances(scatter, shares_of(resp_sum), floor, volume=self.volume, shape=self.form)


class EII(AlongFeatures):
    """All components are round and equally large."""

    name = "EII"

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return the mean variance over components and features."""
        return np.full(scatter.shape, max(float(shares_of(resp_sum) @ scatter.mean(axis=1)), floor))


class EEI(AlongFeatures):
    """All components have the same variance per feature."""

    name, volume, form = "EEI", "E", "E"
    has_any_units = True


class VEI(AlongFeatures):
    """Variances per feature are in the same proportion in all components."""

    name, volume, form = "VEI", "V", "E"
    has_any_units = True


class EVI(AlongFeatures):
    """Each component has its own variances per feature, of the same product."""

    name, volume, form = "EVI", "E", "V"
    has_any_units = True


class OwnAxes(ConstrainedFamily, MatrixPerComponent):
    """Each component has its own axes: those of its scatter, whatever the variances along them."""

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return covariances along the axes of the scatter, longest beside longest."""
        values, axes = np.linalg.eigh(0.5 * (scatter + np.swapaxes(scatter, -1, -2)))
        share = shares_of(resp_sum)
        return spelled_out(
            axes, variances(values, share, floor, volume=self.volume, shape=self.form)
        )


class EEV(OwnAxes):
    """Components are equal but for their orientation."""

    name, volume, form = "EEV", "E", "E"


class VEV(OwnAxes):
    """Components have one shape, each its own volume and orientation."""

    name, volume, form = "VEV", "V", "E"


class EVV(OwnAxes):
    """Components are equal in volume alone."""

    name, volume, form = "EVV", "E", "V"
    has_any_units = True


class VEE(ConstrainedFamily, MatrixPerComponent):
    """Covariances are multiples of one matrix."""

    name, volume, form = "VEE", "V", "E"
    has_any_units = True

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return volumes and the common matrix: each is the mean of what the other leaves."""
        share, log_floor = shares_of(resp_sum), np.log(max(floor, TINY))
        is_used = share > 0.0
        start = scatter if before is None else before
        log_volume = np.log(np.maximum(np.trace(start, axis1=1, axis2=2), TINY) / start.shape[-1])
        log_volume = np.maximum(log_volume, log_floor)
        for _ in range(MOST_ROUNDS):
            pooled = np.tensordot(share / np.exp(log_volume), scatter, axes=1)
            values, axes = np.linalg.eigh(pooled)
            lowest = log_floor - log_volume[is_used].min()
            log_shape = np.maximum(np.log(np.maximum(values, TINY)), lowest)
            log_shape -= log_shape.mean()
            last, log_volume = (
                log_volume,
                log_volumes(variances_along(scatter, axes), log_shape, log_floor),
            )
            if np.abs(log_volume - last)[is_used].max() < STEADY:
                break
        return spelled_out(axes, np.exp(log_volume[:, None] + log_shape))


class CommonAxes(ConstrainedFamily, MatrixPerComponent):
    """Components have common axes, each its own variances along them."""

    def likeliest(
        self, scatter: Array, resp_sum: Array, floor: float, *, before: Array | None = None
    ) -> Array:
        """Return covariances along the likeliest common axes that a search finds."""
        share = shares_of(resp_sum)
        # Of scatter that is but rounding, the trace may be less than an entry.
        sizes = np.maximum(np.trace(scatter, axis1=1, axis2=2), np.abs(scatter).max(axis=(1, 2)))
        candidates = [
            np.eye(scatter.shape[-1]),
            _axes(np.tensordot(share, scatter, axes=1)),
            _axes(np.tensordot(share / np.maximum(sizes, TINY), scatter, axes=1)),
        ]
        if before is not None:
            # Axes of one length in a sum may differ in its terms: no simple sum has such.
            unlike = 0.5 + (GOLDEN * np.arange(1, len(before) + 1)) % 1.0
            sizes = np.trace(before, axis1=1, axis2=2)
            candidates.insert(0, _axes(np.tensordot(unlike / sizes, before, axes=1)))

        def solve(along: Array) -> Array:
            return variances(along, share, floor, volume=self.volume, shape=self.form)

        n_sweeps = MOST_SWEEPS if before is None else FEW_SWEEPS
        return spelled_out(
            *common_axes(scatter, share, solve, candidates=candidates, most_sweeps=n_sweeps)
        )


class EVE(CommonAxes):
    """Components have common axes and equal volumes."""

    name, volume, form = "EVE", "E", "V"


class VVE(CommonAxes):
    """Components have common axes."""

    name, volume, form = "VVE", "V", "V"


CONSTRAINED: tuple[CovarianceFamily, ...] = (
    EII(),
    EEI(),
    VEI(),
    EVI(),
    VEE(),
    EVE(),
    VVE(),
    EEV(),
    VEV(),
    EVV(),
)


def _rounding(covariances: Array) -> float:
    """Return the relative error that rounding leaves in the smallest variance along any axis."""
    values = np.linalg.eigvalsh(covariances) if covariances.ndim == 3 else np.sort(covariances)
    spread = values[:, -1] / np.maximum(values[:, 0], TINY)
    return float(spread.max()) * 16.0 * covariances.shape[-1] * EPS


def _axes(matrix: Array) -> Array:
    axes: Array = np.linalg.eigh(matrix)[1]
    return axes
