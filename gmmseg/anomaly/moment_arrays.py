"""Moments and scales in a file: what is written, and how much of what is read is believed."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.moments import Moments
from gmmseg.errors import InputError

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]


def moment_arrays(moments: Moments) -> dict[str, NDArray[Any]]:
    """Return the moments as arrays."""
    return {
        "count": np.array(moments.count),
        "mean": moments.mean,
        "scatter": moments.scatter,
        "prior_variance": moments.prior_variance,
    }


def moments_of(arrays: Mapping[str, NDArray[Any]]) -> Moments:
    """Return the moments of arrays, or raise InputError or KeyError where they are damaged."""
    mean = finite(arrays["mean"], "mean", 1)
    n_features = len(mean)
    scatter = finite(arrays["scatter"], "scatter", 2)
    prior_variance = finite(arrays["prior_variance"], "prior_variance", 1)
    count = number(arrays["count"], "count", 0.0, np.inf)
    if scatter.shape != (n_features, n_features) or prior_variance.shape != (n_features,):
        raise InputError("mean, scatter and prior_variance do not fit together")
    if not (prior_variance > 0.0).all() or not np.array_equal(scatter, scatter.T):
        raise InputError("the scatter is no covariance, or the prior_variance not above 0")
    # Against rounding, as eigenvalues of a scatter are.
    least = -1e-9 * np.abs(scatter).max() * n_features
    if count <= 0.0 or np.linalg.eigvalsh(scatter).min() < least:
        raise InputError("the scatter is no covariance, or of no sample")
    return Moments(count, mean, scatter, prior_variance)


def prefixed(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return the arrays of one part under names that no other part of the file has."""
    return {f"{prefix}_{name}": array for name, array in arrays.items()}


def unprefixed(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return the arrays that `prefixed` named so, under their own names."""
    head = f"{prefix}_"
    return {
        name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)
    }


def finite(array: NDArray[Any], name: str, n_axes: int) -> Array:
    """Return an array as float64, or raise InputError where it has other axes, or no numbers."""
    values = array.astype(np.float64)
    if values.ndim != n_axes or values.size == 0 or not np.isfinite(values).all():
        raise InputError(f"{name} must be finite numbers of {n_axes} axes, got {values.shape}")
    return values


def number(array: NDArray[Any], name: str, least: float, most: float) -> float:
    """Return the only number in an array, or raise InputError where it is out of bounds."""
    value = float(array.ravel()[0]) if array.size == 1 else np.nan
    if not least <= value <= most or not np.isfinite(value):
        raise InputError(f"{name} must be a number from {least} to {most}, got {value}")
    return value


def checked_scale(center: object, spread: object) -> tuple[float, float]:
    """Return center and spread of a scale, or raise InputError where they are none."""
    if (
        isinstance(center, float)
        and isinstance(spread, float)
        and -math.inf < center < math.inf
        and 0.0 < spread < math.inf
    ):
        return center, spread
    raise InputError(f"a scale must be numbers, the spread above 0, got {center}, {spread}")
