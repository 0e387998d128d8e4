"""The mean field of a Potts prior: every cell's labels as its own evidence and its neighbours say.

Where a mixture looks at each cell alone, the prior ``exp(beta sum_ij w_ij [label_i = label_j])``
lets neighbours speak. Its posterior is approached by independent probabilities of each cell, which
are set in turn to what the others make them: each such step is the best there is and lowers the
free energy.
"""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.threads import cut_into_ranges, run_in_threads
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.grid import GridField, flat_steps, flat_weights, ranges_of_lines
from gmmseg.smoothing.grid_inputs import check_evidence, check_probabilities, in_one_row
from gmmseg.smoothing.mean_field_kernels import energy, sweep

STILL = 1e-3  # share of changed cells in a sweep at which the field stands still


def mean_field(
    log_joint: ArrayLike,
    field: GridField,
    *,
    coupling: float,
    n_sweeps: int = 10,
    start: ArrayLike | None = None,
    stops_early: bool = True,
    n_jobs: int | None = None,
) -> NDArray[np.float32]:
    """Return the probabilities of labels under evidence and a Potts prior, by mean field.

    ``q_ik`` becomes proportional to ``exp(log_joint_ik + coupling sum_j w_ij q_jk)``, in turn for
    the colours of a chequerboard, so that all cells of one may be set at once. With a coupling of 0
    it is the posterior of the mixture.

    Parameters
    ----------
    log_joint : array_like of shape (n_labels, rows, cols) or (n_labels, planes, rows, cols)
        Natural logarithm of prior times likelihood of each label in each cell, up to a number per
        cell. It may be -inf. Computed in float32.
    field : GridField
        The neighbours and their weights.
    coupling : float
        How much a neighbour of weight 1 counts, in nats, at least 0.
    n_sweeps : int
        Largest number of rounds over all cells.
    start : array_like of the shape of log_joint, optional
        Probabilities to begin with, as of an earlier mean field; those of coupling 0 if None.
    stops_early : bool
        Whether the rounds end when few cells change. If not, what becomes of a cell depends on
        nothing farther than two cells a round away.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.

    Returns
    -------
    q : ndarray of float32 of the shape of log_joint
        Probabilities, which sum to 1 over labels. In a cell that can have no label they are 0.

    Raises
    ------
    InputError
        If the shapes do not fit together, the evidence is NaN or +inf, or an option cannot be
        used.

    References
    ----------
    Bishop (2006), "Pattern recognition and machine learning", equation 10.9, for each cell. Zhang
    (1992), "The mean field theory in EM procedures for Markov random fields". Celeux, Forbes,
    Peyrard (2003), "EM procedures using mean field-like approximations for Markov model-based image
    segmentation".

    Examples
    --------
    >>> from gmmseg.smoothing import contrast_field
    >>> field = contrast_field(np.zeros((1, 3, 1)))
    >>> doubtful = np.log([[[0.9, 0.4, 0.9]], [[0.1, 0.6, 0.1]]])
    >>> mean_field(doubtful, field, coupling=1.0).argmax(axis=0)
    array([[0, 0, 0]])
    """
    check_number("coupling", coupling, least=0)
    check_number("n_sweeps", n_sweeps, least=0, is_whole=True)
    log_joint = check_evidence(log_joint, field)
    flat = in_one_row(log_joint)
    if start is None:
        q = np.zeros_like(flat)
        _set_all(flat, field, q, coupling=0.0, n_jobs=n_jobs)
    else:
        q = in_one_row(check_probabilities(start, field, name="start")).copy()
        if q.shape != flat.shape:
            raise InputError(
                f"start must have the shape {log_joint.shape} of log_joint, got {np.shape(start)}"
            )
    for _ in range(n_sweeps if coupling > 0 else 0):
        n_changed = _set_all(flat, field, q, coupling=coupling, n_jobs=n_jobs)
        if stops_early and n_changed <= STILL * flat.shape[1]:
            break
    return q.reshape(log_joint.shape)


def free_energy(
    log_joint: ArrayLike,
    q: ArrayLike,
    field: GridField,
    *,
    coupling: float,
    n_jobs: int | None = None,
) -> float:
    """Return the free energy of a mean field, which no sweep raises.

    It is ``sum_ik q_ik (log q_ik - log_joint_ik) - coupling sum_ij w_ij sum_k q_ik q_jk``, over
    cells i and pairs ij, each once: the divergence of the mean field from the posterior, up to a
    number that does not depend on q.

    Parameters
    ----------
    log_joint : array_like of shape (n_labels, rows, cols) or (n_labels, planes, rows, cols)
        As for `mean_field`.
    q : array_like of the shape of log_joint
        Probabilities of labels, as of `mean_field`.
    field : GridField
        The neighbours and their weights.
    coupling : float
        How much a neighbour of weight 1 counts, in nats, at least 0.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.

    Returns
    -------
    energy : float
        The free energy of all cells together, in nats.

    Raises
    ------
    InputError
        If the shapes do not fit together, q holds no probabilities, the evidence is NaN or +inf, or
        an option cannot be used.

    References
    ----------
    Bishop (2006), "Pattern recognition and machine learning", equation 10.3, whose bound is this
    with the opposite sign.

    Examples
    --------
    Two sure neighbours without evidence; what they agree on does not matter:

    >>> from gmmseg.smoothing import contrast_field
    >>> field = contrast_field(np.zeros((1, 2, 1)))
    >>> free_energy(np.zeros((2, 1, 2)), [[[1, 1]], [[0, 0]]], field, coupling=0.5)
    -0.5
    """
    check_number("coupling", coupling, least=0)
    flat, probabilities = (
        in_one_row(check_evidence(log_joint, field)),
        check_probabilities(q, field),
    )
    if len(flat) != len(probabilities):
        raise InputError(
            f"q must have the shape {np.shape(log_joint)} of log_joint, got {np.shape(q)}"
        )
    run = partial(
        energy,
        flat,
        flat_weights(field),
        flat_steps(field),
        np.float32(coupling),
        in_one_row(probabilities),
    )
    return float(sum(run_in_threads(run, cut_into_ranges(flat.shape[1]), n_jobs)))


def _set_all(
    log_joint: NDArray[np.float32],
    field: GridField,
    q: NDArray[np.float32],
    *,
    coupling: float,
    n_jobs: int | None,
) -> int:
    """Set all cells of ``q``, colour by colour, and return how many changed."""
    steps, n_colours = flat_steps(field), _number_of_colours(field)
    if coupling == 0:
        steps, n_colours = steps[:0], 2
    weights, ranges = flat_weights(field), ranges_of_lines(field.shape)
    n_changed = 0
    for which in range(n_colours):
        run = partial(
            sweep,
            log_joint,
            weights,
            steps,
            np.float32(coupling),
            field.shape,
            q,
            (which, n_colours),
        )
        n_changed += sum(run_in_threads(run, ranges, n_jobs))
    return n_changed


def _number_of_colours(field: GridField) -> int:
    """Return how many colours it takes so that no neighbours have the same."""
    return 2 if (np.count_nonzero(field.offsets, axis=1) == 1).all() else 8
