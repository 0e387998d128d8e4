"""The Potts field: which neighbours on a grid should bear the same label, and how strongly."""

import itertools
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.threads import MOST_RANGES, run_in_threads
from gmmseg.core.validation import as_float32, as_numbers, check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.grid_kernels import squared_differences, weights_of_squares

LARGEST_SQUARE = 1e38  # mean squared difference of neighbours that float32 holds


@dataclass(frozen=True, eq=False)
class GridField:
    """Hold pairs of neighbours on a grid, each once, and how strongly they are coupled.

    A plane is a volume of one plane, so that everything here has three axes. `contrast_field` makes
    one of what cells look like.

    Parameters
    ----------
    offsets : array_like of int of shape (n_offsets, 3)
        Steps (plane, row, col) of -1, 0 or 1 from a cell to half of its neighbours, the first that
        is not 0 being 1; the others are their opposites.
    weights : array_like of shape (n_offsets, planes, rows, cols)
        ``weights[o, p, r, c]`` couples the cell (p, r, c) with the one ``offsets[o]`` away, at
        least 0; it is 0 where there is no such cell, or one of the two is not in use. Kept as
        float32.

    Raises
    ------
    InputError
        If shapes do not fit together, a step leads elsewhere or is there twice, or a weight is
        negative, not finite, or of a neighbour beyond the edge.

    Examples
    --------
    Three cells in a row, of which the first two are the more alike:

    >>> field = GridField([[0, 0, 1]], [[[[1.0, 0.2, 0.0]]]])
    >>> field.shape
    (1, 1, 3)
    """

    offsets: NDArray[np.intp]
    weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Convert and check the arrays."""
        offsets, weights = as_numbers(self.offsets, "offsets"), as_float32(self.weights, "weights")
        if offsets.ndim != 2 or offsets.shape[1] != 3 or len(offsets) == 0:
            raise InputError(f"offsets must have shape (n_offsets, 3), got {offsets.shape}")
        ahead = half_neighbourhood(3, 3).tolist()
        steps = offsets.tolist()
        if not all(step in ahead and steps.count(step) == 1 for step in steps):
            raise InputError(
                "offsets must be different steps (plane, row, col) of -1, 0 or 1, the first that "
                f"is not 0 being 1, got {steps}"
            )
        if weights.ndim != 4 or len(weights) != len(offsets) or weights.size == 0:
            raise InputError(
                "weights must have shape (n_offsets, planes, rows, cols) with n_offsets = "
                f"{len(offsets)}, got {weights.shape}"
            )
        if not (weights.min() >= 0 and weights.max() < np.inf):
            raise InputError(
                f"weights must be finite and at least 0, got {weights.min()} to {weights.max()}"
            )
        object.__setattr__(self, "offsets", offsets.astype(np.intp))
        object.__setattr__(self, "weights", weights)
        for step, of_step in zip(self.offsets, weights, strict=True):
            edges = (of_step.take(-max(step[axis], 0), axis) for axis in np.flatnonzero(step))
            if any(edge.any() for edge in edges):
                raise InputError(
                    f"weights of the offset {step.tolist()} must be 0 where it leads beyond the "
                    "edge of the grid"
                )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of planes, rows and columns."""
        planes, rows, cols = self.weights.shape[1:]
        return planes, rows, cols


def contrast_field(
    features: ArrayLike,
    *,
    inside: ArrayLike | None = None,
    connectivity: int = 1,
    spacing: tuple[float, ...] | None = None,
    mean_square: float | None = None,
    n_jobs: int | None = None,
) -> GridField:
    """Return a Potts field that couples neighbours the less the more they differ.

    The weight of a pair is ``exp(-|y_i - y_j|² / (2 σ²)) / distance``, with σ² the mean squared
    difference of neighbours.

    Parameters
    ----------
    features : array_like of shape (rows, cols, n_features) or (planes, rows, cols, n_features)
        What the cells look like.
    inside : array_like of bool of the grid's shape, optional
        True at the cells in use; all if None.
    connectivity : int
        Neighbours differ by a step along at most so many axes: 1 for 4 neighbours in a plane and
        6 in a volume, 2 for 8 and 18, 3 for 26.
    spacing : tuple of float, optional
        Length of a step along each axis of the grid; all 1 if None. The shortest counts as 1.
    mean_square : float, optional
        Value of σ², at least 0; measured on this grid if None. Give that of the whole to its parts.
    n_jobs : int, optional
        Number of threads; all processors if None.

    Returns
    -------
    field : GridField
        The pairs and their weights.

    Raises
    ------
    InputError
        If the shapes do not fit together, features of cells in use are not finite, or an option
        cannot be used.

    References
    ----------
    Boykov, Jolly (2001), "Interactive graph cuts for optimal boundary and region segmentation of
    objects in N-D images"; Rother, Kolmogorov, Blake (2004), "GrabCut", equations 4, 5 and 11,
    DOI 10.1145/1015706.1015720.

    Examples
    --------
    Of the two steps, of 0 and of 9, the mean square is 81 / 2: the second weighs ``exp(-1)``.

    >>> field = contrast_field([[[0.0], [0.0], [9.0]]])
    >>> field.weights[0].round(2)
    array([[[1.  , 0.37, 0.  ]]], dtype=float32)
    """
    if mean_square is not None:
        check_number("mean_square", mean_square, least=0)
    volume, use = _as_volume(features, inside)
    n_axes = np.ndim(features) - 1
    offsets = half_neighbourhood(n_axes, connectivity)
    steps = unit_steps(spacing, n_axes)
    weights = np.empty((len(offsets), *use.shape), dtype=np.float32)
    total, count = 0.0, 0
    for offset, out in zip(offsets, weights, strict=True):
        along = partial(squared_differences, volume, use, offset, out)
        for part, n_pairs in run_in_threads(along, ranges_of_lines(use.shape), n_jobs):
            total, count = total + part, count + n_pairs
    if not total <= LARGEST_SQUARE * max(count, 1):
        _refuse_features(volume, use)
    if mean_square is None:
        mean_square = total / max(count, 1)
    scale = np.float32(min(0.5 / mean_square, 1e38) if mean_square > 0 else 0)
    for step, out in zip(offsets * steps, weights, strict=True):
        distance = np.float32(np.linalg.norm(step))
        turn = partial(weights_of_squares, out.reshape(-1, use.shape[2]), scale, distance)
        run_in_threads(turn, ranges_of_lines(use.shape), n_jobs)
    return GridField(offsets, weights)


