"""Colour spaces: stored channels scaled to 0…1, and what a mixture sees of them."""

from functools import cache
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError
from gmmseg.image.color_kernels import MATRIX, lab_of_rgb, lab_tables

Color: TypeAlias = Literal["auto", "lab", "rgb", "hsv", "gray", "log", "none"]
COLORS = get_args(Color)

# Rec. 709 luma: how much red, green and blue add to the lightness of a pixel.
LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)

_tables = cache(lab_tables)


def resolve_color(color: str, n_channels: int) -> str:
    """Return the conversion to do, if the channels allow it: "auto" is Lab for three of them."""
    if color not in COLORS:
        raise InputError(f"color must be one of {', '.join(COLORS)}, got {color!r}")
    if color == "auto":
        return "lab" if n_channels == 3 else "auto"
    if color in ("none", "log") or n_channels == 3 or (color == "gray" and n_channels == 1):
        return color
    if n_channels == 1:
        advice = 'use color="gray" or "none" for a grayscale image'
    elif n_channels == 4:
        advice = (
            "if the fourth is alpha, pass image[..., :3] with mask=image[..., 3] > 0, "
            'otherwise use color="none"'
        )
    else:
        advice = 'use color="none"'
    raise InputError(f'color="{color}" needs three channels, got {n_channels}; {advice}')


def is_colorimetric(color: str, n_channels: int) -> bool:
    """Tell whether a conversion takes the channels for red, green and blue in 0…1."""
    return color in ("lab", "rgb", "hsv", "gray") and n_channels == 3


def scaled(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return values as float32, integers divided by the largest value of their dtype.

    The division is done in float64, so that equal fractions of different dtypes round alike.
    """
    if values.dtype.kind in "ui":
        divided = values / float(np.iinfo(values.dtype).max)
        return divided.astype(np.float32, order="C")
    with np.errstate(over="ignore"):  # beyond float32 is as good as infinite
        return np.ascontiguousarray(values, dtype=np.float32)


def light_of(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the lightness of scaled channels (..., channels)."""
    # Infinities of both signs in one pixel: NaN is the answer, not a warning.
    with np.errstate(invalid="ignore"):
        light: NDArray[np.float32] = (
            channels @ LUMA if channels.shape[-1] == 3 else channels.mean(axis=-1)
        )
    return light


def check_integers(values: NDArray[Any], color: str) -> None:
    """Refuse colours in integers far wider than they need, whose scale cannot be known."""
    if values.dtype.kind in "ui" and values.dtype.itemsize > 2:
        largest = int(values.max())
        narrow = "uint8" if largest <= 255 else "uint16"
        if largest <= 65535:
            raise InputError(
                f'color="{color}" divides by the largest value of the dtype, and {values.dtype} '
                f"is far too wide for values up to {largest}; use image.astype(np.{narrow})"
            )


def check_range(values: NDArray[np.float32], dtype: np.dtype[Any], color: str) -> None:
    """Refuse colours outside 0…1; NaN and infinity may pass, they are masked out later."""
    if dtype.kind in "bu":
        return
    outside = np.isfinite(values) & ((values < 0) | (values > 1))
    if outside.any():
        raise InputError(
            f'color="{color}" needs values in 0…1, got {values[outside][0]:g} in an image of '
            f"dtype {dtype}; scale the image (0…255: divide by 255), or use "
            'color="none" (--color none)'
        )


def converted(values: NDArray[np.float32], color: str) -> NDArray[np.float32]:
    """Return scaled channels (..., channels) in a colour space; not finite where one was not."""
    if color in ("rgb", "none", "log", "auto") or values.shape[-1] == 1:
        return values
    if color == "lab":
        lab = np.empty_like(values, order="C")
        linear, root = _tables()
        lab_of_rgb(values.reshape(-1, 3), linear, root, MATRIX, lab.reshape(-1, 3))
        return lab
    from skimage.color import rgb2gray, rgb2hsv

    finite = np.isfinite(values).all(axis=-1, keepdims=True)
    known = np.where(finite, values, np.float32(0))
    new = _cone(rgb2hsv(known)) if color == "hsv" else rgb2gray(known)[..., np.newaxis]
    return np.where(finite, new, np.float32(np.nan)).astype(np.float32)


def _cone(hsv: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return HSV as the point of a cone: hue is an angle, and 0 and 1 are the same red."""
    hue, saturation, value = np.moveaxis(hsv, -1, 0)
    angle, radius = 2 * np.pi * hue, saturation * value
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), value], axis=-1)
