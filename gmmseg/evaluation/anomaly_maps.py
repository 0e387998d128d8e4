"""How well maps of strangeness show where defects are: region by region, and pixel by pixel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.evaluation.overlaps import label_array
from gmmseg.evaluation.ranking import roc_auc


@dataclass(frozen=True, eq=False)
class OverlapCurve:
    """How much of defects is found at every threshold: what scores at least that is marked.

    Parameters
    ----------
    thresholds : ndarray of shape (n,)
        Descending: infinity, which marks nothing, and every score that occurs.
    false_positive_rates : ndarray of shape (n,)
        Share of the pixels without defect that are marked.
    region_overlaps : ndarray of shape (n,)
        Share of a defect that is marked, the mean over all defects.

    Examples
    --------
    >>> from gmmseg.evaluation import region_overlap_curve
    >>> curve = region_overlap_curve([[[3.0, 1.0, 2.0, 0.0]]], [[[1, 1, 0, 0]]])
    >>> curve.region_overlaps
    array([0. , 0.5, 0.5, 1. , 1. ])
    """

    thresholds: NDArray[np.float64]
    false_positive_rates: NDArray[np.float64]
    region_overlaps: NDArray[np.float64]


def region_overlap_curve(maps: Sequence[ArrayLike], masks: Sequence[ArrayLike]) -> OverlapCurve:
    """Return how much of the defects is found, and how much else is marked, at every threshold.

    Connected parts of a mask (corners connect) are one defect each, and all defects weigh the
    same, however large; those of all images are pooled (Bergmann et al. 2020, section 4, DOI
    10.1109/CVPR42600.2020.00424).

    Parameters
    ----------
    maps : sequence of array_like of shape (rows, cols)
        How strange every pixel of each image is; higher is stranger.
    masks : sequence of array_like of bool or int of shape (rows, cols)
        The defects of each image: what is not 0. Images without defects belong to it.

    Returns
    -------
    curve : OverlapCurve
        Thresholds, false positive rates and overlaps; pixels of one score are marked together.

    Raises
    ------
    InputError
        If maps or masks are none, their numbers or shapes differ, a score is NaN, or there is
        none of one kind.

    Examples
    --------
    >>> from gmmseg.evaluation import region_overlap_curve
    >>> curve = region_overlap_curve([[[3.0, 1.0, 2.0, 0.0]]], [[[1, 1, 0, 0]]])
    >>> curve.false_positive_rates
    array([0. , 0. , 0.5, 0.5, 1. ])
    """
    from scipy.ndimage import label

    pooled = _Pixels.of(maps, masks)
    weights, n_regions = [], 0
    for mask in pooled.masks:
        regions, n_here = label(mask, structure=np.ones((3,) * mask.ndim))
        areas = np.bincount(regions.ravel(), minlength=n_here + 1)
        shares = np.append(0.0, 1.0 / areas[1:])
        weights.append(shares[regions.ravel()])
        n_regions += n_here
    order = np.argsort(-pooled.scores, kind="stable")
    scores = pooled.scores[order]
    last = np.append(scores[1:] != scores[:-1], True)
    is_normal = ~pooled.is_defect[order]
    n_marked = np.cumsum(is_normal)[last]
    overlap = np.cumsum(np.concatenate(weights)[order])[last]
    return OverlapCurve(
        np.append(np.inf, scores[last]),
        np.append(0.0, n_marked / n_marked[-1]),
        np.append(0.0, np.minimum(overlap / n_regions, 1.0)),
    )


def aupro(
    maps: Sequence[ArrayLike],
    masks: Sequence[ArrayLike],
    *,
    max_false_positive_rate: float = 0.3,
) -> float:
    """Return the area under the curve of region overlaps, where few normal pixels are marked.

    The mean overlap with defects, over all false positive rates up to the limit, as
    `region_overlap_curve` tells them; between two thresholds the curve is a straight line
    (Bergmann et al. 2020, section 4, DOI 10.1109/CVPR42600.2020.00424).

    Parameters
    ----------
    maps : sequence of array_like of shape (rows, cols)
        How strange every pixel of each image is; higher is stranger.
    masks : sequence of array_like of bool or int of shape (rows, cols)
        The defects of each image: what is not 0. Images without defects belong to it.
    max_false_positive_rate : float
        The limit, above 0 and up to 1. Figures with different limits cannot be compared.

    Returns
    -------
    area : float
        The area over the limit, 0 to 1, which is best; the limit over 2 where scores say nothing.

    Raises
    ------
    InputError
        As `region_overlap_curve`, and if the limit does not lie in 0 to 1.

    Examples
    --------
    >>> from gmmseg.evaluation import aupro
    >>> maps, masks = [[[3.0, 1.0, 2.0, 0.0]]], [[[1, 1, 0, 0]]]
    >>> aupro(maps, masks), aupro(maps, masks, max_false_positive_rate=1.0)
    (0.5, 0.75)
    """
    limit = max_false_positive_rate
    if not 0.0 < limit <= 1.0:
        raise InputError(f"max_false_positive_rate must lie above 0 and up to 1, got {limit}")
    curve = region_overlap_curve(maps, masks)
    rates, overlaps = curve.false_positive_rates, curve.region_overlaps
    end = int(np.searchsorted(rates, limit, side="right"))
    if end < len(rates):  # the curve is cut between its points end - 1 and end
        ways = slice(end - 1, end + 1)
        at_limit = np.interp(limit, rates[ways], overlaps[ways])
        rates, overlaps = np.append(rates[:end], limit), np.append(overlaps[:end], at_limit)
    area = (np.diff(rates) * (overlaps[1:] + overlaps[:-1]) / 2.0).sum()
    return float(area / limit)


def pixel_auc(maps: Sequence[ArrayLike], masks: Sequence[ArrayLike]) -> float:
    """Return how likely a pixel of a defect is stranger than another one, ties counting half.

    That is the area under the ROC curve of all pixels of all images, as `roc_auc` has it; large
    defects outweigh small ones, which `aupro` does not let them.

    Parameters
    ----------
    maps : sequence of array_like of shape (rows, cols)
        How strange every pixel of each image is; higher is stranger.
    masks : sequence of array_like of bool or int of shape (rows, cols)
        The defects of each image: what is not 0.

    Returns
    -------
    auc : float
        From 0 to 1.

    Raises
    ------
    InputError
        As `region_overlap_curve`.

    Examples
    --------
    >>> from gmmseg.evaluation import pixel_auc
    >>> pixel_auc([[[3.0, 1.0, 2.0, 0.0]]], [[[1, 1, 0, 0]]])
    0.75
    """
    pooled = _Pixels.of(maps, masks)
    return roc_auc(pooled.scores, pooled.is_defect)


@dataclass(frozen=True, eq=False)
class _Pixels:
    """The pixels of all images in one row, and their masks."""

    scores: NDArray[np.float64]
    is_defect: NDArray[np.bool_]
    masks: list[NDArray[np.bool_]]

    @classmethod
    def of(cls, maps: Sequence[ArrayLike], masks: Sequence[ArrayLike]) -> "_Pixels":
        """Check maps and masks and lay them out in one row."""
        if len(maps) != len(masks):
            raise InputError(
                f"there must be as many maps as masks, got {len(maps)} and {len(masks)}"
            )
        defects = [label_array(mask, f"masks[{n}]") != 0 for n, mask in enumerate(masks)]
        scores = [_map_array(one, n, defects[n].shape) for n, one in enumerate(maps)]
        is_defect = np.concatenate([one.ravel() for one in defects] or [np.empty(0, np.bool_)])
        if is_defect.all() or not is_defect.any():
            raise InputError(
                "there must be pixels of defects and others, got "
                f"{int(is_defect.sum())} of defects among {len(is_defect)}"
            )
        return cls(np.concatenate([one.ravel() for one in scores]), is_defect, defects)


def _map_array(values: ArrayLike, index: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return a map as an array of the shape of its mask."""
    try:
        scores = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"maps[{index}] must be numbers: {error}") from error
    if scores.shape != shape:
        raise InputError(
            f"maps[{index}] must have the shape of its mask {shape}, got {scores.shape}"
        )
    if np.isnan(scores).any():
        raise InputError(
            f"maps[{index}] has NaN in {np.isnan(scores).sum()} of {scores.size} pixels"
        )
    return scores
