"""How well scores set two kinds apart at every threshold: the area under the ROC curve."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError


def roc_auc(scores: ArrayLike, is_target: ArrayLike) -> float:
    """Return how likely a target has a higher score than another one, ties counting half.

    That is the area under the ROC curve (Mann and Whitney, 1947): 0.5 for chance, 1 for scores
    that set all targets above the others. For voice activity the scores are the probabilities of
    frames and the targets those with speech.

    Parameters
    ----------
    scores : array_like of shape (n,)
        Higher is more likely a target; infinity is allowed.
    is_target : array_like of bool of shape (n,)
        The truth.

    Returns
    -------
    auc : float
        From 0 to 1.

    Raises
    ------
    InputError
        If the shapes differ, a score is NaN, or there is none of one kind.

    Examples
    --------
    >>> from gmmseg.evaluation import roc_auc
    >>> roc_auc([0.1, 0.4, 0.4, 0.9], [False, False, True, True])
    0.875
    """
    from scipy.stats import rankdata

    scores, is_target = checked_scores(scores, is_target)
    n_targets = int(is_target.sum())
    n_others = len(scores) - n_targets
    above = rankdata(scores)[is_target].sum() - n_targets * (n_targets + 1) / 2
    return float(above / n_targets / n_others)


def checked_scores(
    scores: ArrayLike, is_target: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return scores and truth as arrays; both kinds must be there."""
    try:
        values = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"scores must be numbers: {error}") from error
    truth = np.asarray(is_target)
    if truth.dtype.kind in "iu" and np.isin(truth, (0, 1)).all():
        truth = truth.astype(np.bool_)
    if truth.dtype.kind != "b" or values.ndim != 1 or truth.shape != values.shape:
        raise InputError(
            "scores and is_target must have one shape (n,), numbers and booleans, got "
            f"{values.shape} and {truth.dtype} of shape {truth.shape}"
        )
    if np.isnan(values).any():
        n_nan, first = np.isnan(values).sum(), np.isnan(values).argmax()
        raise InputError(f"scores has NaN in {n_nan} of {len(values)} places, first in {first}")
    if truth.all() or not truth.any():
        raise InputError(
            f"there must be targets and others, got {int(truth.sum())} targets of {len(truth)}"
        )
    return values, truth
