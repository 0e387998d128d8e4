"""Show a labelled volume by a few slices along each of its three axes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.image.features import lightness
from gmmseg.image.volume_decoders import Volume
from gmmseg.report.figures import check_labels, overlay_labels, stretch
from gmmseg.report.lettering import letter_size, paste, sheet_of_paper, text_line

_WIDTH = 1400  # of the sheet, in pixels, about
_LARGEST_SCALE = 8.0  # pixels for the shortest side of a voxel
_GAP = 8


def volume_sheet(
    volume: Volume, labels: ArrayLike, *, n_slices: int = 5, opacity: float = 0.45
) -> NDArray[np.uint8]:
    """Lay slices of a volume with their labels on one sheet, in their true proportions.

    The slices are spread evenly over what is labelled. Those of a NIfTI volume are axial, coronal
    and sagittal, with front or top up and the right of the body on the right; those of others are
    planes, rows and columns as they are numbered.

    Parameters
    ----------
    volume : Volume
        The volume, as `read_volume` gave it.
    labels : array_like of int of shape (planes, rows, cols)
        Labels 1…n; voxels with label 0 (masked out) are dimmed and left gray.
    n_slices : int
        Slices along each axis; fewer where there are not so many.
    opacity : float
        From 0, the volume in gray, to 1, flat colours.

    Returns
    -------
    sheet : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture, to which `add_legend` may add a legend.

    Raises
    ------
    InputError
        If the shapes differ, the labels are not integers of at least 0, or an option cannot be
        used.

    Examples
    --------
    >>> from gmmseg.image import read_volume
    >>> volume = read_volume("data/brain_phantom.nii.gz")
    >>> labels = read_volume("data/brain_phantom_labels.nii.gz").values
    >>> volume_sheet(volume, labels).shape[2]
    3
    """
    labels = check_labels(labels)
    if labels.shape != volume.grid:
        raise InputError(f"labels must have the volume's shape {volume.grid}, got {labels.shape}")
    check_number("n_slices", n_slices, least=1, is_whole=True)
    gray = gray_volume(volume, labels > 0)
    return sheet_of(volume, gray, labels, n_slices=n_slices, opacity=opacity)


def gray_volume(volume: Volume, inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the volume in gray, its contrast stretched all over alike, by what is inside."""
    planes, rows, cols = volume.grid
    flat = volume.values.reshape(planes * rows, cols, *volume.values.shape[3:])
    light = stretch(lightness(flat), inside.reshape(planes * rows, cols))
    return np.rint(255 * light).astype(np.uint8).reshape(volume.grid)


def sheet_of(
    volume: Volume,
    gray: NDArray[np.uint8],
    labels: NDArray[Any],
    *,
    n_slices: int,
    opacity: float,
) -> NDArray[np.uint8]:
    """Return slices of a volume that is made gray, upright where it is known what is up."""
    names, spacing = ("planes", "rows", "columns"), volume.spacing
    order = None if volume.affine is None else _upright(volume.affine)
    if order is not None:
        names = ("axial", "coronal", "sagittal")
        axes = [abs(axis) - 1 for axis in order]
        flips = tuple(slice(None, None, int(np.sign(axis))) for axis in order)
        gray, labels = gray.transpose(axes)[flips], labels.transpose(axes)[flips]
        spacing = spacing[axes[0]], spacing[axes[1]], spacing[axes[2]]
    scale = _scale(gray.shape, spacing, n_slices)
    lines = [
        _view(gray, labels, axis=axis, scale=scale, n_slices=n_slices, opacity=opacity)
        for axis in range(3)
    ]
    return _below_each_other(lines, names)


def _upright(affine: NDArray[np.float64]) -> list[int] | None:
    """Return which axis of the array, counted from 1, runs down, back and right.

    With a minus, it runs the other way: up, front, left. None if the axes are no permutation of
    those of the body.
    """
    # The array's axes are k, j, i; the world's right, anterior, superior.
    steps = affine[:3, 2::-1]
    along = np.abs(steps).argmax(axis=0)
    if sorted(along) != [0, 1, 2]:
        return None
    order = []
    for world, wanted in ((2, -1), (1, -1), (0, 1)):
        axis = int(np.flatnonzero(along == world)[0])
        order.append((axis + 1) * int(wanted * np.sign(steps[world, axis])))
    return order


def _scale(
    shape: tuple[int, ...], spacing: tuple[float, float, float], n_slices: int
) -> NDArray[np.float64]:
    """Return how many pixels a voxel takes along each axis."""
    lengths = np.array(spacing) / min(spacing)
    planes, rows, cols = shape
    _, high, wide = np.array(shape) * lengths
    # Planes and rows are looked at with the columns across, columns with the rows across.
    widest = max(min(n_slices, max(planes, rows)) * wide, min(n_slices, cols) * high)
    return lengths * min(_LARGEST_SCALE, _WIDTH / widest)


def _view(
    gray: NDArray[np.uint8],
    labels: NDArray[Any],
    *,
    axis: int,
    scale: NDArray[np.float64],
    n_slices: int,
    opacity: float,
) -> NDArray[np.uint8]:
    """Return the slices across one axis, beside each other."""
    gray, labels = np.moveaxis(gray, axis, 0), np.moveaxis(labels, axis, 0)
    size = tuple(
        max(1, round(n * factor))
        for n, factor in zip(gray.shape[1:], np.delete(scale, axis), strict=True)
    )
    parts = []
    is_labelled = np.asarray((labels > 0).any(axis=(1, 2)))
    for index in _spread(is_labelled, n_slices):
        picture = np.stack([_resized(gray[index], size)] * 3, axis=2)
        parts.append(overlay_labels(picture, _nearest(labels[index], size), opacity=opacity))
        parts.append(sheet_of_paper(size[0], _GAP))
    return np.concatenate(parts[:-1], axis=1)


def _spread(is_labelled: NDArray[np.bool_], n_slices: int) -> list[int]:
    """Return indices of slices, evenly spread over the labelled ones, or over all."""
    known = np.flatnonzero(is_labelled)
    first, last = (known[0], known[-1]) if known.size else (0, len(is_labelled) - 1)
    places = first + (last + 1 - first) * (np.arange(n_slices) + 0.5) / n_slices
    return np.unique(places.astype(int)).tolist()


def _resized(gray: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a slice in another size, smoothly."""
    from PIL import Image

    scaled = Image.fromarray(gray).resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return np.asarray(scaled, dtype=np.uint8)


def _nearest(labels: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """Return the labels of a slice in another size."""
    rows, cols = (np.arange(n) * old // n for n, old in zip(size, labels.shape, strict=True))
    return labels[np.ix_(rows, cols)]


def _below_each_other(
    lines: list[NDArray[np.uint8]], names: tuple[str, str, str]
) -> NDArray[np.uint8]:
    """Return the sheet: every view under its name."""
    width = max(line.shape[1] for line in lines) + 2 * _GAP
    size = letter_size(width)
    parts = []
    for name, line in zip(names, lines, strict=True):
        words = text_line(name, size)
        part = sheet_of_paper(len(words) + len(line) + _GAP, width)
        paste(part, words, 0, _GAP)
        paste(part, line, len(words), _GAP)
        parts.append(part)
    return np.concatenate(parts)
