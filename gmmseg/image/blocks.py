"""Sums over blocks of pixels: an image at a fraction of its size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def block_sums(values: NDArray[Any], factors: tuple[int, ...]) -> NDArray[Any]:
    """Return the sums over blocks of so many cells along each of the first axes."""
    for axis, factor in enumerate(factors):
        if factor > 1:
            values = np.add.reduceat(values, np.arange(0, values.shape[axis], factor), axis=axis)
    return values
