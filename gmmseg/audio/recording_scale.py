"""How far windows of one voice lie apart in this very recording, before anyone knows who speaks.

Noise brings voices nearer to each other, lively speech drives the windows of one voice apart, both
more than speakers differ in it. What lies next to each other is mostly one voice, and tells.
"""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.speech_windows import SpeechWindows

TYPICAL = 1.25  # of made conversations of speakers that the prior has not heard
TYPICAL_COUNT = 8.0  # pairs that the typical scale counts as


def within_scale(embeddings: NDArray[np.float64], windows: SpeechWindows) -> float:
    """Return the variance of windows of one voice, as a multiple of what the prior says.

    The median, over pairs of windows next to each other without overlap, of
    ``|x - y|**2 / (2 n_dims)``; with few pairs it is drawn towards what is typical.

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
    left, right = windows.neighbours()
    apart = ((embeddings[left] - embeddings[right]) ** 2).mean(axis=1) / 2.0
    if not len(apart):
        return TYPICAL
    middle = max(float(np.median(apart)), 1e-6)  # copies of one sound lie nowhere apart
    weight = len(apart) / (len(apart) + TYPICAL_COUNT)
    return float(middle**weight * TYPICAL ** (1.0 - weight))
