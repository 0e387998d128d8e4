"""Grids coarser than an image: means over blocks of pixels, and the way back."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def block_means(values: Floats, step: int) -> Floats:
    """Return the means of ``step * step`` blocks, (ceil(rows / step), ceil(cols / step), ...).

    Blocks that reach over an edge repeat what is at it.
    """
    rows, cols = values.shape[:2]
    pad_rows, pad_cols = -rows % step, -cols % step
    if pad_rows or pad_cols:
        pads = ((0, pad_rows), (0, pad_cols)) + ((0, 0),) * (values.ndim - 2)
        values = np.pad(values, pads, mode="edge")
    shape = values.shape[0] // step, values.shape[1] // step, *values.shape[2:]
    total = np.zeros(shape, dtype=np.float32)
    for i in range(step):
        for j in range(step):
            total += values[i::step, j::step]
    total /= np.float32(step * step)
    return total


def stretched(values: Floats, step: float, shape: tuple[int, int]) -> Floats:
    """Return block values between the middles of their blocks, (rows, cols), linearly."""
    for axis, length in enumerate(shape):
        n_blocks = values.shape[axis]
        place = np.clip((np.arange(length) + 0.5) / step - 0.5, 0.0, n_blocks - 1.0)
        first = np.minimum(place.astype(np.intp), max(n_blocks - 2, 0))
        share = (place - first).astype(np.float32)
        share = share.reshape((-1, 1) if axis == 0 else (1, -1))
        low = values.take(first, axis=axis)
        high = values.take(np.minimum(first + 1, n_blocks - 1), axis=axis)
        values = low + share * (high - low)
    return values
