"""Merge segments too small to matter into the neighbours they share the longest border with."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.grid import half_neighbourhood


def merge_small_regions(labels: ArrayLike, min_area: int, *, connectivity: int = 1) -> NDArray[Any]:
    """Give every connected part of few pixels the label around it.

    A part takes the label of the neighbouring part with which it shares the longest border (of
    two as long, that of the larger part, then the smaller label) and becomes one with it.
    The smallest parts go first, those of equal area by their label, and all of equal area and
    label at once; so it goes on until every part that has a neighbour is large enough.

    Parameters
    ----------
    labels : array_like of int of shape (rows, cols) or (planes, rows, cols)
        Labels 1…n, and 0 where masked out, which stays 0 and is nobody's neighbour.
    min_area : int
        Fewest pixels (voxels) that a part may have; 1 changes nothing.
    connectivity : int
        Neighbours differ by a step along at most so many axes: 1 for 4 neighbours in a plane and
        6 in a volume, 2 for 8 and 18, 3 for 26. The length of a border is the number of pairs of
        neighbours across it.

    Returns
    -------
    merged : ndarray of int of the shape and dtype of `labels`
        Labels without small parts. A part with nothing but masked-out pixels around it stays,
        however small.

    Raises
    ------
    InputError
        If `labels` is not such an array, or an option cannot be used.

    Examples
    --------
    >>> merge_small_regions([[1, 2, 2], [1, 3, 2], [1, 2, 2]], 2)
    array([[1, 2, 2],
           [1, 2, 2],
           [1, 2, 2]])
    """
    labels = _checked(labels)
    check_number("min_area", min_area, least=1, is_whole=True)
    offsets = half_neighbourhood(labels.ndim, connectivity)
    if min_area == 1 or labels.size == 0:
        return labels.copy()
    from gmmseg.image.small_region_kernels import connect_parts, merge_parts, spread_labels

    flat = np.array(labels, dtype=_kernel_dtype(labels), order="C").reshape(-1)
    shape = (1,) * (3 - labels.ndim) + labels.shape
    # Four bytes a pixel instead of eight, twice, in all but giant images.
    index = np.int32 if flat.size < 2**30 else np.int64
    parent, ring = np.empty(flat.size, index), np.empty(flat.size, index)
    connect_parts(flat, shape, offsets, parent, ring)
    merge_parts(flat, shape, offsets, parent, ring, min(int(min_area), flat.size + 1))
    spread_labels(flat, parent)
    return flat.reshape(labels.shape).astype(labels.dtype, copy=False)


def _kernel_dtype(labels: NDArray[Any]) -> type[np.integer[Any]]:
    """Return one of the three dtypes that kernels are compiled for; all others would take long."""
    if labels.dtype == np.uint8:
        return np.uint8
    return np.int32 if labels.max() < 2**31 else np.int64


def _checked(labels: ArrayLike) -> NDArray[Any]:
    """Return the labels as an array of integers of at least 0."""
    labels = np.asarray(labels)
    if labels.ndim not in (2, 3):
        raise InputError(
            f"labels must have shape (rows, cols) or (planes, rows, cols), got {labels.shape}"
        )
    if labels.dtype.kind not in "ui":
        raise InputError(
            f"labels must be integers, got dtype {labels.dtype}; use labels.astype(np.int32)"
        )
    if labels.size and labels.min() < 0:
        raise InputError(
            f"labels must be at least 0, got {labels.min()}; number the segments 1…n and give "
            "masked-out pixels 0"
        )
    return labels
