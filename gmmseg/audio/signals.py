"""Check sound that comes as an array, once, at the public door."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError

# Sound beyond this was never scaled to -1…1, and its power could leave the range of float32.
LARGEST = 1e15
SLOWEST = 1000  # Hz; below, a frame has too few samples for any feature


def checked_signal(y: ArrayLike, *, sr: float, first: int = 0) -> NDArray[np.float32]:
    """Return sound as float32, whole numbers scaled to -1…1.

    Parameters
    ----------
    y : array_like of shape (n_samples,) or (n_channels, n_samples)
        Sound. Floating samples are taken as they are; integers are divided by the largest of
        their dtype, so that int16 and a floating copy agree; unsigned ones are first centred.
    sr : float
        Sampling rate, in Hz.
    first : int
        Samples of the same sound before `y`, for the message about NaN.

    Returns
    -------
    y : ndarray of float32 of the same shape
        Sound, at full scale in -1…1.

    Raises
    ------
    InputError
        If `y` has no samples, another shape or dtype, or NaN or infinity in it, or `sr` is no
        rate.

    Examples
    --------
    >>> checked_signal(np.array([0, 16384, -32768], dtype=np.int16), sr=16000)
    array([ 0. ,  0.5, -1. ], dtype=float32)
    """
    sr = checked_rate(sr)
    try:
        y = np.asarray(y)
    except ValueError as error:
        raise InputError(f"y must be an array of equally long channels: {error}") from None
    if y.dtype.kind not in "uif":
        raise InputError(f"y must be integer or floating sound, got dtype {y.dtype}")
    if y.ndim not in (1, 2):
        raise InputError(
            f"y must have shape (n_samples,) or (n_channels, n_samples), got {y.shape}"
        )
    if y.size == 0:
        raise InputError(f"y has no samples, its shape is {y.shape}")
    if y.ndim == 2 and len(y) > y.shape[1]:
        raise InputError(
            f"y has {len(y)} channels of {y.shape[1]} samples; channels come first, use y.T"
        )
    scaled = _scaled(y)
    check_finite(scaled, sr=sr, name="y", first=first)
    return scaled


def _scaled(y: NDArray[Any]) -> NDArray[np.float32]:
    """Return samples of any dtype as float32."""
    if y.dtype.kind == "f":
        # float64 beyond the range of float32 becomes infinite, and is then refused.
        with np.errstate(over="ignore"):
            return np.asarray(y, dtype=np.float32)
    middle = 2.0 ** (8 * y.dtype.itemsize - 1)
    samples = y.astype(np.float64) / middle
    return (samples - 1.0 if y.dtype.kind == "u" else samples).astype(np.float32)


def checked_rate(sr: float) -> int:
    """Return a sampling rate as a whole number of Hz, or raise InputError."""
    if isinstance(sr, bool) or not isinstance(sr, int | float | np.integer | np.floating):
        raise InputError(f"sr must be a sampling rate in Hz, for example 16000, got {sr!r}")
    if not np.isfinite(sr) or sr < SLOWEST:
        raise InputError(f"sr must be at least {SLOWEST} Hz, got {sr}")
    return round(sr)


def check_finite(y: NDArray[np.float32], *, sr: float, name: str, first: int = 0) -> None:
    """Refuse NaN, infinity and sound that was never scaled; `first` counts samples before `y`."""
    # NaN wins every maximum, so one pass finds all three.
    largest = max(float(y.max()), -float(y.min()))
    if largest <= LARGEST:
        return
    good = np.abs(y) <= LARGEST
    position = first + int(np.argmin(good if y.ndim == 1 else good.all(axis=0)))
    value = "NaN" if np.isnan(y).any() else "infinity or sound that was never scaled"
    raise InputError(
        f"{name} holds {value}, first at sample {position} ({position / sr:.3f} s); "
        "repair or replace those samples"
    )
