"""Uniform noise: one more component, equally dense everywhere, for samples of no Gaussian."""

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.validation import as_numbers
from gmmseg.errors import InputError

START_WEIGHT = 0.05  # share of the noise that EM begins with
# Noise that is denser than a Gaussian can be would take all samples. So no side of the box is much
# shorter than the floor under variances lets standard deviations be, by default.
THINNEST = 1e-3  # of a side, as a share of the longest
SHORTEST = 1e-29  # of a side: ten standard deviations of the narrowest Gaussian there is

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class UniformNoise:
    """Hold the share of samples that belong to no Gaussian, and the box that they lie in.

    The density of noise is one over the volume of the box, also outside of it, so that no sample
    is impossible. The box stays as it is in a fit; only the weight is learned.

    Parameters
    ----------
    weight : float
        Share of the noise, from 0 to 1.
    low, high : ndarray of shape (n_features,)
        Corners of the box, in the units of the features.

    Raises
    ------
    InputError
        If the weight is no share or the box has no volume.

    References
    ----------
    Banfield, Raftery (1993), "Model-based Gaussian and non-Gaussian clustering", section 3.1.

    Examples
    --------
    >>> UniformNoise(0.1, [0.0, 0.0], [2.0, 5.0]).width
    array([2., 5.])
    """

    weight: float
    low: Array
    high: Array

    def __post_init__(self) -> None:
        """Convert, check and freeze."""
        weight: Any = self.weight
        if not isinstance(weight, numbers.Real) or not 0.0 <= float(weight) <= 1.0:
            raise InputError(f"the weight of the noise must be from 0 to 1, got {weight!r}")
        object.__setattr__(self, "weight", float(weight))
        for name in ("low", "high"):
            corner = as_numbers(getattr(self, name), name)
            corner.setflags(write=False)
            object.__setattr__(self, name, corner)
        if self.low.ndim != 1 or self.low.shape != self.high.shape:
            raise InputError(
                "low and high must have shape (n_features,), got "
                f"{self.low.shape} and {self.high.shape}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            is_side = np.isfinite(self.width) & (self.low < self.high)
        if not is_side.all():
            d = int(is_side.argmin())
            raise InputError(
                "the box of the noise must be finite with low < high in every feature, got low "
                f"{self.low[d]} and high {self.high[d]} in feature {d}"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a copy is made from, so that it is as frozen as this."""
        return UniformNoise, (self.weight, self.low, self.high)

    @property
    def width(self) -> Array:
        """Length of the sides of the box, (n_features,)."""
        return self.high - self.low


def noise_around(X: NDArray[Any], sample_weight: Array | None = None) -> UniformNoise:
    """Return noise in the smallest box around the samples that have a weight; NaN is missing."""
    if sample_weight is not None and not sample_weight.all():
        X = X[sample_weight > 0.0]
    with np.errstate(invalid="ignore"):
        low = np.fmin.reduce(X, axis=0).astype(np.float64)
        high = np.fmax.reduce(X, axis=0).astype(np.float64)
    low, high = np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), 0.0, high)
    width = high - low
    # Far from the origin a side must be long enough to be told from zero.
    resolution = 8.0 * np.spacing(max(np.abs(low).max(), np.abs(high).max()))
    thinnest = THINNEST * width.max() if width.max() > 0.0 else 1.0
    lacking = np.maximum(max(thinnest, resolution, SHORTEST) - width, 0.0) / 2.0
    return UniformNoise(START_WEIGHT, low - lacking, high + lacking)


def joined_noise(
    first: UniformNoise | None, second: UniformNoise | None, share: float
) -> UniformNoise | None:
    """Return the noise of two mixtures together, in the smallest box around both boxes."""
    weighted = [(first, share), (second, 1.0 - share)]
    parts = [(noise, weight) for noise, weight in weighted if noise is not None]
    if not parts:
        return None
    return UniformNoise(
        sum(weight * noise.weight for noise, weight in parts),
        np.min([noise.low for noise, _ in parts], axis=0),
        np.max([noise.high for noise, _ in parts], axis=0),
    )
