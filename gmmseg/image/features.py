"""Turn the pixels of an image into features: scaled channels, Lab colour, position."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

Color: TypeAlias = Literal["auto", "lab", "rgb", "gray", "none"]
_COLORS = ("auto", "lab", "rgb", "gray", "none")

# Pixels converted at once: colour conversion needs some ten times the memory of its block.
_BLOCK_PIXELS = 2**16

# Rec. 709 luma: how much red, green and blue add to the lightness of a pixel.
LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def pixel_features(
    image: ArrayLike,
    *,
    color: Color = "auto",
    position: float = 0.0,
    channel_axis: int | None = -1,
) -> NDArray[np.float32]:
    """Describe every pixel by its colour and, if wanted, its place.

    Integer images are divided by the largest value of their dtype, so that an 8-bit, a 16-bit
    and a floating copy of one picture give the same features.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of boolean, integer or floating dtype. For "lab", "rgb" and "gray" a floating
        image must lie in 0…1.
    color : {"auto", "lab", "rgb", "gray", "none"}
        "lab": CIE L*a*b* (D65, 2° observer), in which equal distances look about equally
        large to the eye; "rgb": the three channels in 0…1; "gray": their luminance in 0…1;
        "none": the channels as they are, however many. "auto" is "lab" for three channels and
        "none" otherwise.
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
        with NaN or infinity in a channel is not finite here either: mask it out.

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
    channels = with_channels(image, channel_axis)
    conversion = _resolve_color(color, channels.shape[2])
    check_number("position", position, least=0)
    rows, cols, n_channels = channels.shape
    n_colors = {"lab": 3, "rgb": 3, "gray": 1, "none": n_channels}[conversion]
    features = np.empty((rows, cols, n_colors + 2 * (position > 0)), dtype=np.float32)
    if conversion != "none" and n_channels == 3:
        _check_integers(channels, conversion)
    for block, scaled in _scaled_blocks(channels):
        if conversion != "none" and n_channels == 3:
            _check_range(scaled, channels.dtype, conversion)
        features[block, :, :n_colors] = _convert(scaled, conversion)
    if position > 0:
        colors = features[:, :, :n_colors]
        everywhere = np.ones((rows, cols), dtype=bool)
        features[:, :, n_colors:] = Place.fitting(colors, everywhere, position).features(rows, cols)
    return features


@dataclass(frozen=True)
class Place:
    """How row and column become two features: the middle of an image, and a unit for its colours.

    Parameters
    ----------
    middle : tuple of float
        Row and column that become 0.
    unit : float
        What the distance of one pixel becomes.
    """

    middle: tuple[float, float]
    unit: float

    @classmethod
    def fitting(
        cls, colors: NDArray[np.float32], inside: NDArray[np.bool_], position: float
    ) -> "Place":
        """Return the place that weighs ``position`` against the colours of the pixels inside."""
        rows, cols, n_colors = colors.shape
        spread = float(np.mean([_std(colors[:, :, i][inside]) for i in range(n_colors)])) or 1.0
        longer = max(rows, cols)
        # The numbers 0…n-1 have variance (n² - 1) / 12.
        unit = position * spread / max(np.sqrt((longer**2 - 1) / 12), 0.5)
        return cls(((rows - 1) / 2, (cols - 1) / 2), float(unit))

    def features(self, rows: int, cols: int) -> NDArray[np.float32]:
        """Return ``unit * ((row, col) - middle)`` of every pixel, (rows, cols, 2)."""
        place = np.empty((rows, cols, 2), dtype=np.float32)
        place[:, :, 0] = (self.unit * (np.arange(rows) - self.middle[0]))[:, np.newaxis]
        place[:, :, 1] = self.unit * (np.arange(cols) - self.middle[1])
        return place


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
    channels = with_channels(image, channel_axis)
    light = np.empty(channels.shape[:2], dtype=np.float32)
    for block, scaled in _scaled_blocks(channels):
        # Infinities of both signs in one pixel: NaN is the answer, not a warning.
        with np.errstate(invalid="ignore"):
            light[block] = scaled @ LUMA if scaled.shape[2] == 3 else scaled.mean(axis=2)
    return light


