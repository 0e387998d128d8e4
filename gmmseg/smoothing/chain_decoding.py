"""What a chain makes of log-densities: posteriors, the best path, expected transitions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain
from gmmseg.smoothing.chain_layout import safe_log
from gmmseg.smoothing.chain_passes import both_ways, check_path, check_table, in_double
from gmmseg.smoothing.chain_path_kernels import run_best, trace_back

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expectation:
    """Hold what forward and backward passes say of a table.

    Parameters
    ----------
    posteriors : ndarray of shape (n_frames, n_states)
        Probability of each state in each frame, given the whole table.
    log_likelihood : float
        Logarithm of the density of the table, in nats.
    transitions : ndarray of shape (n_states, n_states)
        Expected number of steps from state to state. Steps within the least length of a run, which
        are no choice, do not count.

    Examples
    --------
    >>> from gmmseg.smoothing import Chain
    >>> found = expected_transitions(np.zeros((5, 2)), Chain.of_durations([2, 2]))
    >>> found.transitions
    array([[1., 1.],
           [1., 1.]])
    """

    posteriors: NDArray[Any]
    log_likelihood: float
    transitions: Array


def forward_backward(log_densities: ArrayLike, chain: Chain) -> tuple[NDArray[Any], float]:
    """Return the probability of each state in each frame, given all frames.

    Nothing underflows: sums run over logarithms wherever their exponentials would be lost.

    Parameters
    ----------
    log_densities : array_like of shape (n_frames, n_states)
        Logarithm of the density of each frame in each state; -inf where a state is impossible.
        A number added to all of a frame changes the likelihood alone.
    chain : Chain
        How states follow one another.

    Returns
    -------
    posteriors : ndarray of shape (n_frames, n_states)
        ``posteriors[t, k] = p(state k in frame t | all frames)``, in the precision of the table.
    log_likelihood : float
        Logarithm of the density of the table.

    Raises
    ------
    InputError
        If the table has a wrong shape, NaN or +inf, or no path through the states is possible.

    References
    ----------
    Rabiner (1989), "A tutorial on hidden Markov models", equations 18 to 27,
    DOI 10.1109/5.18626.

    Examples
    --------
    >>> from gmmseg.smoothing import Chain
    >>> table = np.log([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
    >>> posteriors, _ = forward_backward(table, Chain.of_durations([10, 10]))
    >>> posteriors.argmax(axis=1)
    array([0, 0, 0])
    """
    return both_ways(check_table(log_densities, chain), chain.layout, np.empty(0))


def expected_transitions(log_densities: ArrayLike, chain: Chain) -> Expectation:
    """Return posteriors with the expected number of steps from state to state.

    Parameters
    ----------
    log_densities : array_like of shape (n_frames, n_states)
        As for `forward_backward`.
    chain : Chain
        How states follow one another.

    Returns
    -------
    expectation : Expectation
        Posteriors, log-likelihood and expected transitions, which sum to ``n_frames - 1`` less the
        steps that are no choice.

    Raises
    ------
    InputError
        As `forward_backward` does.

    References
    ----------
    Rabiner (1989), "A tutorial on hidden Markov models", equations 36 to 40,
    DOI 10.1109/5.18626.

    Examples
    --------
    Two frames that can be of the first state alone, then one of the second:

    >>> from gmmseg.smoothing import Chain
    >>> sure = [[0.0, -np.inf], [0.0, -np.inf], [-np.inf, 0.0]]
    >>> expected_transitions(sure, Chain.of_durations([10, 10])).transitions
    array([[1., 1.],
           [0., 0.]])
    """
    table, layout = check_table(log_densities, chain), chain.laid_out(has_all_links=True)
    counts = np.zeros(len(layout.backward.pairs))
    posteriors, log_likelihood = both_ways(table, layout, counts)
    pairs, transitions = layout.backward.pairs, np.zeros(chain.n_states**2)
    np.add.at(transitions, pairs[pairs >= 0], counts[pairs >= 0])
    return Expectation(posteriors, log_likelihood, transitions.reshape(chain.n_states, -1))


def expected_draws(log_densities: ArrayLike, chain: Chain) -> tuple[NDArray[Any], float, Array]:
    """Return posteriors and log-likelihood, and how often a sticky chain drew each state anew.

    In ``n_frames * n_states`` steps. The first frame is a draw; so is to draw the state again that
    the chain is in.

    Parameters
    ----------
    log_densities : array_like of shape (n_frames, n_states)
        As for `forward_backward`.
    chain : Chain
        One that `Chain.sticky` made.

    Returns
    -------
    posteriors, log_likelihood : ndarray of shape (n_frames, n_states), float
        As of `forward_backward`.
    draws : ndarray of shape (n_states,)
        Expected number of draws.

    Raises
    ------
    InputError
        As `forward_backward` does, and if the chain is not sticky.
    """
    table, layout = check_table(log_densities, chain), chain.layout
    if not len(layout.forward.give):
        raise InputError("chain must be one that Chain.sticky made, got other transitions")
    stays = np.zeros(len(layout.backward.pairs))
    posteriors, log_likelihood = both_ways(table, layout, stays)
    total = posteriors.sum(axis=0, dtype=np.float64)
    return posteriors, log_likelihood, np.maximum(total - stays, 0.0)


def viterbi(log_densities: ArrayLike, chain: Chain) -> tuple[NDArray[np.intp], float]:
    """Return the most likely path through the states.

    Parameters
    ----------
    log_densities : array_like of shape (n_frames, n_states)
        As for `forward_backward`.
    chain : Chain
        How states follow one another.

    Returns
    -------
    path : ndarray of int of shape (n_frames,)
        State of each frame. Of paths that are as likely, one.
    log_probability : float
        ``log start + sum of log transitions and log densities`` along the path.

    Raises
    ------
    InputError
        As `forward_backward` does.

    References
    ----------
    Rabiner (1989), "A tutorial on hidden Markov models", equations 32 to 35,
    DOI 10.1109/5.18626.

    Examples
    --------
    >>> from gmmseg.smoothing import Chain
    >>> table = np.log([[0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.1, 0.9]])
    >>> viterbi(table, Chain.of_durations([10, 10]))[0]
    array([0, 1, 1, 1])
    """
    table, layout = in_double(check_table(log_densities, chain)), chain.layout
    path = np.empty(len(table), dtype=np.intp)
    if not len(table):
        return path, 0.0
    ways_in = np.diff(layout.best.starts) + (len(layout.best.give) > 0)
    columns = np.where(ways_in > 1, np.cumsum(ways_in > 1) - 1, -1)
    kind = np.min_scalar_type(len(columns) - 1)
    pointers = np.empty((len(table) - 1, columns.max() + 1), dtype=kind)
    best = safe_log(layout.start)
    offset, n_done = run_best(table, layout, columns, best, pointers)
    check_path(n_done, len(table))
    trace_back(pointers, layout, columns, int(best.argmax()), path)
    return path, float(offset + best.max())
