"""How well every class of pixels was found, the labels of a segmentation being matched to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.evaluation.diarization import best_match
from gmmseg.evaluation.overlaps import Overlaps, overlaps_of
from gmmseg.evaluation.rates import rate_of

MOST_PAIRS = 2**27  # labels times classes that are matched: a gigabyte


@dataclass(frozen=True)
class ClassScores:
    """Pixels by class; they add up over images, class by class.

    Parameters
    ----------
    classes : tuple of int
        Labels of the truth, ascending.
    right : tuple of int
        Pixels of each class that were called it.
    called : tuple of int
        Pixels that were called it.
    true : tuple of int
        Pixels of it.

    Examples
    --------
    >>> from gmmseg.evaluation import ClassScores
    >>> one, other = (
    ...     ClassScores((1,), (2,), (3,), (3,)),
    ...     ClassScores((1, 2), (0, 4), (0, 4), (1, 4)),
    ... )
    >>> (one + other).iou
    (0.4, 1.0)
    """

    classes: tuple[int, ...]
    right: tuple[int, ...]
    called: tuple[int, ...]
    true: tuple[int, ...]

    def __add__(self, other: "ClassScores") -> "ClassScores":
        sums: dict[int, NDArray[np.int64]] = {}
        for one in (self, other):
            rows = zip(one.right, one.called, one.true, strict=True)
            for name, row in zip(one.classes, rows, strict=True):
                sums[name] = sums.get(name, np.zeros(3, dtype=np.int64)) + row
        classes = tuple(sorted(sums))
        columns = (tuple(int(sums[name][k]) for name in classes) for k in range(3))
        return ClassScores(classes, *columns)

    @property
    def iou(self) -> tuple[float, ...]:
        """Intersection over union of every class (Jaccard): right over called or true."""
        rows = zip(self.right, self.called, self.true, strict=True)
        return tuple(rate_of(right, called + true - right) for right, called, true in rows)

    @property
    def dice(self) -> tuple[float, ...]:
        """Dice coefficient of every class, the F-measure: right twice, over called and true."""
        rows = zip(self.right, self.called, self.true, strict=True)
        return tuple(rate_of(2.0 * right, called + true) for right, called, true in rows)

    @property
    def mean_iou(self) -> float:
        """Mean intersection over union of the classes, in which all weigh the same."""
        return float(np.mean(self.iou))

    @property
    def mean_dice(self) -> float:
        """Mean Dice coefficient of the classes, in which all weigh the same."""
        return float(np.mean(self.dice))

    @property
    def accuracy(self) -> float:
        """Share of the pixels that were called what they are."""
        return rate_of(sum(self.right), sum(self.true))


def class_scores(
    labels: ArrayLike,
    truth: ArrayLike,
    *,
    match: str = "one-to-one",
    ignore_label: int | None = 0,
) -> ClassScores:
    """Compare segments with classes, under the best match of their labels.

    A segmentation without a teacher does not know the names of classes, so its labels are matched
    to them with the truth in view, as `match_labels` says: these are figures of a segmentation,
    not of a classifier, but with ``match="same"``.

    Parameters
    ----------
    labels : array_like of int of shape (rows, cols) or (planes, rows, cols)
        The segmentation.
    truth : array_like of int of the shape of `labels`
        The classes; those that occur are scored.
    match : {"one-to-one", "majority", "same"}
        One label for every class, all labels to the class that most of their pixels have, or
        labels that are the classes.
    ignore_label : int, optional
        Label of the truth that is masked out: its pixels are not scored. In the segmentation it
        is no class, so such pixels are missed. If None it is a label like the others.

    Returns
    -------
    scores : ClassScores
        The pixels, and IoU, Dice and accuracy made of them.

    Raises
    ------
    InputError
        If labels are none, the shapes differ, no pixel is scored, or there are too many labels and
        classes to match.

    Examples
    --------
    >>> from gmmseg.evaluation import class_scores
    >>> truth = [[1, 1, 1, 1, 2, 2]]
    >>> scores = class_scores([[8, 8, 8, 5, 5, 5]], truth)
    >>> scores
    ClassScores(classes=(1, 2), right=(3, 2), called=(3, 3), true=(4, 2))
    >>> scores.iou
    (0.75, 0.6666666666666666)
    """
    overlaps = overlaps_of(labels, truth, ignore_label)
    place = _class_places(overlaps, match, ignore_label)
    has_class = place >= 0
    called = np.bincount(place[has_class], overlaps.label_sizes[has_class], len(overlaps.classes))
    is_right = place[overlaps.rows] == overlaps.columns
    pairs = overlaps.columns[is_right], overlaps.counts[is_right]
    right = np.bincount(*pairs, len(overlaps.classes))
    sums = (right, called, overlaps.class_sizes)
    columns = (tuple(column.astype(np.int64).tolist()) for column in sums)
    return ClassScores(tuple(overlaps.classes.tolist()), *columns)


def match_labels(
    labels: ArrayLike,
    truth: ArrayLike,
    *,
    match: str = "one-to-one",
    ignore_label: int | None = 0,
) -> dict[int, int]:
    """Return which label is which class: the match under which `class_scores` counts.

    One to one, the match is the one with the largest mean IoU (Kuhn 1955), and labels that are
    left over are no class. By majority, a label is the class that most of its pixels have, the
    first of several; the more labels there are, the better that looks.

    Parameters
    ----------
    labels : array_like of int of shape (rows, cols) or (planes, rows, cols)
        The segmentation.
    truth : array_like of int of the shape of `labels`
        The classes.
    match : {"one-to-one", "majority", "same"}
        As in `class_scores`.
    ignore_label : int, optional
        As in `class_scores`.

    Returns
    -------
    match : dict of int to int
        ``match[label]`` is the class; labels that are no class are left out.

    Raises
    ------
    InputError
        As `class_scores`.

    Examples
    --------
    >>> from gmmseg.evaluation import match_labels
    >>> match_labels([[8, 8, 8, 5, 5, 9]], [[1, 1, 1, 2, 2, 2]])
    {5: 2, 8: 1}
    >>> match_labels([[8, 8, 8, 5, 5, 9]], [[1, 1, 1, 2, 2, 2]], match="majority")
    {5: 2, 8: 1, 9: 2}
    """
    overlaps = overlaps_of(labels, truth, ignore_label)
    place = _class_places(overlaps, match, ignore_label)
    return {
        label: int(overlaps.classes[k])
        for label, k in zip(overlaps.labels.tolist(), place.tolist(), strict=True)
        if k >= 0
    }


def _class_places(overlaps: Overlaps, match: str, ignore_label: int | None) -> NDArray[np.intp]:
    """Return the place of the class of every label, -1 for those that are no class."""
    if match not in ("one-to-one", "majority", "same"):
        raise InputError(f"match must be 'one-to-one', 'majority' or 'same', got {match!r}")
    if match == "same":
        place = np.searchsorted(overlaps.classes, overlaps.labels)
        nearest = overlaps.classes[np.minimum(place, len(overlaps.classes) - 1)]
        return np.where(nearest == overlaps.labels, place, -1)
    is_named = np.ones(len(overlaps.rows), dtype=np.bool_)
    if ignore_label is not None:
        is_named = overlaps.labels[overlaps.rows] != ignore_label
    return (_one_to_one if match == "one-to-one" else _majority)(overlaps, is_named)


def _one_to_one(overlaps: Overlaps, is_named: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Match labels and classes so that the sum of their intersections over unions is largest."""
    shape = len(overlaps.labels), len(overlaps.classes)
    if shape[0] * shape[1] > MOST_PAIRS:
        raise InputError(
            f"{shape[0]} labels and {shape[1]} classes are too many to match; "
            "are they classes, or regions?"
        )
    shares = np.zeros(shape)
    shares[overlaps.rows, overlaps.columns] = np.where(is_named, overlaps.shares_of_union(), 0.0)
    rows, columns = best_match(shares)
    place = np.full(shape[0], -1, dtype=np.intp)
    place[rows] = np.where(shares[rows, columns] > 0.0, columns, -1)
    return place


def _majority(overlaps: Overlaps, is_named: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Match every label with the class that most of its pixels have."""
    place = np.full(len(overlaps.labels), -1, dtype=np.intp)
    rows, columns, counts = (
        values[is_named] for values in (overlaps.rows, overlaps.columns, overlaps.counts)
    )
    order = np.lexsort((-columns, counts))  # the largest last, and of those the first class
    place[rows[order]] = columns[order]
    return place
