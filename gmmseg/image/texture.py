"""Texture: how much the lightness varies around every pixel, at two scales."""

import numpy as np
from numpy.typing import NDArray

SCALES = (2.0, 4.0)  # standard deviations of the windows, in pixels
REACH = int(4 * max(SCALES) + 0.5)  # how far a window sees: it ends at four deviations


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
    light = np.where(np.isfinite(light), light, np.float32(0))
    spread = np.empty((*light.shape, len(SCALES)), dtype=np.float32)
    for i, scale in enumerate(SCALES):
        sigma = (0.0 if n_axes == 2 else scale, scale, scale)
        spread[..., i] = np.log(local_deviation(light, sigma) + np.float32(0.005))
    return spread


def local_deviation(
    values: NDArray[np.float32],
    sigma: float | tuple[float, ...],
    inside: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Return the standard deviation around every pixel, of the pixels inside if these are given.

    ``sqrt(E[x²] - E[x]²)`` under a Gaussian window, in float64: there the square of a float32 is
    exact, and what sums lose is less than the values had lost before, however far they are from 0.
    """
    from scipy import ndimage

    known = values if inside is None else np.where(inside, values, np.float32(0))
    mean = ndimage.gaussian_filter(known, sigma, output=np.float64)
    square = ndimage.gaussian_filter(np.square(known, dtype=np.float64), sigma)
    if inside is not None and not inside.all():
        share = ndimage.gaussian_filter(inside, sigma, output=np.float64)
        share = np.maximum(share, 1e-6)
        mean, square = mean / share, square / share
    return np.sqrt(np.maximum(square - mean * mean, 0)).astype(np.float32)