def half_neighbourhood(n_axes: int, connectivity: int) -> NDArray[np.intp]:
    """Return the steps to half of the neighbours in a plane or a volume, (n_offsets, 3).

    Along one axis come first, then along more: what is added up in this order is the same, to the
    last bit, when rows and columns change places.
    """
    check_number("connectivity", connectivity, least=1, is_whole=True)
    if connectivity > n_axes:
        raise InputError(f"connectivity must be at most {n_axes} on this grid, got {connectivity}")
    steps = itertools.product((0,) if n_axes == 2 else (-1, 0, 1), (-1, 0, 1), (-1, 0, 1))
    forward = [s for s in steps if s > (0, 0, 0) and np.count_nonzero(s) <= connectivity]
    return np.array(sorted(forward, key=np.count_nonzero), dtype=np.intp)


def _as_volume(
    features: ArrayLike, inside: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Check the features and view them and the mask as volumes."""
    if not isinstance(features, np.ndarray) or features.dtype not in (np.float32, np.float64):
        features = as_numbers(features, "features")
    if features.ndim not in (3, 4) or features.size == 0:
        raise InputError(
            "features must have shape (rows, cols, n_features) or (planes, rows, cols, "
            f"n_features), got {features.shape}"
        )
    shape = features.shape[:-1]
    use = np.ones(shape, dtype=bool) if inside is None else np.asarray(inside, dtype=bool)
    if use.shape != shape:
        raise InputError(f"inside must have the shape {shape} of the grid, got {use.shape}")
    as_volume = (1,) * (4 - features.ndim)
    return features.reshape(as_volume + features.shape), use.reshape(as_volume + shape)


def _refuse_features(volume: NDArray[Any], use: NDArray[np.bool_]) -> None:
    """Raise InputError saying what is wrong with features whose differences are no numbers."""
    is_bad = use & ~np.isfinite(volume).all(axis=3)
    if is_bad.any():
        raise InputError(
            f"features must be finite in cells in use, got NaN or infinity in {is_bad.sum()} of "
            f"{use.sum()}; leave them out with inside"
        )
    raise InputError(
        "features of neighbours must differ by less than 1e19, got more; divide them by a constant"
    )


def unit_steps(spacing: tuple[float, ...] | None, n_axes: int) -> NDArray[np.float64]:
    """Return the length of a step along each of three axes, the shortest being 1."""
    lengths = np.ones(n_axes) if spacing is None else as_numbers(spacing, "spacing")
    if lengths.shape != (n_axes,) or not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise InputError(
            f"spacing must be {n_axes} lengths above 0, one for each axis, got {spacing}"
        )
    return np.concatenate([np.ones(3 - n_axes), lengths / lengths.min()])


def ranges_of_lines(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return ranges of (plane, row) lines that cover a volume, the same for any threads."""
    n_lines = shape[0] * shape[1]
    n_ranges = min(MOST_RANGES, n_lines)
    edges = [n_lines * i // n_ranges for i in range(n_ranges + 1)]
    return list(itertools.pairwise(edges))


def flat_steps(field: GridField) -> NDArray[np.intp]:
    """Return how many cells further each neighbour is where line after line lies in one row.

    On a grid of one row or column a diagonal step leads nowhere, and would lead back here.
    """
    _, rows, cols = field.shape
    return np.maximum(field.offsets @ np.array([rows * cols, cols, 1]), 0)


def flat_weights(field: GridField) -> NDArray[np.float32]:
    """Return the weights of each step, (n_offsets, n_cells), line after line in one row."""
    return field.weights.reshape(len(field.offsets), -1)
