"""A map of many labels of low energy, by cuts that let one label at a time take cells over."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.energy import potts_energy
from gmmseg.smoothing.expansion_kernels import moves_of
from gmmseg.smoothing.grid import GridField
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
    negative (Boykov, Veksler, Zabih 2001, "Fast approximate energy minimization via graph cuts",
    theorem 6.1), and never above that of the labels it starts from.

    Parameters
    ----------
    costs : array_like of shape (n_labels, planes, rows, cols)
        What every label costs in every cell, finite.
    field : GridField
        Pairs of neighbours and their weights.
    strength : float
        Factor of all weights, at least 0.
    labels : array_like of int of shape (planes, rows, cols), optional
        Labels to begin with, from 0; the cheapest of each cell if None.

    Returns
    -------
    labels : ndarray of int of shape (planes, rows, cols)
        A label for every cell.

    Raises
    ------
    InputError
        If costs or labels do not fit the field, or a cost is not finite.

    Examples
    --------
    >>> from gmmseg.smoothing.grid import contrast_field
    >>> field = contrast_field([[[0.0], [0.0], [0.0]]])
    >>> costs = [[[[0.0, 4.5, 9.0]]], [[[9.0, 4.0, 9.0]]], [[[9.0, 5.0, 0.0]]]]
    >>> expand_labels(costs, field)
    array([[[0, 0, 2]]])
    """
    check_number("strength", strength, least=0)
    table = _checked_costs(costs, field)
    now = table.argmin(axis=0) if labels is None else _checked_labels(labels, table)
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


def _checked_costs(costs: ArrayLike, field: GridField) -> NDArray[np.float64]:
    table = np.asarray(costs, dtype=np.float64)
    if table.ndim != 4 or len(table) == 0 or table.shape[1:] != field.shape:
        raise InputError(f"costs must have shape (n_labels, *{field.shape}), got {table.shape}")
    if not np.isfinite(table).all():
        raise InputError("costs must be finite, got NaN or infinity")
    return table


def _checked_labels(labels: ArrayLike, costs: NDArray[Any]) -> NDArray[np.intp]:
    given = np.asarray(labels)
    if given.shape != costs.shape[1:] or given.dtype.kind not in "iu":
        raise InputError(
            f"labels must be whole numbers of shape {costs.shape[1:]}, got {given.dtype} of shape "
            f"{given.shape}"
        )
    if given.min() < 0 or given.max() >= len(costs):
        raise InputError(
            f"labels must lie in 0…{len(costs) - 1}, got {given.min()} to {given.max()}"
        )
    return given.astype(np.intp)
