"""How well a foreground was found: a mask beside the true one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gmmseg.evaluation.binary import BinaryRates
from gmmseg.evaluation.overlaps import checked_pair, scored_pixels
from gmmseg.evaluation.rates import rate_of


@dataclass(frozen=True)
class MaskScores(BinaryRates):
    """Pixels by what they are and what they were called; they add up over images.

    Parameters
    ----------
    true_positive : int
        Pixels of the foreground that were found.
    false_positive : int
        Pixels of the background that were called foreground.
    false_negative : int
        Pixels of the foreground that were missed.
    true_negative : int
        Pixels of the background that were called so.

    Examples
    --------
    >>> from gmmseg.evaluation import MaskScores
    >>> scores = MaskScores(2, 1, 0, 5) + MaskScores(1, 0, 1, 2)
    >>> scores.iou, scores.dice
    (0.6, 0.75)
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def iou(self) -> float:
        """Intersection over union of the foregrounds (Jaccard); 1 if both are empty."""
        return 1.0 - rate_of(self.wrong, self.true_positive + self.wrong)

    @property
    def dice(self) -> float:
        """Dice coefficient of the foregrounds, which is `f1`."""
        return self.f1


def mask_scores(
    mask: ArrayLike, truth: ArrayLike, *, ignore_label: int | None = None
) -> MaskScores:
    """Compare a mask with the true one: what is not 0 is foreground.

    Parameters
    ----------
    mask : array_like of bool or int of shape (rows, cols) or (planes, rows, cols)
        The foreground that was found.
    truth : array_like of bool or int of the shape of `mask`
        The true foreground.
    ignore_label : int, optional
        Value of the truth where it is not known, such as 128: its pixels are not scored.

    Returns
    -------
    scores : MaskScores
        The pixels, and IoU, Dice, precision, recall and accuracy made of them.

    Raises
    ------
    InputError
        If masks are none, the shapes differ, or no pixel is scored.

    Examples
    --------
    >>> from gmmseg.evaluation import mask_scores
    >>> mask_scores([[255, 255, 0, 255]], [[255, 0, 0, 128]], ignore_label=128)
    MaskScores(true_positive=1, false_positive=1, false_negative=0, true_negative=1)
    """
    mask, truth = checked_pair(mask, truth)
    scored = scored_pixels(truth, ignore_label)
    is_found, is_true = mask[scored] != 0, truth[scored] != 0
    return MaskScores(
        int(np.count_nonzero(is_found & is_true)),
        int(np.count_nonzero(is_found & ~is_true)),
        int(np.count_nonzero(~is_found & is_true)),
        int(np.count_nonzero(~is_found & ~is_true)),
    )
