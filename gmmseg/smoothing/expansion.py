"""A map of many labels of low energy, by cuts that let one label at a time take cells over."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.energy import potts_energy
from gmmseg.smoothing.expansion_kernels import moves_of
from gmmseg.smoothing.grid import GridField
from gmmseg.smoothing.grid_inputs import check_costs, check_labels
from gmmseg.smoothing.mincut import min_cut

MOST_SWEEPS = 20


def expand_labels(
    costs: ArrayLike,
    field: GridField,
    *,
    strength: float = 1.0,
    labels: ArrayLike | None = None,
) -> NDArray[np.intp]:
    """Return labels of low energy: no label can lower it by taking over any set of cells.

    The energy is that of `potts_energy`. It is at most twice the least one where costs are not
    negative, and never above that of the labels it starts from.

    Parameters
    ----------
    costs : array_like of shape (n_labels, planes, rows, cols)
        What every label costs in every cell, finite.
    field : GridField
        Pairs of neighbours and their weights.
    strength : float
        Factor of all weights, at least 0.
    labels : array_like of int or bool of shape (planes, rows, cols), optional
        Labels to begin with, from 0; the cheapest of each cell if None.

    Returns
    -------
    labels : ndarray of int of shape (planes, rows, cols)
        A label for every cell.

    Raises
    ------
    InputError
        If costs or labels do not fit the field, or a cost is not finite.

    References
    ----------
    Boykov, Veksler, Zabih (2001), "Fast approximate energy minimization via graph cuts", theorem
    6.1, DOI 10.1109/34.969114.

    Examples
    --------
    The cell between takes the label of a neighbour, as a label of its own would have two borders:

    >>> from gmmseg.smoothing import contrast_field
    >>> field = contrast_field([[[0.0], [0.0], [0.0]]])
    >>> costs = [[[[0.0, 4.5, 9.0]]], [[[9.0, 4.0, 9.0]]], [[[9.0, 5.0, 0.0]]]]
    >>> expand_labels(costs, field)
    array([[[0, 0, 2]]])
    """
    check_number("strength", strength, least=0)
    table = check_costs(costs, field).astype(np.float64)
    if not np.isfinite(table).all():
        raise InputError("costs must be finite, got NaN or infinity")
    start = table.argmin(axis=0) if labels is None else check_labels(labels, field, len(table))
    now = start.astype(np.intp)
    energy = potts_energy(table, field, now, strength=strength)
    waiting = list(range(len(table)))  # labels that have not been tried since the last change
    for _ in range(MOST_SWEEPS * len(table)):
        if not waiting:
            break
        label = waiting.pop(0)
        after = _expanded(table, field, now, label, strength=strength)
        lower = potts_energy(table, field, after, strength=strength)
        if lower < energy:
            now, energy = after, lower
            waiting += [other for other in range(len(table)) if other not in (label, *waiting)]
    return now


def _expanded(
    costs: NDArray[np.float64],
    field: GridField,
    labels: NDArray[np.intp],
    label: int,
    *,
    strength: float,
) -> NDArray[np.intp]:
    """Return the labels of least energy where every cell keeps its own or takes the given one.

    Two neighbours i, j that keep different labels cost w, too. With x = 1 for the label taken,
    their cost is w/2 (x_i != x_j) + w/2 (2 - x_i - x_j), where that of others is w (x_i != x_j).
    """
    keep = np.take_along_axis(costs, labels[np.newaxis], axis=0)[0]
    take = costs[label]
    weights, kept = np.empty_like(field.weights), np.zeros(labels.shape)
    moves_of(field.weights, field.offsets, labels, label, weights, kept)
    # Who bears the label already has taken it.
    keep = np.where(labels == label, np.inf, keep + strength * kept)
    takes = min_cut(keep, take, GridField(field.offsets, weights), strength=strength)
    return np.where(takes, label, labels)
