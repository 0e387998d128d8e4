"""The passes over a checked table of log-densities, in memory that does not grow with the chain."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain
from gmmseg.smoothing.chain_kernels import run_backward, run_forward
from gmmseg.smoothing.chain_layout import KernelChain

Array = NDArray[np.float64]

BLOCK_NUMBERS = 2**22  # of the forward pass, that are held at once: 32 MB


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
        posteriors = np.empty(part.shape)
        run_backward(part, alphas, layout, behind, after, posteriors, counts)
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
