"""How well an image was split into regions, beside what one or several people made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gmmseg.evaluation.overlaps import Overlaps, overlaps_of, several_truths


@dataclass(frozen=True)
class RegionScores:
    """How alike two ways to split an image are; over several annotators each is the mean.

    Parameters
    ----------
    covering : float
        How much of the true regions their best matches cover, 0 to 1, which is best.
    rand_index : float
        Share of the pairs of pixels that both put together or both apart, 0 to 1, which is best;
        over several annotators the probabilistic Rand index.
    false_splits, false_merges : float
        Bits per pixel by which true regions are split, and by which they are merged; 0 is best.

    Examples
    --------
    >>> from gmmseg.evaluation import RegionScores
    >>> RegionScores(0.5, 0.8, false_splits=0.25, false_merges=1.0).variation_of_information
    1.25
    """

    covering: float
    rand_index: float
    false_splits: float
    false_merges: float

    @property
    def variation_of_information(self) -> float:
        """The variation of information, in bits: false splits and false merges; 0 is best."""
        return self.false_splits + self.false_merges


def region_scores(
    labels: ArrayLike, truths: ArrayLike | Sequence[ArrayLike], *, ignore_label: int | None = 0
) -> RegionScores:
    """Compare regions with those of one or several annotators, whatever their labels.

    With ``n[i, j]`` the pixels that region i of the segmentation shares with region j of the
    truth, ``a[i]`` and ``b[j]`` their sizes and N all pixels:

    ``covering = sum_j b[j] / N * max_i n[i, j] / (a[i] + b[j] - n[i, j])``
    (Arbeláez et al. 2011, section 3.1, DOI 10.1109/TPAMI.2010.161);

    ``rand_index`` is the share of the N (N - 1) / 2 pairs of pixels that are in one region of
    both or in two of both; its mean over annotators is the probabilistic Rand index (Unnikrishnan
    et al. 2007, DOI 10.1109/TPAMI.2007.1046);

    ``false_splits = sum_ij n[i, j] / N * log2(b[j] / n[i, j])``, ``false_merges`` the same with
    ``a[i]``, and their sum is the variation of information (Meilă 2007, DOI
    10.1016/j.jmva.2006.11.013).

    A region need not be connected. Every measure is the mean over the annotators.

    Parameters
    ----------
    labels : array_like of int of shape (rows, cols) or (planes, rows, cols)
        The segmentation.
    truths : array_like of int of the shape of `labels`, or several
        The truth; of several annotators a list of such, or an array with one axis more.
    ignore_label : int, optional
        Label of the truth that is masked out: its pixels are not scored. If None all pixels are.
        Where the segmentation alone is masked out, that is a region like the others.

    Returns
    -------
    scores : RegionScores
        Covering, Rand index, and variation of information.

    Raises
    ------
    InputError
        If labels are none, the shapes differ, or no pixel is scored.

    Examples
    --------
    >>> from gmmseg.evaluation import region_scores
    >>> truth, labels = [[1, 1, 2, 2]], [[1, 1, 2, 3]]
    >>> scores = region_scores(labels, truth)
    >>> scores.covering, scores.variation_of_information
    (0.75, 0.5)
    >>> region_scores(labels, [truth, labels]).covering
    0.875
    """
    found = [
        _scores(overlaps_of(labels, truth, ignore_label))
        for truth in several_truths(labels, truths)
    ]
    return RegionScores(*np.mean(found, axis=0).tolist())


def _scores(overlaps: Overlaps) -> tuple[float, float, float, float]:
    """Return covering, Rand index, false splits and false merges of one segmentation by another."""
    counts = overlaps.counts
    label_sizes, class_sizes = overlaps.label_sizes, overlaps.class_sizes
    n_pixels = counts.sum()
    best = np.zeros(len(class_sizes))
    np.maximum.at(best, overlaps.columns, overlaps.shares_of_union())
    n_apart_in_one = _pairs(label_sizes) + _pairs(class_sizes) - 2.0 * _pairs(counts)
    n_pairs = max(_pairs(n_pixels), 1.0)  # of one pixel there are none, and both agree on them
    return (
        float(best @ class_sizes / n_pixels),
        float(1.0 - n_apart_in_one / n_pairs),
        float(counts @ np.log2(class_sizes[overlaps.columns] / counts) / n_pixels),
        float(counts @ np.log2(label_sizes[overlaps.rows] / counts) / n_pixels),
    )


def _pairs(sizes: ArrayLike) -> float:
    """Return how many pairs of pixels there are in regions of these sizes."""
    sizes = np.asarray(sizes, dtype=np.float64)
    return float((sizes * (sizes - 1.0)).sum() / 2.0)
