"""The Potts energy of a map of labels: what its labels cost, and what its borders cost."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.smoothing.grid import GridField
from gmmseg.smoothing.grid_kernels import border_weight


def potts_energy(
    costs: NDArray[Any], field: GridField, labels: NDArray[Any], *, strength: float = 1.0
) -> float:
    """Return the energy of labels on a grid.

    ``sum_i costs[l_i, i] + strength * sum_ij w_ij [l_i != l_j]``, the second sum over the pairs of
    the field.

    Parameters
    ----------
    costs : ndarray of shape (n_labels, planes, rows, cols)
        What every label costs in every cell.
    field : GridField
        Pairs of neighbours and their weights.
    labels : ndarray of int or bool of shape (planes, rows, cols)
        A label for every cell, from 0.
    strength : float
        Factor of all weights.

    Returns
    -------
    energy : float
        The energy.

    Examples
    --------
    >>> from gmmseg.smoothing.grid import contrast_field
    >>> field = contrast_field([[[0.0], [0.0], [0.0]]])
    >>> costs = np.array([[[[3.0, 0.0, 3.0]]], [[[0.0, 1.0, 0.0]]]])
    >>> potts_energy(costs, field, np.array([[[1, 0, 1]]]), strength=0.5)
    1.0
    """
    labels = labels.astype(np.int32)
    own = np.take_along_axis(costs, labels[np.newaxis], axis=0).sum(dtype=np.float64)
    return float(own) + strength * float(border_weight(field.weights, field.offsets, labels))
