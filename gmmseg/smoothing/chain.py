"""The chain: a hidden Markov model, so that what follows one another in time is likely alike."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import as_numbers, check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.chain_layout import KernelChain, kernel_chain

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chain:
    """Hold how states follow one another from frame to frame: frozen, checked when made.

    Parameters
    ----------
    transitions : array_like of shape (n_states, n_states)
        ``transitions[i, j]`` is the probability of state j in the frame after one of state i: rows
        sum to 1.
    start : array_like of shape (n_states,)
        Probabilities of the states in the first frame, summing to 1.
    least_frames : array_like of int of shape (n_states,), optional
        Number of frames that a run of each state lasts at least; 1 if None. See `minimum_duration`.

    Raises
    ------
    InputError
        If shapes do not fit together, a probability is negative or not finite, or sums are not 1.

    Notes
    -----
    Transitions of the form ``loop I + (1 - loop) 1 weights^T`` (`Chain.sticky`) are recognised, and
    cost ``n_frames * n_states``; others cost as many steps as there are transitions above 0.

    Examples
    --------
    >>> coin = Chain([[0.9, 0.1], [0.2, 0.8]], [0.5, 0.5])
    >>> coin.n_states
    2
    """

    transitions: Array
    start: Array
    least_frames: NDArray[np.intp] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Convert, check and freeze the arrays."""
        start = as_numbers(self.start, "start")
        transitions = as_numbers(self.transitions, "transitions")
        n_states = len(start) if start.ndim == 1 else 0
        if n_states == 0:
            raise InputError(f"start must have shape (n_states,), got {start.shape}")
        if transitions.shape != (n_states, n_states):
            raise InputError(
                f"transitions must have shape ({n_states}, {n_states}) as start has {n_states} "
                f"states, got {transitions.shape}"
            )
        _check_shares(start[np.newaxis], "start")
        _check_shares(transitions, "rows of transitions")
        least = _whole_frames(1 if self.least_frames is None else self.least_frames, n_states)
        for name, array in (
            ("start", start),
            ("transitions", transitions),
            ("least_frames", least),
        ):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of_durations(cls, mean_frames: ArrayLike, *, weights: ArrayLike | None = None) -> "Chain":
        """Return the chain whose runs last so many frames on average.

        Parameters
        ----------
        mean_frames : array_like of shape (n_states,)
            Mean number of frames that a run of each state lasts, at least 1.
        weights : array_like of shape (n_states,), optional
            How often each state is the one that comes next, in proportion; all alike if None.

        Returns
        -------
        chain : Chain
            It starts as if it had been running for long.

        Raises
        ------
        InputError
            If a length is below 1, or a weight not above 0.

        Examples
        --------
        >>> Chain.of_durations([10, 40]).transitions
        array([[0.9  , 0.1  ],
               [0.025, 0.975]])
        """
        mean = as_numbers(mean_frames, "mean_frames")
        if mean.ndim != 1 or not len(mean) or not (np.isfinite(mean) & (mean >= 1.0)).all():
            raise InputError(
                "mean_frames must be numbers of at least 1, one for each state, "
                f"got {mean.tolist()}"
            )
        if len(mean) == 1:
            return cls(np.ones((1, 1)), np.ones(1))
        shares = _positive_shares(np.ones(len(mean)) if weights is None else weights, len(mean))
        rest = shares.sum() - shares
        transitions = shares / (mean * rest)[:, np.newaxis]
        np.fill_diagonal(transitions, 1.0 - 1.0 / mean)
        # In balance: start_i transitions_ij = start_j transitions_ji.
        start = shares * rest * mean
        return cls(transitions, start / start.sum())

    @classmethod
    def sticky(cls, loop_probability: float, weights: ArrayLike) -> "Chain":
        """Return the chain that stays by ``loop_probability`` and else draws a state anew.

        ``transitions = loop I + (1 - loop) 1 weights^T``, ``start = weights``: a chain of many
        states with few parameters, in which a state of weight 0 is switched off.

        Parameters
        ----------
        loop_probability : float
            From 0 to 1.
        weights : array_like of shape (n_states,)
            Probabilities of the states where one is drawn, summing to 1.

        Returns
        -------
        chain : Chain
            The chain.

        Raises
        ------
        InputError
            If a probability cannot be used.

        Examples
        --------
        >>> Chain.sticky(0.5, [0.5, 0.5]).transitions
        array([[0.75, 0.25],
               [0.25, 0.75]])
        """
        check_number("loop_probability", loop_probability, least=0)
        if loop_probability > 1:
            raise InputError(f"loop_probability must be at most 1, got {loop_probability}")
        start = as_numbers(weights, "weights")
        loops = loop_probability * np.eye(start.size)
        return cls(loops + (1.0 - loop_probability) * start.reshape(1, -1), start)

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.start)

    @cached_property
    def layout(self) -> KernelChain:
        """The chain as its kernels want it."""
        return self.laid_out()

    def laid_out(self, *, has_all_links: bool = False) -> KernelChain:
        """Return the chain as its kernels want it, each transition a link of its own if asked."""
        assert self.least_frames is not None
        return kernel_chain(
            self.transitions, self.start, self.least_frames, has_all_links=has_all_links
        )


def minimum_duration(chain: Chain, frames: int | ArrayLike) -> Chain:
    """Return the chain with runs that last at least so many frames.

    Each state becomes a row of copies that share one density; a run walks through all of them
    before it may end. Posteriors and paths are of states as before. The last run of a table may be
    shorter: it is cut by the end, and how long it would have gone on is not known.

    Parameters
    ----------
    chain : Chain
        The chain. The transitions count from where a run may end: its mean length grows by the
        least one, less 1.
    frames : int, or array_like of int of shape (n_states,)
        Least number of frames of a run, at least 1; for all states or for each.

    Returns
    -------
    chain : Chain
        The chain with these least lengths.

    Raises
    ------
    InputError
        If frames are not whole numbers of at least 1.

    Examples
    --------
    >>> minimum_duration(Chain.of_durations([10, 10]), 3).least_frames
    array([3, 3])
    """
    return replace(chain, least_frames=_whole_frames(frames, chain.n_states))


def _whole_frames(frames: int | ArrayLike, n_states: int) -> NDArray[np.intp]:
    """Return least lengths, one for each state, checked."""
    given = as_numbers(frames, "least frames")
    if given.ndim == 0:
        given = np.full(n_states, given)
    if given.shape != (n_states,) or not ((given >= 1) & (given % 1 == 0) & (given < 1e6)).all():
        raise InputError(
            "the least frames of runs must be a whole number from 1 to a million, or one for each "
            f"of {n_states} states, got {given.tolist()}"
        )
    return given.astype(np.intp)


def _positive_shares(weights: ArrayLike, n_states: int) -> Array:
    shares = as_numbers(weights, "weights")
    if shares.shape != (n_states,) or not (np.isfinite(shares) & (shares > 0.0)).all():
        raise InputError(
            f"weights must be numbers above 0, one for each of {n_states} states, "
            f"got {shares.tolist()}"
        )
    return shares / shares.sum()


def _check_shares(rows: Array, name: str) -> None:
    """Raise InputError unless each row is at least 0 and sums to 1."""
    is_good = (rows >= 0.0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1.0) <= 1e-6)
    if not is_good.all():
        raise InputError(
            f"{name} must be at least 0 and sum to 1, got {rows[is_good.argmin()].tolist()}; "
            "divide by the sum"
        )
