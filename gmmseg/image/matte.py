"""A soft edge for a mask: how much of a pixel on the border is foreground, from colours nearby."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter, uniform_filter

from gmmseg.core.validation import check_number
from gmmseg.image.arrays import with_channels
from gmmseg.image.cut_grid import scaled_channels
from gmmseg.image.pixels import checked_mask

# Where the two sides differ by less, in units of the spread of the image, their colours say little.
LEAST_CONTRAST = 0.1


def soften_mask(
    image: ArrayLike, mask: ArrayLike, *, width: int = 4, channel_axis: int | None = -1
) -> NDArray[np.float32]:
    """Return how much of every pixel is foreground: between 0 and 1 near the border of a mask.

    A pixel near the border is taken for a blend of the mean foreground and the mean background
    around it: ``alpha = (y - b) · (f - b) / |f - b|²``. Where the two look alike, alpha follows
    the mask, blurred.

    Parameters
    ----------
    image : array_like of shape (rows, cols[, channels]) or (planes, rows, cols[, channels])
        The image, as for `cut_foreground`.
    mask : array_like of bool of the image's shape without channels
        The foreground.
    width : int
        How far the soft edge reaches to both sides of the border, in pixels.
    channel_axis : int or None
        Axis of the channels, as for `cut_foreground`.

    Returns
    -------
    alpha : ndarray of float32 of the image's shape without channels
        0 at background, 1 at foreground.

    Raises
    ------
    InputError
        If the image or the width cannot be used, or the mask has another shape.

    Examples
    --------
    >>> ramp = np.repeat([[0.0, 0.0, 0.0, 0.0, 0.25, 1.0, 1.0, 1.0, 1.0]], 9, axis=0)
    >>> soften_mask(ramp, ramp > 0.5, width=2)[4].round(1)
    array([0. , 0. , 0. , 0. , 0.3, 1. , 1. , 1. , 1. ], dtype=float32)
    """
    check_number("width", width, least=1, is_whole=True)
    pixels = with_channels(image, channel_axis)
    shape = pixels.shape[:-1]
    inside = checked_mask(mask, shape)
    usable = np.isfinite(pixels).all(axis=-1)
    channels = scaled_channels(pixels, usable)
    near_inside = maximum_filter(inside, 2 * width + 1)
    near_outside = maximum_filter(~inside, 2 * width + 1)
    foreground, n_foreground = _local_mean(channels, inside & ~near_outside & usable, width)
    background, n_background = _local_mean(channels, ~inside & ~near_inside & usable, width)
    way = foreground - background
    blurred = uniform_filter(inside.astype(np.float32), 2 * width + 1)
    along = ((channels - background) * way).sum(axis=-1) + LEAST_CONTRAST**2 * blurred
    alpha = np.clip(along / ((way**2).sum(axis=-1) + LEAST_CONTRAST**2), 0.0, 1.0)
    is_soft = near_inside & near_outside & usable & (n_foreground > 0) & (n_background > 0)
    return np.where(is_soft, alpha, inside).astype(np.float32)


def _local_mean(
    channels: NDArray[np.float32], mask: NDArray[np.bool_], width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean colour of the pixels of a mask around each pixel, and their share there."""
    # A pixel at the far end of the edge sees as much beyond it as the edge is wide.
    size = 2 * 3 * width + 1
    share = uniform_filter(mask.astype(np.float32), size, mode="constant")
    share[share < 0.5 / size**mask.ndim] = 0.0  # rounding of running sums
    mean = np.empty_like(channels)
    for index in range(channels.shape[-1]):
        used: NDArray[Any] = np.where(mask, channels[..., index], 0.0)
        total = uniform_filter(used, size, mode="constant")
        mean[..., index] = total / np.where(share > 0, share, 1.0)
    return mean, share
