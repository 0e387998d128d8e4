"""The Potts energy of a map of labels: what its labels cost, and what its borders cost."""

import math

import numpy as np
from numpy.typing import ArrayLike

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.grid import GridField
from gmmseg.smoothing.grid_inputs import check_costs, check_labels
from gmmseg.smoothing.grid_kernels import border_weight


def potts_energy(
    costs: ArrayLike, field: GridField, labels: ArrayLike, *, strength: float = 1.0
) -> float:
    """Return the energy of labels on a grid.

    ``sum_i costs[l_i, i] + strength * sum_ij w_ij [l_i != l_j]``, the second sum over the pairs of
    the field.

    Parameters
    ----------
    costs : array_like of shape (n_labels, planes, rows, cols)
        What every label costs in every cell; infinite where it is impossible.
    field : GridField
        Pairs of neighbours and their weights.
    labels : array_like of int or bool of shape (planes, rows, cols)
        A label for every cell, from 0.
    strength : float
        Factor of all weights, at least 0.

    Returns
    -------
    energy : float
        The energy, in the unit of the costs.

    Raises
    ------
    InputError
        If costs or labels do not fit the field, or the cost of a label that is borne is NaN.

    References
    ----------
    Boykov, Veksler, Zabih (2001), "Fast approximate energy minimization via graph cuts", equation
    1, with the penalty of a Potts model, DOI 10.1109/34.969114.

    Examples
    --------
    The labels cost nothing, and each of the two borders a half:

    >>> from gmmseg.smoothing import contrast_field
    >>> field = contrast_field([[[0.0], [0.0], [0.0]]])
    >>> costs = [[[[3.0, 0.0, 3.0]]], [[[0.0, 1.0, 0.0]]]]
    >>> potts_energy(costs, field, [[[1, 0, 1]]], strength=0.5)
    1.0
    """
    check_number("strength", strength, least=0)
    table = check_costs(costs, field)
    borne = check_labels(labels, field, len(table)).astype(np.int32)
    own = float(np.take_along_axis(table, borne[np.newaxis], axis=0).sum(dtype=np.float64))
    if math.isnan(own):
        raise InputError("costs must not be NaN where their label is borne")
    return own + strength * float(border_weight(field.weights, field.offsets, borne))
