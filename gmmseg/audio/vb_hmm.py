"""Who speaks, by a hidden Markov model of embeddings whose number of speakers finds itself (VBx).

Each speaker is a state with a voice that is a random point, near 0 in the space of a PLDA; windows
are drawn around it. The chance of each state to be drawn is learned too, and goes to 0 where other
speakers explain the windows as well: so superfluous ones die out.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import as_numbers, check_above, check_number, check_weights
from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain
from gmmseg.smoothing.chain_decoding import expected_draws

Array = NDArray[np.float64]

START_SHARPNESS = 5.0  # logarithm of how much likelier a window's first speaker is than each other


@dataclass(frozen=True, eq=False)
class VBClusters:
    """Hold who speaks in each window, as a VB-HMM has it.

    Parameters
    ----------
    responsibilities : ndarray of shape (n_windows, n_speakers)
        Probability of each speaker in each window; speakers are numbered as at the start.
    priors : ndarray of shape (n_speakers,)
        How likely each speaker is to be drawn where one is; near 0 of those that died out.
    bounds : tuple of float
        Lower bound of the evidence after each round. It never falls.
    is_converged : bool
        Whether the bound stood still before the rounds were over.
    """

    responsibilities: Array
    priors: Array
    bounds: tuple[float, ...]
    is_converged: bool

    @property
    def labels(self) -> NDArray[np.intp]:
        """Most likely speaker of each window, (n_windows,), numbered as at the start."""
        return self.responsibilities.argmax(axis=1)

    @property
    def n_speakers(self) -> int:
        """Number of speakers that have a window."""
        return len(np.unique(self.labels))


class _Evidence(NamedTuple):
    """What all rounds share."""

    samples: Array  # (n_windows, n_dims), times the square root of phi: rho
    norms: Array  # (n_windows,): logarithm of the density around 0
    phi: Array  # (n_dims,)
    counts: Array  # (n_windows,): how often each window counts, times fa
    fb: float


def cluster_by_vb_hmm(
    embeddings: ArrayLike,
    phi: ArrayLike,
    initial_labels: ArrayLike,
    *,
    fa: float = 0.3,
    fb: float = 17.0,
    loop_probability: float = 0.99,
    weights: ArrayLike | None = None,
    max_iter: int = 40,
    tol: float = 1e-4,
) -> VBClusters:
    """Return who speaks in each window of a recording, the number of speakers found on the way.

    Parameters
    ----------
    embeddings : array_like of shape (n_windows, n_dims)
        Windows in order of time, in the space of a PLDA: covariance within speakers is the
        identity, across speakers diagonal.
    phi : array_like of shape (n_dims,)
        Variances across speakers, at least 0.
    initial_labels : array_like of int of shape (n_windows,)
        Speaker of each window to start from, numbered from 0; better too many than too few.
    fa : float
        How much a window counts, above 0; below 1 since windows that overlap repeat each other.
    fb : float
        How much a speaker costs, above 0: the larger, the fewer are left.
    loop_probability : float
        Probability that the speaker of a window goes on without a draw, from 0 to 1.
    weights : array_like of shape (n_windows,), optional
        How often each window counts, at least 0, as its duration over the usual one.
    max_iter : int
        Largest number of rounds, at least 1.
    tol : float
        Gain of the bound at which the rounds end, in nats.

    Returns
    -------
    clusters : VBClusters
        Responsibilities, priors, labels and bounds.

    Raises
    ------
    InputError
        If shapes do not fit together, a number is not finite, or an option cannot be used.

    References
    ----------
    Landini, Profant, Diez, Burget (2022), "Bayesian HMM clustering of x-vector sequences (VBx) in
    speaker diarization", equations 16 to 25, DOI 10.1016/j.csl.2021.101254.

    Examples
    --------
    >>> windows = [[-9.0], [-9.5], [-8.5], [9.0], [8.5], [9.5]]
    >>> found = cluster_by_vb_hmm(windows, [50.0], [0, 0, 1, 2, 2, 2], fa=1.0, fb=1.0)
    >>> found.labels
    array([0, 0, 0, 2, 2, 2])
    """
    check_above("fa", fa, 0.0)
    check_above("fb", fb, 0.0)
    check_number("tol", tol, least=0)
    check_number("max_iter", max_iter, least=1, is_whole=True)
    X, labels = _checked(embeddings, initial_labels)
    count = np.ones(len(X)) if weights is None else check_weights(weights, len(X))
    spread = _checked_phi(phi, X.shape[1])
    norms = -0.5 * ((X**2).sum(axis=1) + X.shape[1] * math.log(2.0 * math.pi))
    evidence = _Evidence(X * np.sqrt(spread), norms, spread, fa * count, float(fb))
    n_speakers = int(labels.max()) + 1
    resp = np.exp(START_SHARPNESS * (np.eye(n_speakers)[labels] - 1.0))
    resp /= resp.sum(axis=1, keepdims=True)
    priors = np.full(n_speakers, 1.0 / n_speakers)
    bounds: list[float] = []
    is_converged = False
    while len(bounds) < max_iter and not is_converged:
        table, divergence = _densities(evidence, resp)
        chain = Chain.sticky(loop_probability, priors)
        resp, log_likelihood, draws = expected_draws(table, chain)
        bounds.append(log_likelihood - evidence.fb * divergence)
        priors = draws / draws.sum()
        is_converged = len(bounds) > 1 and bounds[-1] - bounds[-2] < tol
    return VBClusters(resp, priors, tuple(bounds), is_converged)


def _densities(evidence: _Evidence, resp: Array) -> tuple[Array, float]:
    """Return the expected log-density of each window by each voice, and what the voices cost.

    Voices are ``N(alpha_s, inverse(L_s))`` with ``L_s = 1 + n_s phi / fb`` and
    ``alpha_s = inverse(L_s) sum_t resp_ts rho_t / fb`` (equations 16 and 17); the cost is their
    divergence from ``N(0, 1)``.
    """
    samples, norms, phi, counts, fb = evidence
    weighted = resp * counts[:, np.newaxis]
    variance = 1.0 / (1.0 + weighted.sum(axis=0)[:, np.newaxis] * phi / fb)
    alpha = variance * (weighted.T @ samples) / fb
    second = variance + alpha**2
    table = samples @ alpha.T - 0.5 * second @ phi + norms[:, np.newaxis]
    divergence = 0.5 * float((second - np.log(variance) - 1.0).sum())
    return counts[:, np.newaxis] * table, divergence


def _checked(embeddings: ArrayLike, initial_labels: ArrayLike) -> tuple[Array, NDArray[np.intp]]:
    """Return embeddings as float64, and labels as whole numbers from 0."""
    X, labels = as_numbers(embeddings, "embeddings"), np.asarray(initial_labels)
    if X.ndim != 2 or 0 in X.shape:
        raise InputError(f"embeddings must have shape (n_windows, n_dims), got {X.shape}")
    if not (np.abs(X) < 1e100).all():
        is_bad = ~(np.abs(X) < 1e100).all(axis=1)
        raise InputError(
            f"embeddings must be finite, got NaN, infinity or a number beyond 1e100 in window "
            f"{is_bad.argmax()}"
        )
    if labels.shape != (len(X),) or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise InputError(
            f"initial_labels must be whole numbers from 0, one for each of {len(X)} windows, got "
            f"{_summary(labels)}"
        )
    return X, labels.astype(np.intp)


def _summary(labels: NDArray[Any]) -> str:
    """Return what is wrong with labels in few words."""
    smallest = f", down to {labels.min()}" if labels.size and labels.dtype.kind == "i" else ""
    return f"{labels.dtype} of shape {labels.shape}{smallest}"


def _checked_phi(phi: ArrayLike, n_dims: int) -> Array:
    """Return the variances across speakers, checked."""
    spread = as_numbers(phi, "phi")
    if spread.shape != (n_dims,) or not ((spread >= 0.0) & (spread < 1e100)).all():
        raise InputError(
            f"phi must be finite numbers of at least 0, one for each of {n_dims} dimensions, got "
            f"{spread.tolist()}"
        )
    return spread
