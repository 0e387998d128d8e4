"""Prior maps: how likely each label is in each place, as an atlas of many brains tells."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import as_float32
from gmmseg.errors import InputError

LEAST_SHARE = np.float32(1e-3)  # that a map gives to a label


def log_prior_maps(maps: ArrayLike) -> NDArray[np.float32]:
    """Return what prior maps add to the log-weights of labels: ``log(map_k)``.

    Parameters
    ----------
    maps : array_like of shape (n_labels, rows, cols) or (n_labels, planes, rows, cols)
        How likely each label is in each cell, at least 0, as of an atlas. A cell that is 0 in all
        maps has no opinion; elsewhere only the ratios count.

    Returns
    -------
    log_prior : ndarray of float32 of the shape of maps
        For `fit_field`, in nats; divide it by 2 to believe the maps half as much. A map that is 0
        counts as one in a thousand: a label there is unlikely, but not impossible, as maps are
        never quite in place.

    Raises
    ------
    InputError
        If maps are not of such a shape, negative, or not finite.

    Examples
    --------
    >>> np.exp(log_prior_maps([[[0.5, 1.0]], [[0.5, 0.0]]]))[:, 0].round(3)
    array([[0.5  , 1.   ],
           [0.5  , 0.001]], dtype=float32)
    """
    shares = as_float32(maps, "maps")
    if shares.ndim not in (3, 4) or shares.size == 0:
        raise InputError(
            "maps must have shape (n_labels, rows, cols) or (n_labels, planes, rows, cols), got "
            f"{shares.shape}"
        )
    if not (np.isfinite(shares) & (shares >= 0)).all():
        raise InputError("maps must be finite and at least 0; replace what is not by 0")
    total = shares.sum(axis=0)
    shares = np.where(total > 0, shares / np.where(total > 0, total, 1), 1 / len(shares))
    return np.log(np.maximum(shares, LEAST_SHARE), dtype=np.float32)
