"""What the core accepts: checks made once, at the public door."""

import math
import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError

LARGEST_VALUE = 1e151  # a million squares of which can be added


def check_samples(X: ArrayLike, n_features: int | None = None) -> NDArray[Any]:
    """Return X as a C-ordered (n_samples, n_features) array of float32 or float64.

    Entries may be missing (NaN), but not infinite.
    """
    try:
        X = np.asarray(X)
        if X.dtype.kind == "c":
            raise TypeError("complex numbers")
        X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"X must be a table of numbers, got something else: {error}") from None
    if X.ndim != 2:
        raise InputError(
            f"X must have shape (n_samples, n_features), got {X.shape}; "
            "for one feature use X.reshape(-1, 1)"
        )
    if 0 in X.shape:
        raise InputError(f"X must have at least one sample and one feature, got shape {X.shape}")
    if n_features is not None and X.shape[1] != n_features:
        raise InputError(f"X must have {n_features} features as the mixture has, got {X.shape[1]}")
    check_no_infinity(X)
    check_magnitude(X)
    return np.ascontiguousarray(X)


def check_magnitude(X: NDArray[Any]) -> None:
    """Raise InputError where squares of X, or sums of them, would overflow; NaN may be there."""
    if X.dtype == np.float64 and _largest(X) > LARGEST_VALUE:
        raise InputError(
            f"X must lie within plus and minus {LARGEST_VALUE:g}, got up to "
            f"{_largest(X):.3g}; divide it by a constant"
        )


def check_no_infinity(X: NDArray[Any]) -> None:
    """Raise InputError naming the first row of X that holds infinity; NaN may be there."""
    # A sum is finite exactly when all terms are (or on overflow, which the slow look sorts out).
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(X.sum(dtype=np.float64)):
            return
    if np.isinf(_largest(X)):
        is_infinite = np.isinf(X).any(axis=1)
        raise InputError(
            f"X has infinity in {is_infinite.sum()} of {len(X)} rows, first in row "
            f"{is_infinite.argmax()}; remove these rows, or write NaN where a value is missing"
        )


def _largest(X: NDArray[Any]) -> float:
    """Return the largest magnitude in X, of what is not NaN; NaN where all is."""
    high, low = X.max(), X.min()
    if np.isnan(high):
        high, low = np.fmax.reduce(X, axis=None), np.fmin.reduce(X, axis=None)
    return max(float(high), -float(low))


def check_sample_weight(
    sample_weight: ArrayLike | None, n_samples: int
) -> NDArray[np.float64] | None:
    """Return the weights as float64, (n_samples,), or None where every sample counts once."""
    if sample_weight is None:
        return None
    weight = check_weights(sample_weight, n_samples)
    if not weight.any():
        raise InputError(
            "sample_weight is zero for every sample; give at least one a positive weight"
        )
    return weight


def check_weights(sample_weight: ArrayLike, n_samples: int) -> NDArray[np.float64]:
    """Return the weights of some of the samples as float64, (n_samples,); all may be zero."""
    try:
        weight = np.ascontiguousarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"sample_weight must be numbers, got something else: {error}") from None
    if weight.shape != (n_samples,):
        raise InputError(
            f"sample_weight must have shape ({n_samples},) as X has {n_samples} samples, "
            f"got {weight.shape}"
        )
    is_bad = ~(np.isfinite(weight) & (weight >= 0.0))
    if is_bad.any():
        raise InputError(
            f"sample_weight must be finite and not negative, got {weight[is_bad.argmax()]} "
            f"for sample {is_bad.argmax()}"
        )
    return weight


def in_units(
    sample_weight: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64] | None, float]:
    """Return weights that float32 can hold, and the unit that they are in: usually 1.

    The unit is a power of two, so that dividing by it rounds nothing.
    """
    largest = 1.0 if sample_weight is None else float(sample_weight.max())
    if sample_weight is None or 2.0**-30 < largest < 2.0**30:
        return sample_weight, 1.0
    unit = 2.0 ** math.floor(math.log2(largest))
    return sample_weight / unit, unit


def check_number(name: str, value: object, *, least: float, is_whole: bool = False) -> None:
    """Raise InputError unless ``value`` is a number, or a whole number, of at least ``least``."""
    kind = numbers.Integral if is_whole else numbers.Real
    what = "a whole number" if is_whole else "a number"
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not is_number or not least <= float(value) < math.inf:  # type: ignore[arg-type]
        raise InputError(f"{name} must be {what} of at least {least}, got {value!r}")


def check_above(name: str, value: object, bound: float, meaning: str = "") -> None:
    """Raise InputError unless ``value`` is a number above ``bound``, whose meaning may be given."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not bound < float(value) < math.inf:  # type: ignore[arg-type]
        wanted = f"{meaning} = {bound}" if meaning else f"{bound}"
        raise InputError(f"{name} must be a number above {wanted}, got {value!r}")


def generator_of(random_state: int | None) -> np.random.Generator:
    """Return the source of chance of a seed, or raise InputError if it is none."""
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise InputError(
            f"random_state must be None or a whole number of at least 0, got {random_state!r}"
        ) from None


def as_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return a new C-ordered float64 array of the values, or raise InputError naming them."""
    try:
        return np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise _no_numbers(name, error) from None


def as_finite(values: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return a new float64 array of this shape without NaN and infinity, or raise InputError."""
    array = as_numbers(values, name)
    if array.shape != shape:
        raise InputError(f"{name} must have shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite, got NaN or infinity")
    return array


def as_float32(values: ArrayLike, name: str) -> NDArray[np.float32]:
    """Return the values as a C-ordered float32 array for kernels, not copied where they are one."""
    try:
        with np.errstate(over="ignore"):  # infinity is for the caller to judge
            return np.require(values, np.float32, ["C", "W"])
    except (TypeError, ValueError) as error:
        raise _no_numbers(name, error) from None


def _no_numbers(name: str, error: Exception) -> InputError:
    return InputError(f"{name} must be an array of numbers, got something else: {error}")
