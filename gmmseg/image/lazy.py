"""Open an image without reading it: regions are read when they are asked for.

That suits images larger than memory: `.npy` files and TIFF files in strips or tiles. Whatever
else `read_image` knows is decoded whole and kept, so that all files can be treated alike.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.validation import check_number
from gmmseg.files import first_bytes
from gmmseg.image.decoders import TIFF_MAGICS, Decoded, refuse_channels_first
from gmmseg.image.io import mask_of, read_image
from gmmseg.image.opening import damage_told_in_one_line
from gmmseg.image.tiff_regions import open_tiff_regions
from gmmseg.image.tiling import Slices

SAMPLE_SIDE = 32  # pixels; one tile of most files holds several such blocks


@dataclass(frozen=True, eq=False)
class LazyImage:
    """An image on disk of which regions are read one at a time.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        (rows, cols) or (rows, cols, channels), as `read_image` would give it.
    dtype : dtype
        Dtype of the pixels.
    decode : callable
        ``decode(region)`` returns pixels and alpha channel, or None, of a region.

    Examples
    --------
    >>> with open_image("data/coffee.png") as image:
    ...     pixels, mask = image.read((slice(10, 20), slice(0, 600)))
    >>> pixels.shape, mask
    ((10, 600, 3), None)
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    decode: Callable[[Slices], Decoded]

    def read(self, region: Slices) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return the pixels in a region (slice of rows, slice of cols), and where they are opaque.

        Parameters
        ----------
        region : tuple of slice
            Rows and columns, without steps.

        Returns
        -------
        pixels : ndarray of shape (rows, cols) or (rows, cols, channels)
            The pixels of the region, a copy.
        mask : ndarray of bool of shape (rows, cols), or None
            True where alpha is above 0; None if the region is opaque everywhere.
        """
        rows, cols = (
            slice(*part.indices(n)[:2]) for part, n in zip(region, self.shape[:2], strict=True)
        )
        with damage_told_in_one_line(self.path):
            pixels, alpha = self.decode((rows, cols))
        return pixels, None if alpha is None else mask_of(alpha)


@contextlib.contextmanager
def open_image(path: str | os.PathLike[str], *, max_pixels: int = 2**28) -> Iterator[LazyImage]:
    """Open an image file for reading it region by region.

    A ``.npy`` file, and a TIFF of one page in strips or tiles, is read where it is asked for; any
    other file is decoded whole.

    Parameters
    ----------
    path : path-like
        File to open.
    max_pixels : int
        Largest number of pixels of a file that must be decoded whole, as in `read_image`. For
        the others there is no limit.

    Yields
    ------
    image : LazyImage
        The image, while the block lasts.

    Raises
    ------
    InputError
        As `read_image` does; for damage inside the file not before the region is read.

    Examples
    --------
    >>> with open_image("data/coffee.png") as image:
    ...     image.shape
    (400, 600, 3)
    """
    path = Path(path)
    prefix = first_bytes(path)
    with contextlib.ExitStack() as stack:
        image = None
        if prefix.startswith(b"\x93NUMPY"):
            image = _open_npy(path)
        elif prefix.startswith(TIFF_MAGICS):
            image = _open_tiff(path, stack)
        yield image if image is not None else _open_whole(path, max_pixels)


def _open_npy(path: Path) -> LazyImage | None:
    """Open a NumPy file; None if `read_image` is to say what is wrong with it."""
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        refuse_channels_first(path, mapped.shape)
    except Exception:  # noqa: BLE001 (a damaged header may raise anything)
        return None
    if mapped.dtype.kind not in "buif" or mapped.ndim not in (2, 3) or 0 in mapped.shape:
        return None
    dtype = mapped.dtype.newbyteorder("=")

    def decode(region: Slices) -> Decoded:
        # A map of its own each time: what was read of a map counts as used memory until it goes.
        return np.array(np.load(path, mmap_mode="r")[region], dtype=dtype), None

    return LazyImage(path, mapped.shape, dtype, decode)


def _open_tiff(path: Path, stack: contextlib.ExitStack) -> LazyImage | None:
    """Open a TIFF of one page; None if it cannot be read in parts, or not at all."""
    regions = open_tiff_regions(path, stack)
    if regions is None:
        return None
    try:
        first, _ = regions.decode((slice(0, 1), slice(0, 1)))
    except Exception:  # noqa: BLE001 (a codec that is missing, or damage: read_image knows what to say)
        return None
    return LazyImage(path, regions.shape + first.shape[2:], first.dtype, regions.decode)


def _open_whole(path: Path, max_pixels: int) -> LazyImage:
    """Decode a file whole."""
    pixels, mask = read_image(path, max_pixels=max_pixels)

    def decode(region: Slices) -> Decoded:
        return pixels[region].copy(), None if mask is None else mask[region].astype(np.uint8)

    return LazyImage(path, pixels.shape, pixels.dtype, decode)


def sample_regions(
    shape: tuple[int, ...], n_pixels: int, rng: np.random.Generator, *, side: int = SAMPLE_SIDE
) -> list[Slices]:
    """Return square blocks spread over an image that hold about so many pixels.

    The image is cut into as many equal cells as there are blocks; each block lies somewhere in
    its cell. For the transposed image the blocks are the transposed ones.

    Parameters
    ----------
    shape : tuple of int
        (rows, cols, ...) of the image.
    n_pixels : int
        Number of pixels wanted; if the image has no more, it is one block.
    rng : Generator
        Source of chance.
    side : int
        Rows and columns of a block.

    Returns
    -------
    regions : list of tuple of slice
        Blocks (rows, cols) that do not overlap, all of the same shape.

    Raises
    ------
    InputError
        If `n_pixels` or `side` is less than 1.

    Examples
    --------
    >>> blocks = sample_regions((1000, 2000), 20_000, np.random.default_rng(0), side=50)
    >>> len(blocks)
    8
    """
    check_number("n_pixels", n_pixels, least=1, is_whole=True)
    check_number("side", side, least=1, is_whole=True)
    rows, cols = shape[:2]
    if rows * cols <= n_pixels:
        return [(slice(0, rows), slice(0, cols))]
    n_down, n_across = _cells(rows, cols, n_pixels / (min(side, rows) * min(side, cols)), side)
    height, width = min(side, rows // n_down), min(side, cols // n_across)
    down, across = _shares(n_down, n_across, rows - cols, rng)
    regions: list[Slices] = []
    for i, j in np.ndindex(n_down, n_across):
        row = _place(i, rows / n_down, height, float(down[i, j]))
        col = _place(j, cols / n_across, width, float(across[i, j]))
        regions.append((slice(row, row + height), slice(col, col + width)))
    return regions


def _shares(
    n_down: int, n_across: int, excess: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where in its cell [i, j] a block lies, down and across, from 0 to below 1.

    What is drawn is for the shorter and the longer side. Nothing tells the sides of a square
    apart, so there a block above the diagonal is the mirror image of one below.
    """
    # The cells along the longer side may be fewer, by rounding: what counts is whose they are.
    n_short, n_long = (n_down, n_across) if excess <= 0 else (n_across, n_down)
    short, long = rng.random((2, n_short, n_long))
    if excess == 0:
        long = short.T
    return (short, long) if excess <= 0 else (long.T, short.T)


