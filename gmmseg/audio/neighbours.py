"""What a frame takes from its neighbours: deltas, and normalisation by a sliding window."""

import functools
import math

import numpy as np
from numpy.typing import NDArray

DELTA_WIDTH = 9  # frames, librosa's default
LEAST_SPREAD = np.float32(1e-3)  # a column that varies less is constant, and stays 0


def delta(table: NDArray[np.float32], *, order: int = 1) -> NDArray[np.float32]:
    """Return the derivative of every column along the frames, per frame.

    A polynomial of degree `order` is fitted to nine frames around each one (Savitzky, Golay 1964);
    at both ends it is the one of the first or last nine: ``librosa.feature.delta(table.T,
    order=order).T``. Sounds of fewer frames than nine are fitted whole, of fewer than order + 1
    have the derivative 0.
    """
    n_frames = len(table)
    width = min(DELTA_WIDTH, n_frames - 1 + n_frames % 2)
    if width <= order:
        return np.zeros_like(table)
    weights, half = _derivative_weights(width, order), width // 2
    slopes = np.empty_like(table)
    middle = slopes[half : n_frames - half]
    middle[:] = 0.0
    for place, weight in enumerate(weights):
        middle += weight * table[place : place + len(middle)]
    # Of a polynomial of degree `order` the derivative of that order is the same everywhere.
    slopes[:half] = middle[0]
    slopes[n_frames - half :] = middle[-1]
    return slopes


@functools.lru_cache(maxsize=32)
def _derivative_weights(width: int, order: int) -> NDArray[np.float32]:
    """Return what `width` values are multiplied with to give the derivative of their polynomial."""
    places = np.arange(width) - width // 2
    powers = np.vander(places, order + 1, increasing=True).astype(np.float64)
    return (math.factorial(order) * np.linalg.pinv(powers)[order]).astype(np.float32)


def with_deltas(table: NDArray[np.float32], *, order: int) -> NDArray[np.float32]:
    """Return the table with its derivatives up to `order` beside it."""
    return np.hstack([table, *(delta(table, order=o) for o in range(1, order + 1))])


def standardized(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return every column with mean 0 and spread 1 over the whole sound."""
    values = table.astype(np.float64)
    spread = np.maximum(values.std(axis=0), LEAST_SPREAD)
    return ((values - values.mean(axis=0)) / spread).astype(np.float32)


def standardized_sliding(table: NDArray[np.float32], *, n_around: int) -> NDArray[np.float32]:
    """Return every column standardised by the frames within `n_around` of each frame."""
    values = table.astype(np.float64)
    # Sums of deviations from a value in their midst keep their digits.
    values -= values.mean(axis=0)
    ends = np.arange(len(values))
    low, high = np.maximum(ends - n_around, 0), np.minimum(ends + n_around + 1, len(values))
    counts = (high - low)[:, np.newaxis]

    def window_mean(columns: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.vstack([np.zeros(columns.shape[1]), np.cumsum(columns, axis=0)])
        return (sums[high] - sums[low]) / counts

    mean = window_mean(values)
    variance = window_mean(values**2) - mean**2
    spread = np.sqrt(np.maximum(variance, LEAST_SPREAD**2))
    return ((values - mean) / spread).astype(np.float32)
