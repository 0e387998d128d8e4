"""How far windows of one voice lie apart in this very recording, before anyone knows who speaks.

Noise brings voices nearer to each other, lively speech drives the windows of one voice apart, both
more than speakers differ in it. Windows that overlap with the next are mostly one voice, and tell.
"""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.speech_windows import SpeechWindows

TYPICAL = 1.4  # of made conversations of speakers that the prior has not heard
TYPICAL_COUNT = 8.0  # pairs that the typical scale counts as
KEPT = 0.8  # of the variance that independent frames would leave between overlapping windows


def neighbour_variances(
    embeddings: NDArray[np.float64], windows: SpeechWindows
) -> NDArray[np.float64]:
    """Return the variance of one voice that each pair of overlapping windows is a sight of.

    ``(x - y)**2 / 2`` in each dimension, over the share of that which windows without overlap
    would show: were frames independent, what the two have not in common.

    Parameters
    ----------
    embeddings : ndarray of shape (n_windows, n_dims)
        Windows in order of time.
    windows : SpeechWindows
        Where they lie.

    Returns
    -------
    variances : ndarray of shape (n_pairs, n_dims)
        Variances; pairs in order of time.
    """
    left, apart = windows.neighbours()
    squared = (embeddings[left] - embeddings[left + 1]) ** 2
    return squared / (2.0 * KEPT * apart[:, np.newaxis])


def within_scale(embeddings: NDArray[np.float64], windows: SpeechWindows) -> float:
    """Return the variance of windows of one voice, as a multiple of what the prior says.

    The median over pairs of windows that overlap; with few pairs it is drawn towards what is
    typical.

    Parameters
    ----------
    embeddings : ndarray of shape (n_windows, n_dims)
        Windows, in a space where the variance within speakers is 1.
    windows : SpeechWindows
        Where they lie.

    Returns
    -------
    scale : float
        Above 0.
    """
    variances = neighbour_variances(embeddings, windows).mean(axis=1)
    if not len(variances):
        return TYPICAL
    middle = max(float(np.median(variances)), 1e-6)  # copies of one sound lie nowhere apart
    weight = len(variances) / (len(variances) + TYPICAL_COUNT)
    return float(middle**weight * TYPICAL ** (1.0 - weight))
