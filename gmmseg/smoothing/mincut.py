"""The two-label map of least energy: a smallest cut through the grid, found by the largest flow."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import as_numbers, check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.grid import GridField
from gmmseg.smoothing.mincut_kernels import Flow, largest_flow, load

# The largest weight becomes this capacity: sums over all neighbours stay far below 2**31.
LARGEST_CAPACITY = 2**22
NO_WEIGHT = 1e-200  # times the strength: less counts as nothing

Cells = NDArray[np.int32]


def min_cut(
    cost_0: ArrayLike, cost_1: ArrayLike, field: GridField, *, strength: float = 1.0
) -> NDArray[np.bool_]:
    """Return the map of labels 0 and 1 whose energy is least.

    The energy is the sum over cells of the cost of their label, and over pairs of neighbours with
    different labels of ``strength * weight``. Of several such maps it is the one with fewest 1s,
    up to rounding costs to 2**-22 of the largest weight.

    Parameters
    ----------
    cost_0, cost_1 : array_like of shape (planes, rows, cols)
        What the labels cost. Where one of them is infinite, the other is certain.
    field : GridField
        Pairs of neighbours and their weights.
    strength : float
        Factor of all weights, at least 0.

    Returns
    -------
    labels : ndarray of bool of shape (planes, rows, cols)
        True at label 1.

    Raises
    ------
    InputError
        If the costs do not fit the field, are NaN, or both infinite in a cell.

    References
    ----------
    Boykov, Kolmogorov (2004), "An experimental comparison of min-cut/max-flow algorithms for energy
    minimization in vision", section 3, DOI 10.1109/TPAMI.2004.60.

    Examples
    --------
    Its neighbours win the cell between over, as two borders would cost more:

    >>> from gmmseg.smoothing import contrast_field
    >>> field = contrast_field([[[0.0], [0.0], [0.0]]])
    >>> min_cut([[[3.0, 0.0, 3.0]]], [[[0.0, 1.0, 0.0]]], field)
    array([[[ True,  True,  True]]])
    """
    low, high = as_numbers(cost_0, "cost_0"), as_numbers(cost_1, "cost_1")
    for name, cost in (("cost_0", low), ("cost_1", high)):
        if cost.shape != field.shape:
            raise InputError(
                f"{name} must have the shape {field.shape} of the field, got {cost.shape}"
            )
    with np.errstate(invalid="ignore"):
        gain = low - high
    if np.isnan(gain).any():
        raise InputError("cost_0 and cost_1 must not be NaN, nor both infinite in one cell")
    known = np.where(np.isinf(gain), gain > 0, -1).astype(np.int8)
    return CutGraph(field, known, strength=strength).solve(np.where(known < 0, gain, 0.0))


class CutGraph:
    """Find the smallest cuts of one grid while the costs of its cells change.

    Costs enter as gains: what label 0 costs more than label 1. Where a gain changes, what has
    flowed already stays, and the next cut is faster.

    Parameters
    ----------
    field : GridField
        Pairs of neighbours and their weights.
    known : array_like of int of shape (planes, rows, cols), optional
        Labels 0 and 1 where they are certain, -1 elsewhere; certain nowhere if None.
    strength : float
        Factor of all weights, at least 0.

    Raises
    ------
    InputError
        If known labels do not fit the field or are none, or the strength is negative.

    References
    ----------
    Kohli, Torr (2005), "Efficiently solving dynamic Markov random fields using graph cuts".

    Examples
    --------
    >>> from gmmseg.smoothing import contrast_field
    >>> graph = CutGraph(contrast_field([[[0.0], [0.0], [0.0]]]))
    >>> graph.solve([[[3.0, -1.0, 3.0]]])
    array([[[ True,  True,  True]]])
    >>> graph.solve([[[3.0, -2.5, 3.0]]])
    array([[[ True, False,  True]]])
    """

    def __init__(
        self, field: GridField, known: ArrayLike | None = None, *, strength: float = 1.0
    ) -> None:
        check_number("strength", strength, least=0)
        labels = np.full(field.shape, -1) if known is None else np.asarray(known)
        if labels.shape != field.shape:
            raise InputError(
                f"known must have the shape {field.shape} of the field, got {labels.shape}"
            )
        if labels.dtype.kind not in "biu" or not ((labels >= -1) & (labels <= 1)).all():
            raise InputError("known must be whole numbers: 0 and 1, and -1 where nothing is known")
        self._known = labels
        pad = np.abs(field.offsets).max(axis=0)
        self._inside = tuple(slice(p, p + n) for p, n in zip(pad, field.shape, strict=True))
        padded = tuple(2 * pad + field.shape)
        largest = strength * float(field.weights.max(initial=0.0))
        self._scale = LARGEST_CAPACITY / max(largest, NO_WEIGHT)
        residual = np.zeros((*padded, 2 * len(field.offsets)), dtype=np.int32)
        self._from_known = np.zeros(padded, dtype=np.int32)
        everywhere = np.full(padded, 2, dtype=np.int8)
        everywhere[self._inside] = labels
        load(
            field.weights,
            self._scale * strength,
            field.offsets,
            everywhere,
            pad,
            residual,
            self._from_known,
        )
        self._flow = _without_flow(residual, field.offsets, padded)
        # What all neighbours can take from a cell: from more than that nothing follows.
        self._most = residual.sum(axis=3, dtype=np.int32) + 1
        self._given = np.zeros(padded, dtype=np.int32)

    def solve(self, gain: ArrayLike) -> NDArray[np.bool_]:
        """Return the labels of least energy, True at 1, of the gains, (planes, rows, cols)."""
        gains = as_numbers(gain, "gain")
        if gains.shape != self._known.shape:
            raise InputError(
                f"gain must have the shape {self._known.shape} of the field, got {gains.shape}"
            )
        if np.isnan(gains).any():
            raise InputError("gain must not be NaN; give 0 where no label costs more")
        given = np.zeros_like(self._given)
        with np.errstate(over="ignore"):
            scaled = gains * self._scale + self._from_known[self._inside]
        most = self._most[self._inside]
        # Away from 0, so that a gain that is too small to count still decides between equals.
        rounded = np.clip(np.copysign(np.ceil(np.abs(scaled)), scaled), -most, most)
        given[self._inside] = np.where(self._known < 0, rounded, 0)
        terminal = self._flow.terminal.reshape(given.shape)
        terminal += given - self._given
        self._given = given
        largest_flow(self._flow)
        is_source = self._flow.tree.reshape(given.shape)[self._inside] == 1
        labels: NDArray[np.bool_] = np.where(self._known < 0, is_source, self._known == 1)
        return labels


def _without_flow(residual: Cells, offsets: NDArray[np.intp], padded: tuple[int, ...]) -> Flow:
    """Return a grid of these capacities through which nothing has flowed."""
    n_cells = int(np.prod(padded))
    forward = offsets @ np.array([padded[1] * padded[2], padded[2], 1])
    steps = np.stack([forward, -forward], axis=1).ravel()
    return Flow(
        steps=steps,
        residual=residual.reshape(n_cells, len(steps)),
        terminal=np.zeros(n_cells, dtype=np.int32),
        tree=np.zeros(n_cells, dtype=np.int8),
        parent=np.zeros(n_cells, dtype=np.int8),
        distance=np.zeros(n_cells, dtype=np.int32),
        stamp=np.zeros(n_cells, dtype=np.int32),
        active=np.zeros(n_cells, dtype=np.int32),
        is_active=np.zeros(n_cells, dtype=np.bool_),
        orphans=np.zeros(n_cells, dtype=np.int32),
        ends=np.zeros(4, dtype=np.int64),
    )
