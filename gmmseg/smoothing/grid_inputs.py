"""What functions on a grid accept for its cells: evidence, probabilities, costs and labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import as_float32, as_numbers
from gmmseg.errors import InputError
from gmmseg.smoothing.grid import GridField

ROUNDING = 1e-3  # by which a probability may lie above 1


def check_evidence(log_joint: ArrayLike, field: GridField) -> NDArray[np.float32]:
    """Return log-densities as float32; -inf may be in them."""
    checked = as_float32(log_joint, "log_joint")
    _check_shape(checked, field, "log_joint")
    if not checked.max() < np.inf:
        is_bad = ~(checked < np.inf).all(axis=0)
        raise InputError(
            f"log_joint has NaN or +inf in {is_bad.sum()} of {is_bad.size} cells; give 0 for all "
            "labels where nothing is known"
        )
    return checked


def check_probabilities(q: ArrayLike, field: GridField, *, name: str = "q") -> NDArray[np.float32]:
    """Return probabilities of labels as float32."""
    checked = as_float32(q, name)
    _check_shape(checked, field, name)
    if not (checked.min() >= 0 and checked.max() <= 1 + ROUNDING):
        raise InputError(
            f"{name} must be probabilities from 0 to 1, got {checked.min()} to {checked.max()}"
        )
    return checked


def check_costs(costs: ArrayLike, field: GridField) -> NDArray[Any]:
    """Return the cost of every label in every cell as float32 or float64."""
    is_table = isinstance(costs, np.ndarray) and costs.dtype in (np.float32, np.float64)
    checked = np.asarray(costs) if is_table else as_numbers(costs, "costs")
    if checked.ndim != 4 or len(checked) == 0 or checked.shape[1:] != field.shape:
        raise InputError(f"costs must have shape (n_labels, *{field.shape}), got {checked.shape}")
    return checked


def check_labels(labels: ArrayLike, field: GridField, n_labels: int) -> NDArray[Any]:
    """Return labels from 0, one for every cell, as they are."""
    try:
        given = np.asarray(labels)
    except ValueError as error:  # lists of different lengths
        raise InputError(f"labels must be whole numbers, got something else: {error}") from None
    if given.shape != field.shape or given.dtype.kind not in "biu":
        raise InputError(
            f"labels must be whole numbers of shape {field.shape}, got {given.dtype} of shape "
            f"{given.shape}"
        )
    if given.min() < 0 or given.max() >= n_labels:
        raise InputError(f"labels must lie in 0…{n_labels - 1}, got {given.min()} to {given.max()}")
    return given


def in_one_row(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """View what every label has in every cell as (n_labels, n_cells)."""
    return values.reshape(len(values), -1)


def _check_shape(values: NDArray[Any], field: GridField, name: str) -> None:
    """Raise InputError unless there are labels, and each has the cells of the field."""
    shape = values.shape[1:]
    is_grid = values.ndim in (3, 4) and (1,) * (3 - len(shape)) + shape == field.shape
    if not is_grid or len(values) == 0:
        raise InputError(
            f"{name} must have shape (n_labels, ...) with the {field.shape} cells of the field, "
            f"got {values.shape}"
        )
