"""An image as a grid of pixels that is read region by region, whatever holds it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.image.arrays import as_array, with_channels
from gmmseg.image.tiling import Slices, tiles

Region: TypeAlias = tuple[slice, slice, slice]  # planes, rows and columns

STRIP_PIXELS = 2**20  # pixels that are worked on at once
# The finalizer of a multiplicative hash: every bit of the input changes half of the output.
_HASH = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixels of an image or a volume; a plane is a volume of one plane.

    Parameters
    ----------
    shape : tuple of int
        (planes, rows, cols).
    n_channels : int
        Number of channels.
    n_axes : int
        2 for an image, 3 for a volume.
    n_inside : int
        Number of pixels in use, or of all where that is not known.
    read : callable
        ``read(region)`` returns the channels of a region (planes, rows, cols, channels) and where
        its pixels are in use (planes, rows, cols).
    """

    shape: tuple[int, int, int]
    n_channels: int
    n_axes: int
    n_inside: int
    read: Callable[[Region], tuple[NDArray[Any], NDArray[np.bool_]]]

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape of what is made of the pixels: (rows, cols), or (planes, rows, cols)."""
        return self.shape[3 - self.n_axes :]

    @property
    def everything(self) -> Region:
        """The region that is the whole grid."""
        planes, rows, cols = self.shape
        return slice(0, planes), slice(0, rows), slice(0, cols)

    def strips(self, halo: int = 0) -> list[tuple[Region, Region]]:
        """Return strips of whole rows, or of whole planes, that cover the grid: with halo, without.

        A strip is no shorter than three halos, so that no more is done twice, and begins at an
        even row with an even halo, so that a chequerboard falls on all strips alike.
        """
        axis, halo = 3 - self.n_axes, halo + halo % 2
        across = max(1, math.prod(self.shape) // self.shape[axis])
        size = list(self.shape)
        size[axis] = 2 * max(1, 3 * halo // 2, STRIP_PIXELS // across // 2)
        return [
            (as_region(outer), as_region(inner))
            for outer, inner in tiles(self.shape, tuple(size), halo=halo)
        ]

    def chosen(self, region: Region, share: float, seed: int) -> NDArray[np.bool_]:
        """Return which pixels of a region are drawn by chance: about this share of all."""
        if share >= 1:
            return np.ones(tuple(part.stop - part.start for part in region), dtype=bool)
        return self.uniform(region, seed) < share

    def uniform(self, region: Region, seed: int) -> NDArray[np.float64]:
        """Return a random number from 0 to below 1 for every pixel of a region.

        It is a hash of the coordinates that does not tell rows from columns: the transposed image
        has the transposed numbers, and a part of the image the same as the whole.
        """
        plane, row, col = (np.arange(p.start, p.stop, dtype=np.uint64) for p in region)
        row, col = row[:, np.newaxis], col[np.newaxis, :]
        # A mixed start keeps the planes of a volume and the seeds apart.
        start = _mixed(plane * np.uint64(_HASH[0]) + np.uint64(seed))[:, np.newaxis, np.newaxis]
        key = _mixed((np.minimum(row, col) << np.uint64(32)) + np.maximum(row, col) + start)
        return (key >> np.uint64(11)).astype(np.float64) * 2.0**-53


def as_region(slices: Slices) -> Region:
    """Return three slices as what they are."""
    planes, rows, cols = slices
    return planes, rows, cols


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for factor in _HASH:
        key = (key ^ (key >> np.uint64(29))) * np.uint64(factor)
    return key


def pixels_of(
    image: ArrayLike, *, mask: ArrayLike | None = None, channel_axis: int | None = -1
) -> Pixels:
    """Return the pixels of an array, those in use being where the mask is not 0.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        The image; with `channel_axis` None a third axis is that of a volume's rows.
    mask : array_like of bool of shape (rows, cols), optional
        True (or not 0) where pixels are used; everywhere if None.
    channel_axis : int or None
        Axis of the channels, as in `pixel_features`.

    Returns
    -------
    pixels : Pixels
        Views of the image, nothing is copied.

    Raises
    ------
    InputError
        If the image or the mask cannot be used.
    """
    channels = with_channels(image, channel_axis)
    n_axes = channels.ndim - 1
    use = None if mask is None else checked_mask(mask, channels.shape[:-1])
    if n_axes == 2:
        channels, use = channels[np.newaxis], None if use is None else use[np.newaxis]

    def read(region: Region) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        values = channels[region]
        inside = np.ones(values.shape[:-1], dtype=bool) if use is None else use[region]
        return values, inside

    planes, rows, cols, n_channels = channels.shape
    n_inside = planes * rows * cols if use is None else int(np.count_nonzero(use))
    return Pixels((planes, rows, cols), n_channels, n_axes, n_inside, read)


def checked_mask(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask as booleans, or raise InputError if it has another shape than the image."""
    return shaped_like(mask, "mask", shape) != 0


def shaped_like(values: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array, or raise InputError if it has another shape than the image."""
    array = as_array(values, name)
    if array.shape != shape:
        raise InputError(f"{name} must have shape {shape} as the image has, got {array.shape}")
    return array
