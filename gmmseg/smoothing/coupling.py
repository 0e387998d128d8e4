"""How strongly neighbours are coupled, estimated from labels or their probabilities."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from gmmseg.core.validation import as_numbers
from gmmseg.errors import InputError
from gmmseg.smoothing.grid import GridField, flat_steps, flat_weights
from gmmseg.smoothing.grid_inputs import check_probabilities, in_one_row
from gmmseg.smoothing.mean_field_kernels import coupling_slope

MOST_COUPLING = 5.0  # at which four neighbours are believed against odds of e^20
MOST_CELLS = 250_000  # that are looked at


def estimate_coupling(q: ArrayLike, field: GridField, *, weights: ArrayLike | None = None) -> float:
    """Return the coupling under which every cell's label is most likely given its neighbours.

    This is Besag's pseudo-likelihood, whose sum over labels is taken with their probabilities. It
    is concave, so its slope has one root.

    Parameters
    ----------
    q : array_like of shape (n_labels, rows, cols) or (n_labels, planes, rows, cols)
        Probabilities of labels, as of `mean_field`; 0 and 1 where labels are known.
    field : GridField
        The neighbours and their weights.
    weights : array_like of shape (n_labels,), optional
        Shares of the labels without neighbours; equal if None.

    Returns
    -------
    coupling : float
        What a neighbour of weight 1 counts, in nats: from 0, where neighbours tell nothing, to 5.

    Raises
    ------
    InputError
        If the shapes do not fit together, q holds no probabilities, or a share is negative or not
        finite.

    References
    ----------
    Besag (1975), "Statistical analysis of non-lattice data".

    Examples
    --------
    Neighbours along rows differ and those along columns agree, which tells nothing:

    >>> from gmmseg.smoothing import contrast_field
    >>> stripes = np.repeat([[1, 0, 1, 0]], 4, axis=0)
    >>> q = np.stack([stripes, 1 - stripes]).astype(np.float32)
    >>> estimate_coupling(q, contrast_field(np.zeros((4, 4, 1))))
    0.0
    """
    flat = in_one_row(check_probabilities(q, field))
    shares = np.ones(len(flat)) if weights is None else as_numbers(weights, "weights")
    if shares.shape != (len(flat),) or not (np.isfinite(shares) & (shares >= 0)).all():
        raise InputError(
            f"weights must be {len(flat)} finite numbers of at least 0, one for each label, got "
            f"{shares.tolist()}"
        )
    log_weights = np.log(np.maximum(shares, np.finfo(np.float64).tiny))
    n_axes = sum(length > 1 for length in field.shape)
    stride = math.ceil((flat.shape[1] / MOST_CELLS) ** (1 / max(n_axes, 1)))
    steps, pairs = flat_steps(field), flat_weights(field)

    def slope(coupling: float) -> float:
        return coupling_slope(flat, pairs, steps, log_weights, coupling, field.shape, stride)

    if slope(0.0) <= 0:
        return 0.0
    if slope(MOST_COUPLING) >= 0:
        return MOST_COUPLING
    return float(brentq(slope, 0.0, MOST_COUPLING, xtol=1e-3))
