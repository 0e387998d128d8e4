"""Texture: how much the lightness varies around every pixel, at two scales."""

import numpy as np
from numpy.typing import NDArray

SCALES = (2.0, 4.0)  # standard deviations of the windows, in pixels
REACH = int(4 * max(SCALES) + 0.5)  # how far a window sees: it ends at four deviations

_LARGEST = np.float32(1e15)  # whose square is finite


def local_spread(light: NDArray[np.float32], n_axes: int) -> NDArray[np.float32]:
    """Return the logarithm of the local standard deviation of a volume, (..., n_scales).

    Parameters
    ----------
    light : ndarray of float32 of shape (planes, rows, cols)
        What varies. What is not finite counts as 0.
    n_axes : int
        2 if every plane stands for itself, 3 if windows go through planes.

    Returns
    -------
    spread : ndarray of float32 of shape (planes, rows, cols, n_scales)
        ``log(deviation + 0.005)``, under a Gaussian window of each scale.
    """
    from scipy import ndimage

    light = np.where(np.isfinite(light), light, np.float32(0))
    light = np.clip(light, -_LARGEST, _LARGEST)
    spread = np.empty((*light.shape, len(SCALES)), dtype=np.float32)
    for i, scale in enumerate(SCALES):
        sigma = (0.0 if n_axes == 2 else scale, scale, scale)
        mean = ndimage.gaussian_filter(light, sigma)
        square = ndimage.gaussian_filter(light * light, sigma)
        spread[..., i] = np.log(np.sqrt(np.maximum(square - mean * mean, 0)) + np.float32(0.005))
    return spread
