"""Slivers: a few frames of one speaker at the edge of another's stretch of speech.

A chain whose turns have a least length lets them run through silence, and so a turn may reach a
little into the speech after a pause, where it is nobody's.
"""

import numpy as np
from numpy.typing import NDArray

SHORTEST = 20  # frames: what is shorter is no turn


def without_slivers(labels: NDArray[np.intp], *, shortest: int = SHORTEST) -> NDArray[np.intp]:
    """Return labels in which no short run touches the edge of a stretch of speech.

    Such a run gets the label of the run beside it, unless it is all that its speaker has.

    Parameters
    ----------
    labels : ndarray of int of shape (n_frames,)
        Speaker of each frame, numbered from 1; 0 where nobody speaks.
    shortest : int
        Number of frames from which on a run is a turn.

    Returns
    -------
    labels : ndarray of int of shape (n_frames,)
        The same but for slivers.
    """
    bounds = np.flatnonzero(np.diff(labels, prepend=labels[:1] - 1, append=0))
    bounds = np.append(bounds[bounds < len(labels)], len(labels))
    lengths, owners = np.diff(bounds), labels[bounds[:-1]].copy()
    totals = np.bincount(owners, lengths)
    for i in range(len(owners)):
        before = owners[i - 1] if i else 0
        after = owners[i + 1] if i + 1 < len(owners) else 0
        is_at_edge = (before == 0) != (after == 0)
        is_all = totals[owners[i]] == lengths[i]
        if owners[i] and lengths[i] < shortest and is_at_edge and not is_all:
            totals[owners[i]] -= lengths[i]
            owners[i] = before or after
            totals[owners[i]] += lengths[i]
    return owners.repeat(lengths)
