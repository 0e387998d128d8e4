"""Number the segments that have pixels without gaps: one may have lost all of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def close_gaps(labels: NDArray[Any]) -> NDArray[np.intp]:
    """Give the labels numbers 1 to n in their order, in place, and return which they were, (n,).

    Label 0 is masked out and stays. Rows are done one by one, so that a large image costs no
    memory.
    """
    is_used = np.zeros(int(labels.max(initial=0)) + 1, dtype=bool)
    for row in labels:
        is_used[row] = True
    used = np.flatnonzero(is_used[1:]) + 1
    if len(used) + 1 < len(is_used):
        numbers = np.zeros(len(is_used), dtype=labels.dtype)
        numbers[used] = np.arange(1, len(used) + 1)
        for row in labels:
            row[...] = numbers[row]
    return used


def of_those_left(
    probabilities: NDArray[np.float32], used: NDArray[np.intp], labels: NDArray[Any]
) -> NDArray[np.float32]:
    """Return the probabilities (..., n) of the segments used, that sum to 1 again where labelled.

    Where all segments left are impossible, that which the pixel joined, its label, is certain.
    """
    if len(used) == probabilities.shape[-1]:
        return probabilities
    left = probabilities[..., used - 1]
    total = left.sum(axis=-1)
    is_lost = (total == 0) & (labels > 0)
    left[is_lost, labels[is_lost] - 1] = total[is_lost] = 1
    left /= np.where(total == 0, np.float32(1), total)[..., np.newaxis]
    return left