def _cells(rows: int, cols: int, n_blocks: float, side: int) -> tuple[int, int]:
    """Return how many cells lie below each other and beside each other, about square ones."""
    short, long = sorted((rows, cols))
    n_short = int(np.clip(np.rint((n_blocks * short / long) ** 0.5), 1, max(1, short // side)))
    n_long = int(np.clip(np.rint(n_blocks / n_short), 1, max(1, long // side)))
    if rows == cols:
        return n_short, n_short
    return (n_short, n_long) if rows < cols else (n_long, n_short)


def _place(index: int, length: float, extent: int, share: float) -> int:
    """Return where a block begins in the cell of an index, at a share of the room it has."""
    begin, end = int(np.ceil(index * length)), int((index + 1) * length)
    return begin + int(share * (max(end - begin - extent, 0) + 1))


def sample_pixels(
    image: LazyImage, n_pixels: int, rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Read a sample of the pixels of an image, without reading all of it.

    Parameters
    ----------
    image : LazyImage
        The image.
    n_pixels : int
        Number of pixels wanted, about.
    rng : Generator
        Source of chance.

    Returns
    -------
    pixels : ndarray of shape (rows, n) or (rows, n, channels)
        The blocks of `sample_regions` beside each other; an image whose colours are those of the
        whole, in which neighbours may come from different places.
    mask : ndarray of bool of shape (rows, n), or None
        True where the pixels are opaque; None if all are.

    Examples
    --------
    >>> with open_image("data/coffee.png") as image:
    ...     pixels, mask = sample_pixels(image, 10_000, np.random.default_rng(0))
    >>> pixels.shape
    (32, 288, 3)
    """
    parts = [image.read(region) for region in sample_regions(image.shape, n_pixels, rng)]
    pixels = np.concatenate([part for part, _ in parts], axis=1)
    if all(mask is None for _, mask in parts):
        return pixels, None
    masks = [np.ones(part.shape[:2], bool) if mask is None else mask for part, mask in parts]
    return pixels, np.concatenate(masks, axis=1)
