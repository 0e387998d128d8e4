"""The fixed-lag filter: posteriors of frames as they come, a little late and so the wiser."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.smoothing.chain import Chain
from gmmseg.smoothing.chain_kernels import run_backward, run_forward, run_lagged
from gmmseg.smoothing.chain_passes import check_path, check_table, in_double


class FixedLagFilter:
    """Return the probability of each state in each frame, given the frames up to `lag` later.

    Blocks may be cut anywhere: what comes out in all is the same to the last bit. With a lag as
    long as the table it is what `forward_backward` returns.

    Parameters
    ----------
    chain : Chain
        How states follow one another.
    lag : int
        Number of frames by which the answer is late, at least 0.

    Raises
    ------
    InputError
        If the lag is not a whole number of at least 0.

    Examples
    --------
    >>> from gmmseg.smoothing import Chain
    >>> stream = FixedLagFilter(Chain.of_durations([10, 10]), lag=2)
    >>> blocks = [stream.push(np.zeros((n, 2))) for n in (1, 4, 3)]
    >>> [len(block) for block in blocks], len(stream.finish())
    ([0, 3, 3], 2)
    """

    def __init__(self, chain: Chain, lag: int) -> None:
        check_number("lag", lag, least=0, is_whole=True)
        self.chain = chain
        self.lag = lag
        self._begin()

    def _begin(self) -> None:
        """Forget all frames."""
        self.n_seen = 0
        self._ahead = self.chain.layout.start.copy()
        self._table = np.empty((0, self.chain.n_states))
        self._alphas = np.empty((0, len(self._ahead)))

    def push(self, log_densities: ArrayLike) -> NDArray[Any]:
        """Take the next frames and return the posteriors of those that have waited long enough.

        Parameters
        ----------
        log_densities : array_like of shape (n_frames, n_states)
            As for `forward_backward`; any number of frames, also none.

        Returns
        -------
        posteriors : ndarray of shape (n_ready, n_states)
            Of the frames that come next, up to the one `lag` before the last seen; in the precision
            of the block.

        Raises
        ------
        InputError
            As `forward_backward` does. The filter is then as it was before.
        """
        given = check_table(log_densities, self.chain)
        block = in_double(given)
        alphas, ahead = np.empty((len(block), len(self._ahead))), self._ahead.copy()
        _, n_done = run_forward(block, self.chain.layout, ahead, alphas)
        check_path(n_done, len(block), first=self.n_seen)
        table = np.concatenate([self._table, block])
        alphas = np.concatenate([self._alphas, alphas])
        n_ready = max(0, len(table) - self.lag)
        out = np.empty((n_ready, self.chain.n_states))
        run_lagged(table, alphas, self.chain.layout, self.lag, out)
        self.n_seen += len(block)
        self._ahead = ahead
        self._table, self._alphas = table[n_ready:].copy(), alphas[n_ready:].copy()
        return out.astype(given.dtype, copy=False)

    def finish(self) -> NDArray[Any]:
        """Return the posteriors of the frames that still wait; the filter may start anew."""
        out = np.empty((len(self._table), self.chain.n_states))
        behind = np.ones(self._alphas.shape[1])
        after = np.empty_like(behind)
        run_backward(self._table, self._alphas, self.chain.layout, behind, after, out, np.empty(0))
        self._begin()
        return out


def fixed_lag(log_densities: ArrayLike, chain: Chain, *, lag: int) -> NDArray[Any]:
    """Return the probability of each state in each frame, given the frames up to `lag` later.

    It is what a `FixedLagFilter` makes of a whole table.

    Parameters
    ----------
    log_densities : array_like of shape (n_frames, n_states)
        As for `forward_backward`.
    chain : Chain
        How states follow one another.
    lag : int
        Number of frames by which the answer is late, at least 0.

    Returns
    -------
    posteriors : ndarray of shape (n_frames, n_states)
        ``posteriors[t, k] = p(state k in frame t | frames 0 to t + lag)``, in the precision of the
        table.

    Raises
    ------
    InputError
        As `forward_backward` does, and if the lag is not a whole number of at least 0.

    Examples
    --------
    At the second frame alone the other state looks likelier; the third frame says otherwise:

    >>> from gmmseg.smoothing import Chain
    >>> table, chain = np.log([[0.9, 0.1], [0.05, 0.95], [0.9, 0.1]]), Chain.of_durations([10, 10])
    >>> fixed_lag(table, chain, lag=0).argmax(axis=1), fixed_lag(table, chain, lag=1).argmax(axis=1)
    (array([0, 1, 0]), array([0, 0, 0]))
    """
    stream = FixedLagFilter(chain, lag)
    first = stream.push(log_densities)
    return np.concatenate([first, stream.finish().astype(first.dtype)])
