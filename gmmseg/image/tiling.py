"""Label an image or a volume tile by tile, so that nobody sees where the tiles meet.

Every tile is labelled together with a halo around it, and only its inside is kept. If the label
of a pixel depends on nothing farther away than the halo is wide, the labels are those of the
whole image.
"""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.files import replacing

Slices: TypeAlias = tuple[slice, ...]  # one along each axis
T = TypeVar("T")


def tiles(
    shape: tuple[int, ...], size: int | tuple[int, ...], *, halo: int = 0
) -> Iterator[tuple[Slices, Slices]]:
    """Return the tiles that cover a grid, each with the region around it.

    Parameters
    ----------
    shape : tuple of int
        Shape of the grid: (rows, cols) or (planes, rows, cols).
    size : int or tuple of int
        Length of a tile along every axis, or along each. The last ones may be shorter.
    halo : int
        Cells that are added on every side, as far as the grid goes.

    Returns
    -------
    regions : iterator of pairs (outer, inner) of tuples of slices
        The tile with its halo, and the tile. Inner regions never overlap, and together are the
        grid.

    Raises
    ------
    InputError
        If `size` has not one length of at least 1 for each axis, or `halo` is negative.

    Examples
    --------
    >>> for outer, inner in tiles((1, 5), (1, 3), halo=1):
    ...     print(outer[1], inner[1])
    slice(0, 4, None) slice(0, 3, None)
    slice(2, 5, None) slice(3, 5, None)
    """
    lengths = (size,) * len(shape) if isinstance(size, int) else tuple(size)
    if len(lengths) != len(shape) or min(lengths, default=1) < 1:
        raise InputError(
            f"size must be {len(shape)} lengths of at least 1, one for each axis, got {size}"
        )
    check_number("halo", halo, least=0, is_whole=True)
    starts = [range(0, n, length) for n, length in zip(shape, lengths, strict=True)]
    # The loop is in an inner generator, so that errors are raised by the call.
    return _tiles(shape, lengths, starts, halo)


def _tiles(
    shape: tuple[int, ...], lengths: tuple[int, ...], starts: list[range], halo: int
) -> Iterator[tuple[Slices, Slices]]:
    for corner in itertools.product(*starts):
        ends = [min(s + length, n) for s, length, n in zip(corner, lengths, shape, strict=True)]
        inner = tuple(slice(s, end) for s, end in zip(corner, ends, strict=True))
        outer = tuple(
            slice(max(part.start - halo, 0), min(part.stop + halo, n))
            for part, n in zip(inner, shape, strict=True)
        )
        yield outer, inner


def label_in_tiles(
    read: Callable[[Slices], T],
    label_tile: Callable[[T], NDArray[Any]],
    out: NDArray[Any],
    *,
    size: int | tuple[int, ...],
    halo: int = 0,
) -> None:
    """Fill an array with labels, reading and labelling one tile at a time.

    Parameters
    ----------
    read : callable
        ``read(region)`` returns what `label_tile` needs of a region, usually its pixels. For an
        array or a memory map this is ``array.__getitem__``, for a file that is read in parts the
        method `LazyImage.read`.
    label_tile : callable
        ``label_tile(read(region))`` returns the labels of the region.
    out : ndarray of shape (rows, cols) or (planes, rows, cols)
        Labels to be filled, in memory or on disk (see `label_file`).
    size : int or tuple of int
        Length of a tile along every axis, or along each. Tiles as wide as the image suit files
        that are stored row by row.
    halo : int
        Width of what is labelled around a tile and thrown away. If a label depends on pixels up
        to so far away only, the result is that of the whole image, for any size of the tiles.

    Raises
    ------
    InputError
        If the labels of a tile have another shape than the tile, or an option cannot be used.

    Examples
    --------
    >>> image = np.array([[0.1, 0.7, 0.9, 0.2]])
    >>> labels = np.zeros((1, 4), dtype=np.uint8)
    >>> label_in_tiles(image.__getitem__, lambda part: 1 + (part > 0.5), labels, size=(1, 2))
    >>> labels
    array([[1, 2, 2, 1]], dtype=uint8)
    """
    for outer, inner in tiles(out.shape, size, halo=halo):
        labels = label_tile(read(outer))
        shape = tuple(part.stop - part.start for part in outer)
        if labels.shape != shape:
            raise InputError(f"labels of a tile must have its shape {shape}, got {labels.shape}")
        inside = tuple(
            slice(kept.start - around.start, kept.stop - around.start)
            for kept, around in zip(inner, outer, strict=True)
        )
        out[inner] = labels[inside]


@contextlib.contextmanager
def label_file(
    path: str | os.PathLike[str], shape: tuple[int, ...], *, n_labels: int = 255
) -> Iterator[NDArray[Any]]:
    """Yield an array of labels that lies on disk and becomes a file when the block ends well.

    Only what is being written takes memory. The file is not compressed.

    Parameters
    ----------
    path : path-like
        File to write, atomically; its suffix is ``.tif``, ``.tiff`` or ``.npy``.
    shape : tuple of int
        Shape of the labels: (rows, cols) or (planes, rows, cols).
    n_labels : int
        Largest label: uint8 up to 255, uint16 up to 65535.

    Yields
    ------
    labels : ndarray of uint8 or uint16 of the shape
        Zeros, to be filled.

    Raises
    ------
    InputError
        If the name ends otherwise, an option cannot be used or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with label_file(Path(folder.name, "labels.npy"), (2, 3)) as labels:
    ...     labels[1] = 7
    >>> np.load(Path(folder.name, "labels.npy"))
    array([[0, 0, 0],
           [7, 7, 7]], dtype=uint8)
    >>> folder.cleanup()
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".tif", ".tiff", ".npy"):
        raise InputError(
            f"cannot write {path}: its name must end in .tif, .tiff or .npy, "
            f"got {suffix or 'no suffix'!r}"
        )
    check_number("n_labels", n_labels, least=1, is_whole=True)
    if n_labels > 65535:
        raise InputError(f"n_labels must be at most 65535, got {n_labels}")
    dtype = np.dtype(np.uint8 if n_labels <= 255 else np.uint16)
    with replacing(path) as temporary:
        labels: Any
        if suffix == ".npy":
            labels = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
        else:
            import tifffile

            labels = tifffile.memmap(temporary, shape=shape, dtype=dtype, photometric="minisblack")
        yield labels
        labels.flush()
