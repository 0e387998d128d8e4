"""What a chain makes of log-densities: posteriors, the best path, expected transitions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain
from gmmseg.smoothing.chain_kernels import run_backward, run_forward
from gmmseg.smoothing.chain_layout import KernelChain, safe_log
from gmmseg.smoothing.chain_path_kernels import run_best, trace_back

Array = NDArray[np.float64]

BLOCK_NUMBERS = 2**22  # of the forward pass, that are held at once: 32 MB


@dataclass(frozen=True, eq=False)
class Expectation:
    """Hold what forward and backward passes say of a table.

    Parameters
    ----------
    posteriors : ndarray of shape (n_frames, n_states)
        Probability of each state in each frame, given the whole table.
    log_likelihood : float
        Logarithm of the density of the table.
    transitions : ndarray of shape (n_states, n_states)
        Expected number of steps from state to state. Steps within the least length of a run, which
        are no choice, do not count.
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
    >>> from gmmseg.smoothing.chain import Chain
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
    >>> from gmmseg.smoothing.chain import Chain
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


def both_ways(
    table: NDArray[Any], layout: KernelChain, counts: Array
) -> tuple[NDArray[Any], float]:
    """Return posteriors and log-likelihood of a checked table; add to the counts of links.

    The forward pass is held for some frames at once, and made again for those before.
    """
    out = np.empty(table.shape, dtype=table.dtype)
    if not len(table):
        return out, 0.0
    n_copies = len(layout.start)
    size = max(1, BLOCK_NUMBERS // n_copies)
    alphas = np.empty((min(size, len(table)), n_copies))
    blocks = [slice(first, first + size) for first in range(0, len(table), size)]
    ahead, before, log_likelihood = layout.start.copy(), [], 0.0
    for block in blocks:
        before.append(ahead.copy())
        part = in_double(table[block])
        offset, n_done = run_forward(part, layout, ahead, alphas)
        check_path(n_done, len(part), first=block.start)
        log_likelihood += offset
    log_likelihood += float(np.log(np.maximum(alphas[n_done - 1], 0.0).sum()))
    behind, after = np.ones(n_copies), np.zeros(n_copies)
    for i, block in reversed(list(enumerate(blocks))):
        if i < len(blocks) - 1:
            part = in_double(table[block])
            run_forward(part, layout, before[i], alphas)
        posteriors = in_double(out[block])  # the part itself, or one to be copied there
        run_backward(part, alphas, layout, behind, after, posteriors, counts)
        if posteriors.base is not out:
            out[block] = posteriors
    return out, log_likelihood


def in_double(table: NDArray[Any]) -> Array:
    """Return a table as the kernels are compiled for it: float64, C-ordered, not read-only."""
    return np.require(table, np.float64, ["C", "W"])


def check_table(log_densities: ArrayLike, chain: Chain) -> NDArray[Any]:
    """Return the table as float32 or float64; -inf may be in it."""
    try:
        table = np.asarray(log_densities)
        table = table if table.dtype in (np.float32, np.float64) else table.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"log_densities must be a table of numbers, got something else: {error}"
        ) from None
    if table.ndim != 2 or table.shape[1] != chain.n_states:
        raise InputError(
            f"log_densities must have shape (n_frames, {chain.n_states}) as the chain has "
            f"{chain.n_states} states, got {table.shape}"
        )
    if len(table) and not table.max() < np.inf:
        is_bad = ~(table < np.inf).all(axis=1)
        raise InputError(
            f"log_densities has NaN or +inf in {is_bad.sum()} of {len(table)} frames, first in "
            f"frame {is_bad.argmax()}"
        )
    return table


def check_path(n_done: int, n_frames: int, *, first: int = 0) -> None:
    """Raise InputError where the forward pass came to an end before the frames did."""
    if n_done < n_frames:
        raise InputError(
            f"no path through the states is possible from frame {first + n_done} on: each has a "
            "density of 0 there, or cannot be reached; let impossible ones be unlikely"
        )
