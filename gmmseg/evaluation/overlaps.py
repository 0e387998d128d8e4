"""How many pixels each two labels of two segmentations share: most measures are sums of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from gmmseg.errors import InputError

FAR = 2**62  # from 0: so far, differences are 64-bit integers


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The pixels that are scored, counted by what both segmentations call them.

    Parameters
    ----------
    labels, classes : ndarray of int
        The labels that occur in the segmentation and in the truth, ascending.
    rows, columns : ndarray of int of shape (n_pairs,)
        Places in `labels` and `classes` of each two that share a pixel.
    counts : ndarray of float of shape (n_pairs,)
        Pixels that they share, at least 1.
    """

    labels: NDArray[Any]
    classes: NDArray[Any]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    counts: NDArray[np.float64]

    @property
    def label_sizes(self) -> NDArray[np.float64]:
        """Pixels of every label of the segmentation, (n_labels,)."""
        return np.bincount(self.rows, self.counts, len(self.labels)).astype(np.float64)

    @property
    def class_sizes(self) -> NDArray[np.float64]:
        """Pixels of every label of the truth, (n_classes,)."""
        return np.bincount(self.columns, self.counts, len(self.classes)).astype(np.float64)

    def shares_of_union(self) -> NDArray[np.float64]:
        """Return the shared pixels of every pair over those of either, (n_pairs,)."""
        either = self.label_sizes[self.rows] + self.class_sizes[self.columns] - self.counts
        return self.counts / either


def overlaps_of(labels: ArrayLike, truth: ArrayLike, ignore_label: int | None) -> Overlaps:
    """Count the pixels of each two labels, where the truth is not `ignore_label`."""
    labels, truth = checked_pair(labels, truth)
    scored = scored_pixels(truth, ignore_label)
    names, rows = _unique(labels[scored])
    classes, columns = _unique(truth[scored])
    ones = np.ones(len(rows), dtype=np.float64)
    table = csr_array((ones, (rows, columns)), shape=(len(names), len(classes))).tocoo()
    return Overlaps(names, classes, table.row, table.col, table.data)


def _unique(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the values that occur, ascending, and the place of each value among them."""
    low, high = int(values.min()), int(values.max())
    if high - low >= len(values) or not -FAR < low <= high < FAR:
        return np.unique(values, return_inverse=True)
    above = values.astype(np.int64) - low  # close together: no need to sort a large image
    occurs = np.bincount(above) > 0
    return np.flatnonzero(occurs) + low, (np.cumsum(occurs) - 1)[above]


def scored_pixels(truth: NDArray[Any], ignore_label: int | None) -> NDArray[np.bool_]:
    """Return where the truth is not `ignore_label`; there must be such a pixel."""
    if ignore_label is None:
        return np.ones(truth.shape, dtype=np.bool_)
    scored = np.asarray(truth != ignore_label)
    if not scored.any():
        raise InputError(
            f"truth has no pixel that is scored: all are ignore_label={ignore_label}; "
            "use ignore_label=None if that is a label like the others"
        )
    return scored


def checked_pair(labels: ArrayLike, truth: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return segmentation and truth as arrays of labels of one shape."""
    labels, truth = label_array(labels, "labels"), label_array(truth, "truth")
    if labels.shape != truth.shape:
        raise InputError(
            f"labels must have the shape of the truth {truth.shape}, got {labels.shape}"
        )
    return labels, truth


def label_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return labels as an array of an image or a volume."""
    labels = _array(values, name)
    if labels.ndim not in (2, 3):
        raise InputError(
            f"{name} must have shape (rows, cols) or (planes, rows, cols), got {labels.shape}"
        )
    if labels.dtype.kind not in "bui":
        raise InputError(
            f"{name} must be integers, got dtype {labels.dtype}; use {name}.astype(np.int32)"
        )
    if labels.size == 0:
        raise InputError(f"{name} has no pixels, its shape is {labels.shape}")
    return labels


def several_truths(
    labels: ArrayLike, truths: ArrayLike | Sequence[ArrayLike]
) -> list[NDArray[Any]]:
    """Return the truths of all annotators: of several there is one axis more than in `labels`."""
    n_axes = label_array(labels, "labels").ndim
    if (
        isinstance(truths, (list, tuple))
        and truths
        and _array(truths[0], "truths[0]").ndim == n_axes
    ):
        several = list(truths)
    else:
        whole = _array(truths, "truths")
        several = list(whole) if whole.ndim == n_axes + 1 else [whole]
    if not several:
        raise InputError("truths must be at least one segmentation, got none")
    return [label_array(truth, "truth") for truth in several]


def _array(values: Any, name: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} must be an array of equally long rows: {error}") from None
