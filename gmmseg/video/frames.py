"""A frame as the kernels want it: whole numbers in rows, columns, channels, and their meaning."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import GmmsegWarning, InputError

WORDS = np.iinfo(np.uint16).max
FEWEST_BITS, WORD_BITS = 8, 16
SMALLEST_SIDE = 8  # pixels
MOST_CHANNELS = 64


def as_levels(frame: ArrayLike, *, bits: int | None = None) -> NDArray[Any]:
    """Return a frame as uint8 or uint16 of shape (rows, cols, n_channels), uncopied if it is.

    Parameters
    ----------
    frame : array_like of shape (rows, cols) or (rows, cols, n_channels)
        uint8, uint16, bool, or floating in 0…1.
    bits : int or None
        How many bits of uint16 are in use, 8…16; None is all.

    Returns
    -------
    levels : ndarray of uint8 or uint16, shape (rows, cols, n_channels)
        The frame; of bool 0 and 255, of floating numbers their 65536th parts, and of uint16 with
        fewer bits the values shifted up to 16.

    Raises
    ------
    InputError
        If it is no picture, too small, of another type, or has values outside 0…1 or its bits.

    Examples
    --------
    >>> as_levels(np.full((8, 9), 0.5))[0, 0]
    array([32768], dtype=uint16)
    >>> as_levels(np.full((8, 9), 2048, np.uint16), bits=12)[0, 0]
    array([32768], dtype=uint16)
    """
    values = np.asarray(frame)
    if values.ndim not in (2, 3):
        raise InputError(
            f"a frame must have shape (rows, cols) or (rows, cols, n_channels), got {values.shape}"
        )
    n_channels = values.shape[2] if values.ndim == 3 else 1
    if min(values.shape[:2]) < SMALLEST_SIDE or not 1 <= n_channels <= MOST_CHANNELS:
        raise InputError(
            f"a frame must have at least {SMALLEST_SIDE} x {SMALLEST_SIDE} pixels of 1 to "
            f"{MOST_CHANNELS} channels, got shape {values.shape}"
        )
    whole = _whole_numbers(values, bits)
    return np.ascontiguousarray(whole if whole.ndim == 3 else whole[:, :, np.newaxis])


def _whole_numbers(values: NDArray[Any], bits: int | None) -> NDArray[Any]:
    if values.dtype == np.uint16 and bits is not None:
        most = 2**bits - 1
        if values.max() > most:
            raise InputError(
                f"a frame has the value {values.max()}, beyond the {most} that {bits} bits hold; "
                "say how many bits it has"
            )
        return values << np.uint16(WORD_BITS - bits)
    if values.dtype in (np.uint8, np.uint16):
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind != "f":
        raise InputError(
            f"a frame must be uint8, uint16, bool or floating in 0…1, got {values.dtype}; "
            "scale it to one of these"
        )
    if not (values.min() >= 0.0 and values.max() <= 1.0):  # false for NaN too
        raise InputError(
            f"a floating frame must lie in 0…1, got {values.min():g} to {values.max():g}; "
            "divide it by its largest possible value"
        )
    return np.rint(values * WORDS).astype(np.uint16)


def warn_if_dim(frame: ArrayLike, bits: int | None) -> None:
    """Warn the caller of `apply` where a frame of uint16 leaves its highest bits unused, untold."""
    values = np.asarray(frame)
    if bits is not None or values.dtype != np.uint16:
        return
    length = max(int(values.max()).bit_length(), FEWEST_BITS)
    used = length + length % 2  # cameras have 8, 10, 12, 14 or 16
    if used < WORD_BITS:
        warnings.warn(
            f"the first frame uses but {used} of the 16 bits of uint16; if the camera has no more, "
            f"say so (bits={used}), or hardly anything will be seen to move",
            GmmsegWarning,
            stacklevel=4,
        )


def check_like(
    levels: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any], *, number: int
) -> None:
    """Refuse a frame, the so-manieth, that has not the shape and type of those before."""
    if levels.shape != shape:
        raise InputError(
            f"frame {number} has shape {levels.shape} (rows, cols, channels), those "
            f"before {shape}; give frames of one size, or use a new subtractor"
        )
    if levels.dtype != dtype:
        raise InputError(
            f"frame {number} is {levels.dtype}, those before {dtype}; give frames of one type"
        )


def level_values(dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return what the values 0, 1, 2, … of a frame mean on the scale 0…255."""
    n_levels = np.iinfo(dtype).max + 1
    return np.linspace(0.0, 255.0, n_levels, dtype=np.float64)


def grey(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean over channels."""
    total = picture[:, :, 0].copy()
    for c in range(1, picture.shape[2]):
        total += picture[:, :, c]
    total /= np.float32(picture.shape[2])
    return total


def moved_mask(mask: NDArray[np.uint8], shift: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a copy of the mask, moved by a shift."""
    down, right = shift
    if down == right == 0:
        return mask.copy()
    rows, cols = mask.shape
    moved = np.zeros_like(mask)
    moved[max(down, 0) : rows + min(down, 0), max(right, 0) : cols + min(right, 0)] = mask[
        max(-down, 0) : rows - max(down, 0), max(-right, 0) : cols - max(right, 0)
    ]
    return moved