def as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return the values as an array, or raise InputError naming them where they are ragged."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} must be an array of equally long rows: {error}") from None


def with_channels(image: ArrayLike, channel_axis: int | None) -> NDArray[Any]:
    """Check an image and view it as (rows, cols, channels)."""
    image = as_array(image, "image")
    if image.dtype.kind not in "buif":
        raise InputError(f"image must be boolean, integer or floating, got dtype {image.dtype}")
    if image.ndim not in (2, 3):
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
        raise InputError(
            f"channel_axis=None indicates grayscale, but the image has shape {image.shape}; "
            "give the axis of its channels, for example channel_axis=-1"
        )
    if channel_axis not in range(-3, 3):
        raise InputError(
            f"channel_axis must be a whole number in -3…2 for three axes, got {channel_axis}"
        )
    return np.moveaxis(image, channel_axis, -1)


def _resolve_color(color: str, n_channels: int) -> str:
    """Return the conversion to do, if the channels allow it."""
    if color not in _COLORS:
        raise InputError(f"color must be one of {', '.join(_COLORS)}, got {color!r}")
    if color == "auto":
        return "lab" if n_channels == 3 else "none"
    if color == "none" or n_channels == 3 or (color == "gray" and n_channels == 1):
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


def _scaled_blocks(channels: NDArray[Any]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield blocks of rows as float32, integers divided by the largest value of their dtype.

    The division is done in float64, so that equal fractions of different dtypes round alike.
    """
    integer = channels.dtype.kind in "ui"
    largest = float(np.iinfo(channels.dtype).max) if integer else 1.0
    step = max(1, _BLOCK_PIXELS // channels.shape[1])
    for start in range(0, channels.shape[0], step):
        block = slice(start, start + step)
        values = channels[block] / largest if integer else channels[block]
        with np.errstate(over="ignore"):  # beyond float32 is as good as infinite
            scaled = values.astype(np.float32)
        yield block, scaled


def _check_integers(channels: NDArray[Any], color: str) -> None:
    """Refuse colours in integers far wider than they need, whose scale cannot be known."""
    if channels.dtype.kind in "ui" and channels.dtype.itemsize > 2:
        largest = int(channels.max())
        narrow = "uint8" if largest <= 255 else "uint16"
        if largest <= 65535:
            raise InputError(
                f'color="{color}" divides by the largest value of the dtype, and {channels.dtype} '
                f"is far too wide for values up to {largest}; use image.astype(np.{narrow})"
            )


def _check_range(scaled: NDArray[np.float32], dtype: np.dtype[Any], color: str) -> None:
    """Refuse colours outside 0…1; NaN and infinity may pass, they are masked out later."""
    outside = np.isfinite(scaled) & ((scaled < 0) | (scaled > 1))
    if outside.any():
        raise InputError(
            f'color="{color}" needs values in 0…1, got {scaled[outside][0]:g} in an image of '
            f'dtype {dtype}; scale the image, or use color="none"'
        )


def _convert(scaled: NDArray[np.float32], color: str) -> NDArray[np.float32]:
    """Convert a block of scaled channels to the features of `color`."""
    if color in ("rgb", "none") or scaled.shape[2] == 1:
        return scaled
    from skimage.color import rgb2gray, rgb2lab

    finite = np.isfinite(scaled).all(axis=2, keepdims=True)
    known = scaled if finite.all() else np.where(finite, scaled, np.float32(0))
    converted = rgb2lab(known) if color == "lab" else rgb2gray(known)[:, :, np.newaxis]
    return np.where(finite, converted, np.float32(np.nan))


def _std(values: NDArray[np.float32]) -> float:
    """Return the standard deviation of the finite values, 0 if there are none."""
    finite = values[np.isfinite(values)]
    # In float64 a sum of equal float32 values is exact, so a constant has no spread at all.
    return float(finite.std(dtype=np.float64)) if finite.size else 0.0
