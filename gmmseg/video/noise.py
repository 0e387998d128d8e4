"""How much noise the camera has, so that what is tolerated can follow it.

Noise differs from pixel to pixel; what moves, new light and the edges of a new scene go on over
some. So it is told from second differences along rows of what a frame has beyond the background.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.pixel_model import MEAN, VARIANCE
from gmmseg.video.pixel_state import PixelState
from gmmseg.video.settings import first_variance

ENOUGH = 4_000  # pixels
SECOND = 6.0  # variances of a pixel in one of a second difference: 1 + 4 + 1
MEDIAN_SQUARE = 0.455  # of a standard normal
LEAST_PART = 0.05  # variances of a pixel that the mean of many frames has at least
EVERY = 8  # frames: after the first, noise is measured so often,
CHANGE = 0.1  # and followed by this much,
MOST, SOME = 2.0, 10.0  # to at most so many times what it was, and so many squared levels more
FIRST = 14  # frames, in which it is measured every time

Table = NDArray[np.float32]


def noise_variance(levels: NDArray[Any], table: Table, modes: NDArray[np.float32]) -> float:
    """Return the variance of a frame about the background from pixel to pixel.

    Parameters
    ----------
    levels : ndarray of uint8 or uint16, shape (rows, cols, n_channels)
        The frame.
    table : ndarray of float32, shape (n_channels, n_levels)
        What its values stand for.
    modes : ndarray of float32, shape (rows, n_modes, 2 + n_channels, cols)
        What is known of the pixels.

    Returns
    -------
    variance : float
        In squared levels, a mean over channels; a median over pixels, so many may move.

    Examples
    --------
    >>> from gmmseg.video.lighting import inverse_table
    >>> frame = np.random.default_rng(0).normal(100, 20, size=(60, 80, 1)).astype(np.uint8)
    >>> table = inverse_table(np.zeros((1, 16)), np.arange(256.0))
    >>> wall = np.full((60, 1, 3, 80), 100, np.float32)
    >>> round(noise_variance(frame, table, wall) ** 0.5)
    20
    """
    step = max(levels.shape[0] * levels.shape[1] // ENOUGH, 1)
    total = 0.0
    for c, stands_for in enumerate(table):
        beyond = stands_for[levels[::step, :, c]] - modes[::step, 0, MEAN + c]
        total += float(np.median(np.diff(beyond, 2, axis=1) ** 2))
    return total / (len(table) * SECOND * MEDIAN_SQUARE)


def follow_noise(state: PixelState, levels: NDArray[Any], table: Table) -> None:
    """Measure the noise in the first frames of a scene, then now and then, and follow it slowly.

    What rises of a sudden everywhere is a new scene, not noise.
    """
    n = state.n_frames
    if n >= FIRST and n % EVERY != 0:
        return
    variance = noise_variance(levels, table, state.model.modes) / (1.0 + max(1.0 / n, LEAST_PART))
    if n == 1:
        state.model.modes[:, 0, VARIANCE] = first_variance(variance)
    else:
        change = max(1.0 / n, CHANGE)
        variance = min(variance, MOST * state.noise + SOME)
        variance = state.noise + change * (variance - state.noise)
    state.noise = variance
