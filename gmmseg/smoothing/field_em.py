"""EM with a Potts prior (hidden Markov random field): the mean field takes the place of the E-step.

What neighbours say changes the responsibilities, these the mixture, and that what each cell says.
The weights stay those that were learned without neighbours. Learned again, they would count twice
what neighbours say already, and a small label would lose cells from round to round until none is
left.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.halves import joint_log_densities, statistics_given
from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import as_float32, check_number, check_samples
from gmmseg.errors import InputError
from gmmseg.smoothing.coupling import estimate_coupling
from gmmseg.smoothing.field_mean import free_energy, mean_field
from gmmseg.smoothing.grid import GridField

FLOOR = 1e-6  # smallest variance, as a fraction of the mean feature variance
TOLERANCE = 1e-4  # change of the free energy per cell at which the fit ends
FEW_SWEEPS = 3  # in each round; the next goes on from there
LAST_SWEEPS = 10


@dataclass(frozen=True, eq=False)
class FieldFit:
    """Hold a mixture learned with a Potts prior, and what it makes of the cells it learned from.

    Parameters
    ----------
    parameters : MixtureParameters
        The mixture; component k is label k.
    q : ndarray of float32 of shape (n_labels, *grid)
        Probabilities of the labels; of no meaning in cells that are not in use.
    coupling : float
        How much a neighbour of weight 1 counts, in nats.
    free_energies : tuple of float
        Free energy per cell after each round, in nats, which never rises.

    Examples
    --------
    `fit_field` makes it:

    >>> from gmmseg.core import MixtureParameters
    >>> from gmmseg.smoothing import contrast_field
    >>> two = MixtureParameters([0.5, 0.5], [[0], [1]], [[1.0], [1.0]], covariance_type="diag")
    >>> X, inside = [[0.0], [0.0], [1.0], [1.0]], np.ones((1, 4), dtype=bool)
    >>> fit = fit_field(X, inside, contrast_field(np.zeros((1, 4, 1))), two, coupling=0.0)
    >>> fit.q.shape, fit.coupling
    ((2, 1, 4), 0.0)
    """

    parameters: MixtureParameters
    q: NDArray[np.float32]
    coupling: float
    free_energies: tuple[float, ...]


def fit_field(
    X: ArrayLike,
    inside: ArrayLike,
    field: GridField,
    parameters: MixtureParameters,
    *,
    coupling: float | Literal["auto"],
    n_rounds: int = 10,
    log_prior: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> FieldFit:
    """Learn a mixture and the labels of cells together, under a Potts prior.

    Parameters
    ----------
    X : array_like of shape (n_cells, n_features)
        Features of the cells in use, line by line, without missing entries. Computed in float32.
    inside : array_like of bool of shape (rows, cols) or (planes, rows, cols)
        True at the cells in use.
    field : GridField
        The neighbours and their weights; 0 to cells that are not in use.
    parameters : MixtureParameters
        The mixture to begin with, as EM without neighbours leaves it.
    coupling : float or "auto"
        How much a neighbour of weight 1 counts, in nats, at least 0; "auto" estimates it from what
        the first mixture makes of each cell alone. Estimated again from what it smoothed itself, it
        would grow from round to round.
    n_rounds : int
        Largest number of rounds of mean field and M-step, at least 1.
    log_prior : array_like of shape (n_labels, *grid), optional
        What is added to the log-weight of each label in each cell, as of `log_prior_maps`.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.

    Returns
    -------
    fit : FieldFit
        The mixture and the probabilities of labels.

    Raises
    ------
    InputError
        If the shapes do not fit together, X is not finite, the field couples cells that are not
        in use, or an option cannot be used.

    References
    ----------
    Zhang, Brady, Smith (2001), "Segmentation of brain MR images through a hidden Markov random
    field model and the expectation-maximization algorithm", DOI 10.1109/42.906424; here with the
    mean field in place of its ICM.

    Examples
    --------
    The cell of 0.6 lies nearer to 1, but among cells that look like 0:

    >>> from gmmseg.core import MixtureParameters
    >>> from gmmseg.smoothing import contrast_field
    >>> two = MixtureParameters([0.5, 0.5], [[0], [1]], [[0.1], [0.1]], covariance_type="diag")
    >>> line = np.array([[0.0, 0.1, 0.6, 0.1, 0.0, 1.0, 0.9, 1.0, 1.1]])
    >>> field = contrast_field(np.zeros((1, 9, 1)))
    >>> fit = fit_field(line.T, np.ones((1, 9), dtype=bool), field, two, coupling=1.0)
    >>> fit.q.argmax(axis=0)
    array([[0, 0, 0, 0, 0, 1, 1, 1, 1]])
    """
    check_number("n_rounds", n_rounds, least=1, is_whole=True)
    X, inside = _checked_cells(X, inside, field, parameters)
    if log_prior is not None:
        log_prior = as_float32(log_prior, "log_prior")
    joint = field_evidence(X, inside, parameters, log_prior=log_prior, n_jobs=n_jobs)
    q = mean_field(joint, field, coupling=0.0, n_jobs=n_jobs)
    if coupling == "auto":
        coupling = estimate_coupling(q, field, weights=parameters.shares)
    energies = list[float]()
    for _ in range(n_rounds):
        q = mean_field(joint, field, coupling=coupling, n_sweeps=FEW_SWEEPS, start=q, n_jobs=n_jobs)
        energies.append(free_energy(joint, q, field, coupling=coupling, n_jobs=n_jobs) / len(X))
        if _stands_still(energies):
            break
        statistics = statistics_given(X, _of_cells(q, inside), parameters, n_jobs)
        floor = variance_floor(statistics, FLOOR, has_one_unit=True)
        parameters = maximize(statistics, parameters, floor, fixed={"weights"})
        joint = field_evidence(X, inside, parameters, log_prior=log_prior, n_jobs=n_jobs)
    q = mean_field(joint, field, coupling=coupling, n_sweeps=LAST_SWEEPS, start=q, n_jobs=n_jobs)
    return FieldFit(parameters, q, coupling, tuple(energies))


def field_evidence(
    X: NDArray[np.float32],
    inside: NDArray[np.bool_],
    parameters: MixtureParameters,
    *,
    log_prior: NDArray[np.float32] | None = None,
    n_jobs: int | None = None,
) -> NDArray[np.float32]:
    """Return the joint log-densities of cells in their places, (n_labels, *grid), and 0 elsewhere.

    ``log_prior``, of the same shape, is added.
    """
    joint = joint_log_densities(X, parameters, n_jobs)
    if inside.all():
        evidence = joint.reshape(-1, *inside.shape)
    else:
        evidence = np.zeros((len(joint), *inside.shape), dtype=joint.dtype)
        for cells, values in zip(evidence, joint, strict=True):
            cells[inside] = values
    if log_prior is not None:
        if log_prior.shape != evidence.shape:
            raise InputError(
                f"log_prior must have shape {evidence.shape}, (n_labels, ...), got "
                f"{log_prior.shape}"
            )
        evidence += log_prior
    return evidence


def _checked_cells(
    X: ArrayLike, inside: ArrayLike, field: GridField, parameters: MixtureParameters
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return features in float32 and the cells they are of, where they fit the field."""
    use = np.asarray(inside, dtype=bool)
    if use.ndim not in (2, 3) or (1,) * (3 - use.ndim) + use.shape != field.shape:
        raise InputError(f"inside must have the {field.shape} cells of the field, got {use.shape}")
    if field.weights[:, ~use.reshape(field.shape)].any():
        raise InputError(
            "field must not couple cells that are not inside; make it with the same inside"
        )
    checked = as_float32(check_samples(X, parameters.n_features), "X")
    is_bad = ~np.isfinite(checked).all(axis=1)
    if is_bad.any():
        raise InputError(
            f"X must be numbers that float32 holds, got NaN or larger ones in {is_bad.sum()} of "
            f"{len(checked)} rows, first in row {is_bad.argmax()}; leave such cells out of inside"
        )
    if np.count_nonzero(use) != len(checked):
        raise InputError(
            f"X must have a row for each of the {np.count_nonzero(use)} cells inside, "
            f"got {len(checked)}"
        )
    return checked, use


def _of_cells(q: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the probabilities of the cells in use, (n_labels, n_cells)."""
    return q.reshape(len(q), -1) if inside.all() else q[:, inside]


def _stands_still(energies: list[float]) -> bool:
    return len(energies) > 1 and abs(energies[-2] - energies[-1]) < TOLERANCE
