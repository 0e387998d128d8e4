"""Learning a chain: transitions from tables of log-densities, by expectation and maximisation."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain
from gmmseg.smoothing.chain_decoding import expected_transitions


def learn_chain(
    tables: Sequence[ArrayLike],
    chain: Chain,
    *,
    prior_frames: float = 0.0,
    max_iter: int = 20,
    tol: float = 1e-3,
) -> tuple[Chain, tuple[float, ...]]:
    """Return the chain that makes tables most likely, and their log-likelihood in every round.

    Densities stay as they are; a transition of probability 0 stays 0.

    Parameters
    ----------
    tables : sequence of array_like of shape (n_frames, n_states)
        Log-densities, one table for each recording.
    chain : Chain
        The chain to start from. Its least lengths of runs are kept.
    prior_frames : float
        Number of frames, in each state, and of first frames, that the given chain counts as.
    max_iter : int
        Largest number of rounds, at least 1.
    tol : float
        Gain of the log-likelihood at which the rounds end, in nats.

    Returns
    -------
    learned : Chain
        The chain.
    log_likelihoods : tuple of float
        Log-likelihood of all tables before each round. Without a prior it never falls.

    Raises
    ------
    InputError
        If there is no table, one cannot be used, or an option cannot.

    References
    ----------
    Rabiner (1989), "A tutorial on hidden Markov models", equation 40, DOI 10.1109/5.18626.

    Examples
    --------
    >>> table = np.log([[0.9, 0.1]] * 9 + [[0.1, 0.9]] * 9)
    >>> learned, _ = learn_chain([table], Chain.of_durations([2, 2]))
    >>> (learned.transitions.diagonal() > 0.8).all()
    np.True_
    """
    check_number("prior_frames", prior_frames, least=0)
    check_number("max_iter", max_iter, least=1, is_whole=True)
    check_number("tol", tol, least=0)
    if not len(tables):
        raise InputError("tables must hold at least one table of log-densities, got none")
    found: list[float] = []
    learned = chain
    while len(found) < max_iter:
        steps, starts = prior_frames * chain.transitions, prior_frames * chain.start
        total = 0.0
        for table in tables:
            expectation = expected_transitions(table, learned)
            steps = steps + expectation.transitions
            starts = starts + expectation.posteriors[:1].sum(axis=0, dtype=np.float64)
            total += expectation.log_likelihood
        found.append(total)
        if len(found) > 1 and found[-1] - found[-2] < tol:
            break
        learned = replace(
            learned,
            transitions=_shares(steps, learned.transitions),
            start=_shares(starts[np.newaxis], learned.start[np.newaxis])[0],
        )
    return learned, tuple(found)


def _shares(counts: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row of counts divided by its sum, as before where nothing was counted."""
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0.0, counts / np.where(total > 0.0, total, 1.0), before)
