"""The pixels of an image as the table of samples that a mixture learns from, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.image.features import Color, Place, pixel_features, with_channels

Features: TypeAlias = Color | Callable[[NDArray[Any]], ArrayLike] | NDArray[Any]


@dataclass(frozen=True, eq=False)
class PixelTable:
    """The features of the pixels in use, and where in the image they lie.

    Parameters
    ----------
    X : ndarray of float32 of shape (n_pixels, n_features)
        One row per pixel in use, row by row of the image.
    inside : ndarray of bool of shape (rows, cols)
        True at the pixels in use.
    place : Place or None
        How row and column became features, if they did.
    """

    X: NDArray[np.float32]
    inside: NDArray[np.bool_]
    place: Place | None = None

    def unfold(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the pixels in their places, (rows, cols, ...), and 0 elsewhere."""
        image = np.zeros(self.inside.shape + values.shape[1:], dtype=values.dtype)
        image[self.inside] = values
        return image


def pixel_table(
    image: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    features: Features = "auto",
    position: float = 0.0,
    channel_axis: int | None = -1,
    place: Place | None = None,
) -> PixelTable:
    """Return the features of all pixels that are finite and inside the mask.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        The image.
    mask : array_like of bool of shape (rows, cols), optional
        True (or not 0) where pixels are used; everywhere if None.
    features : str, callable or ndarray of shape (rows, cols, n_features)
        A colour space that `pixel_features` knows, a function that maps the image to such an
        array, or the array itself.
    position : float
        Weight of the pixel's place, as in `pixel_features`.
    channel_axis : int or None
        Axis of the channels, as in `pixel_features`.
    place : Place, optional
        How row and column become features, as learned from another image; from this one if None.

    Returns
    -------
    table : PixelTable
        The pixels in use.

    Raises
    ------
    InputError
        If the image, the mask or the features do not fit together, or no pixel is in use.

    Examples
    --------
    >>> table = pixel_table([[0.1, 0.2], [np.nan, 0.4]], mask=[[1, 0], [1, 1]])
    >>> table.X
    array([[0.1],
           [0.4]], dtype=float32)
    >>> table.unfold(np.array([7, 8]))
    array([[7, 0],
           [0, 8]])
    """
    pixels = with_channels(image, channel_axis)
    use = None if mask is None else _checked_mask(mask, pixels.shape[:2])
    colors = _colors_of(image, pixels, use, features)
    inside = np.asarray(np.isfinite(colors).all(axis=2))
    if use is not None:
        inside &= use
    if not inside.any():
        raise InputError(
            "no pixel is left to segment: all are masked out, transparent, NaN or infinite"
        )
    check_number("position", position, least=0)
    if position > 0:
        place = place or Place.fitting(colors, inside, position)
        colors = np.concatenate([colors, place.features(*inside.shape)], axis=2)
    flat = colors.reshape(-1, colors.shape[2])
    return PixelTable(flat if inside.all() else flat[inside.ravel()], inside, place)


def _colors_of(
    image: ArrayLike, pixels: NDArray[Any], use: NDArray[np.bool_] | None, features: Features
) -> NDArray[np.float32]:
    """Return the features of every pixel, by name, by function, or as given."""
    if isinstance(features, str):
        if features not in get_args(Color):
            names = ", ".join(get_args(Color))
            raise InputError(f"features must be one of {names}, got {features!r}")
        if use is not None and pixels.dtype.kind == "f":
            # What is masked out may be anything, such as the -9999 that stands for no data.
            pixels = np.where(use[:, :, np.newaxis], pixels, np.nan)
        return pixel_features(pixels, color=features)
    given = np.asarray(features(np.asarray(image)) if callable(features) else features)
    rows, cols = pixels.shape[:2]
    if given.ndim != 3 or given.shape[:2] != (rows, cols):
        raise InputError(
            f"features must have shape ({rows}, {cols}, n_features) for this image, "
            f"got {given.shape}"
        )
    return pixel_features(given, color="none")


def _checked_mask(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.asarray(mask)
    if mask.shape != shape:
        raise InputError(f"mask must have shape {shape} as the image has, got {mask.shape}")
    return mask.astype(bool)


def choose_pixels(
    inside: NDArray[np.bool_], n_pixels: int, rng: np.random.Generator
) -> NDArray[np.intp] | slice:
    """Return which rows of a table to take for ``n_pixels`` pixels or a few less, or for all.

    They are drawn by chance, and from the transposed image the same ones: what decides is a hash
    of the two coordinates that does not tell them apart.
    """
    if np.count_nonzero(inside) <= n_pixels:
        return slice(None)
    rows = np.arange(inside.shape[0], dtype=np.uint64)[:, None]
    cols = np.arange(inside.shape[1], dtype=np.uint64)
    seed = rng.integers(2**32, dtype=np.uint64)
    # The finalizer of a multiplicative hash: every bit of the input changes half of the output.
    key = (np.minimum(rows, cols) << np.uint64(32)) + np.maximum(rows, cols) + seed
    for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        key = (key ^ (key >> np.uint64(29))) * np.uint64(factor)
    keys = (key >> np.uint64(32))[inside].astype(np.uint32)
    chosen: NDArray[np.intp] = np.flatnonzero(keys < np.partition(keys, n_pixels)[n_pixels])
    return chosen
