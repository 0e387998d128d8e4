"""What callers give as an image, as an array whose last axis is that of its channels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError


def as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return the values as an array, or raise InputError naming them where they are ragged."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} must be an array of equally long rows: {error}") from None


def with_channels(image: ArrayLike, channel_axis: int | None = -1) -> NDArray[Any]:
    """Check an image and view it as (rows, cols, channels), a volume as (planes, ..., channels).

    An image of two axes has one channel, and needs no other `channel_axis` than -1.
    """
    image = as_array(image, "image")
    if image.dtype.kind not in "buif":
        raise InputError(f"image must be boolean, integer or floating, got dtype {image.dtype}")
    if image.ndim not in (2, 3, 4):
        raise InputError(
            f"image must have shape (rows, cols) or (rows, cols, channels), got {image.shape}"
        )
    if image.size == 0:
        raise InputError(f"image has no pixels, its shape is {image.shape}")
    if image.ndim == 2:
        if channel_axis not in (None, -1):
            raise InputError(
                f"channel_axis={channel_axis} indicates multichannel, but the image has shape "
                f"{image.shape}; use channel_axis=None if the image is grayscale"
            )
        return image[:, :, np.newaxis]
    if channel_axis is None:
        if image.ndim == 3:
            return image[..., np.newaxis]
        raise InputError(
            f"channel_axis=None indicates a volume without channels, but the image has shape "
            f"{image.shape}; give the axis of its channels, for example channel_axis=-1"
        )
    if channel_axis not in range(-image.ndim, image.ndim):
        raise InputError(
            f"channel_axis must be a whole number in {-image.ndim}…{image.ndim - 1} for "
            f"{image.ndim} axes, got {channel_axis}"
        )
    return np.moveaxis(image, channel_axis, -1)
