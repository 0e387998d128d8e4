"""Turn the pixels of an image into features: colour, texture, position."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.image.arrays import with_channels
from gmmseg.image.color import Color, light_of, scaled
from gmmseg.image.pixels import pixels_of
from gmmseg.image.recipe import Recipe


def pixel_features(
    image: ArrayLike,
    *,
    color: Color = "auto",
    texture: bool = False,
    position: float = 0.0,
    channel_axis: int | None = -1,
) -> NDArray[np.float32]:
    """Describe every pixel by its colour and, if wanted, its texture and place.

    Integer images are divided by the largest value of their dtype, so that an 8-bit, a 16-bit
    and a floating copy of one picture give the same features.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of boolean, integer or floating dtype; for "lab", "rgb", "hsv" and "gray" a floating
        image must lie in 0…1. With `channel_axis` None it may be a volume (planes, rows, cols),
        and a volume with channels has four axes.
    color : {"auto", "lab", "rgb", "hsv", "gray", "log", "none"}
        "lab": CIE L*a*b* (D65, 2° observer), in which equal distances look about equally
        large to the eye; "rgb": the three channels in 0…1; "hsv": the cone of hue, saturation
        and value, ``(s v cos h, s v sin h, v)``; "gray": their luminance in 0…1; "log": the
        logarithm of how far each channel rises above its ground; "none": the channels as they
        are, however many. "auto" is "lab" for three channels; of another number, those channels
        that show bright things on a dark ground are as in "log", the others as they are.
    texture : bool
        Whether to add the logarithm of the local spread of the lightness, at two scales.
    position : float
        Weight of the pixel's place. Above 0, row and column are added as two features. At 1
        the longer side of the image spreads (in standard deviation) as much as the average
        colour feature, so that colour and place count about the same. Search it on a log
        scale: 0.1, 0.3, 1, 3.
    channel_axis : int or None
        Axis of the channels. A two-dimensional image has one channel and no such axis (None,
        or the default).

    Returns
    -------
    features : ndarray of float32 of shape (rows, cols, n_features)
        Features; ``features.reshape(-1, features.shape[-1])`` is the table of samples. A pixel
        with NaN or infinity in a channel is not finite here either: mask it out. Of a volume they
        have shape (planes, rows, cols, n_features).

    Raises
    ------
    InputError
        If the image has no pixels, another dtype or number of axes, channels that do not fit
        `color`, or floating values outside 0…1 where a colour conversion needs them inside.

    Examples
    --------
    >>> pixel_features(np.array([[0, 51], [102, 255]], dtype=np.uint8))[:, :, 0]
    array([[0. , 0.2],
           [0.4, 1. ]], dtype=float32)
    """
    pixels = pixels_of(image, channel_axis=channel_axis)
    recipe = Recipe.fitting(pixels, color=color, texture=texture, position=position)
    features, _ = recipe.features(pixels, pixels.everything)
    return features.reshape(pixels.grid + features.shape[-1:])


def lightness(image: ArrayLike, *, channel_axis: int | None = -1) -> NDArray[np.float32]:
    """Return how light every pixel is, whatever its channels mean.

    It orders segments from dark to light; it is luma, the weighted sum of the stored values,
    not the L* of Lab.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of boolean, integer or floating dtype.
    channel_axis : int or None
        Axis of the channels, as in `pixel_features`.

    Returns
    -------
    light : ndarray of float32 of shape (rows, cols)
        ``0.2126 R + 0.7152 G + 0.0722 B`` for three channels, the mean of the channels
        otherwise; integers are divided by the largest value of their dtype.

    Raises
    ------
    InputError
        If the image has no pixels, or another dtype or number of axes.

    Examples
    --------
    >>> lightness(np.array([[[255, 0, 0], [255, 255, 255]]], dtype=np.uint8))
    array([[0.2126, 1.    ]], dtype=float32)
    """
    return light_of(scaled(with_channels(image, channel_axis)))


def dark_to_light(groups: NDArray[np.integer], light: NDArray[Any]) -> NDArray[np.intp]:
    """Return the groups, from 0, that have pixels, by how light these are on average."""
    counts = np.bincount(groups)
    sums = np.bincount(groups, light)
    used = np.flatnonzero(counts)
    return used[np.argsort(sums[used] / counts[used], kind="stable")]
