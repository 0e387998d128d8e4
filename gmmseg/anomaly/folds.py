"""Cross-fitting: every normal sample is scored by a model that has not seen it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_FOLDS = 32
"""With so few samples each is left out alone; with more, as many folds are left out in turn."""


def folds(n_samples: int, most: int = MOST_FOLDS) -> Iterator[NDArray[np.bool_]]:
    """Yield masks of the samples to leave out: every one is in exactly one mask."""
    n_folds = min(n_samples, most)
    label = np.arange(n_samples) % n_folds
    for k in range(n_folds):
        yield label == k


def cross_fitted(
    X: Array, score: Callable[[Array, Array], NDArray[Any]], most: int = MOST_FOLDS
) -> NDArray[Any]:
    """Return ``score(rest, left_out)`` of all folds, in the order of X; its first axis is theirs.

    A single sample has no rest, and is scored by itself.
    """
    parts: list[tuple[NDArray[np.bool_], NDArray[Any]]] = []
    for out in folds(len(X), most):
        rest = X if len(X) == 1 else X[~out]
        parts.append((out, score(rest, X[out])))
    first = parts[0][1]
    result = np.empty((len(X), *first.shape[1:]))
    for out, values in parts:
        result[out] = values
    return result
