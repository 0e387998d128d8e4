"""Grids coarser than an image: sums and means over blocks of pixels, and the way back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def block_sums(values: NDArray[Any], factors: tuple[int, ...]) -> NDArray[Any]:
    """Return the sums over blocks of so many cells along each of the first axes.

    Blocks that reach over an edge are the sums of what is there.
    """
    for axis, factor in enumerate(factors):
        if factor > 1:
            values = np.add.reduceat(values, np.arange(0, values.shape[axis], factor), axis=axis)
    return values


def block_means_inside(
    values: Floats, inside: NDArray[np.bool_], step: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the means of what is inside in ``step * step`` blocks, and where there is anything.

    ``values`` are (rows, cols, channels), ``inside`` (rows, cols); where nothing is the mean is 0.
    """
    factors = (step, step)
    counts = block_sums(inside.astype(np.float64), factors)
    known = np.where(inside[:, :, np.newaxis], values, np.float32(0))
    sums = block_sums(known.astype(np.float64), factors)
    return (sums / np.maximum(counts, 1)[:, :, np.newaxis]).astype(np.float32), counts > 0


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
