"""The layout of a chain for its kernels: copies of states, and links that say what leads where.

A state whose runs have a least length is a row of copies that share its density: a run walks
through all of them and may stay in the last. Without such lengths there is one copy per state.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.intp]

ROUNDING = 1e-14  # by which numbers that were meant to be the same may differ


class Links(NamedTuple):
    """Who hands over to whom: ``total_j = sum_(i to j) p_ij w_i + take_j sum_i give_i w_i``.

    The second sum is the part that all takers have in common, if there is any.
    """

    starts: Any  # (n_copies + 1,): the links that lead into j are those from starts[j] on
    others: Any  # (n_links,): where each of them comes from
    probabilities: Any  # (n_links,)
    logs: Any  # (n_links,): their logarithms
    pairs: Any  # (n_links,): n_states * source + target of a free choice, -1 where there is none
    give: Any  # (n_copies,), or (0,) without a common part
    log_give: Any
    take: Any  # (n_copies,), or (0,)
    log_take: Any


class KernelChain(NamedTuple):
    """A chain as the kernels want it."""

    start: Any  # (n_copies,): probabilities
    states: Any  # (n_copies,): whose density each copy has
    forward: Links  # from the frame before
    backward: Links  # from the frame after
    best: Links  # from the frame before, as the best path has it


class _Table(NamedTuple):
    """All links, in any order."""

    sources: Whole
    targets: Whole
    probabilities: Array
    pairs: Whole


def kernel_chain(
    transitions: Array, start: Array, least_frames: Whole, *, has_all_links: bool = False
) -> KernelChain:
    """Return the layout of a chain; a common part is apart, unless all links are wanted."""
    last = np.cumsum(least_frames) - 1
    first = last - least_frames + 1
    starts = np.zeros(int(last[-1]) + 1)
    starts[first] = start
    is_plain = len(starts) == len(start) and not has_all_links
    parts = sticky_parts(transitions) if is_plain else None
    if parts is None:
        table, enter = _table_of(transitions, first, last), np.empty(0)
    else:
        loop, enter = parts
        every = np.arange(len(start))
        table = _Table(every, every, loop, every * (len(start) + 1))
    ones, reverse = np.ones(len(enter)), _Table(table.targets, table.sources, *table[2:])
    forward = _links(table, ones, enter, len(starts))
    # Who stays may do so by the common part as well, and a path takes both ways as one.
    stays = forward.logs if parts is None else safe_log(transitions.diagonal())
    return KernelChain(
        starts,
        np.repeat(np.arange(len(start)), least_frames),
        forward,
        _links(reverse, enter, ones, len(starts)),
        forward._replace(logs=stays),
    )


def sticky_parts(transitions: Array) -> tuple[Array, Array] | None:
    """Return (loop, enter) of transitions that are ``diag(loop) + 1 enter^T``, None of others.

    Then all copies that change go where they go by the same chances, and one sum serves all.
    """
    is_change = ~np.eye(len(transitions), dtype=bool)
    enter = np.where(is_change, transitions, 0.0).max(axis=0)
    loop = transitions.diagonal() - enter
    differs = np.abs(transitions - enter) > ROUNDING * enter
    if (differs & is_change).any() or loop.min() < -ROUNDING:
        return None
    return np.maximum(loop, 0.0), enter


def safe_log(values: Array) -> Array:
    """Return the logarithm, -inf of 0."""
    with np.errstate(divide="ignore"):
        return np.log(values)


def _table_of(transitions: Array, first: Whole, last: Whole) -> _Table:
    """Return the links of all copies: through each row of them, and from its end to any start."""
    source, target = np.nonzero(transitions)
    forced = np.setdiff1d(np.arange(last[-1] + 1), last)
    return _Table(
        np.append(last[source], forced),
        np.append(np.where(source == target, last[target], first[target]), forced + 1),
        np.append(transitions[source, target], np.ones(len(forced))),
        np.append(len(transitions) * source + target, np.full(len(forced), -1)),
    )


def _links(table: _Table, give: Array, take: Array, n_copies: int) -> Links:
    """Sort links by where they lead."""
    order = np.lexsort((table.sources, table.targets))
    counts = np.bincount(table.targets, minlength=n_copies)
    probabilities = table.probabilities[order]
    return Links(
        np.append(0, np.cumsum(counts)),
        table.sources[order],
        probabilities,
        safe_log(probabilities),
        table.pairs[order],
        give,
        safe_log(give),
        take,
        safe_log(take),
    )
