"""Prior maps: how likely each label is in each place, as an atlas of many brains tells."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

LEAST_SHARE = np.float32(1e-3)  # that a map gives to a label


def log_prior_maps(maps: ArrayLike, *, strength: float = 1.0) -> NDArray[np.float32]:
    """Return what prior maps add to the log-weights of labels: ``strength * log(map_k)``.

    Parameters
    ----------
    maps : array_like of shape (n_labels, rows, cols) or (n_labels, planes, rows, cols)
        How likely each label is in each cell, at least 0, as of an atlas. A cell that is 0 in all
        maps has no opinion; elsewhere only the ratios count.
    strength : float
        How far they are believed: 0 not at all, 1 as they are.

    Returns
    -------
    log_prior : ndarray of float32 of the shape of maps
        For `fit_field`. A map that is 0 counts as one in a thousand: a label there is unlikely,
        but not impossible, as maps are never quite in place.

    Raises
    ------
    InputError
        If a map is negative or not finite, or the strength is negative.

    Examples
    --------
    >>> np.exp(log_prior_maps([[[0.5, 1.0]], [[0.5, 0.0]]]))[:, 0].round(3)
    array([[0.5  , 1.   ],
           [0.5  , 0.001]], dtype=float32)
    """
    check_number("strength", strength, least=0)
    shares = np.asarray(maps, dtype=np.float32)
    if not (np.isfinite(shares) & (shares >= 0)).all():
        raise InputError("maps must be finite and at least 0; replace what is not by 0")
    total = shares.sum(axis=0)
    shares = np.where(total > 0, shares / np.where(total > 0, total, 1), 1 / len(shares))
    return np.float32(strength) * np.log(np.maximum(shares, LEAST_SHARE), dtype=np.float32)
