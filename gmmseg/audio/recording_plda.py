"""A PLDA of foreign embeddings, learned from one recording before anyone knows who speaks in it.

What lies next to each other in time is often one voice: so the nearer half of all neighbours tells
how a voice varies, and what varies more than that over the recording is taken for speakers.
"""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.plda import PLDA
from gmmseg.audio.plda_fit import whitening
from gmmseg.audio.recording_scale import neighbour_variances
from gmmseg.audio.speech_windows import SpeechWindows

Array = NDArray[np.float64]

MOST_DIMS = 24
WINDOWS_PER_DIM = 4
LEAST_SHARE, MOST_SHARE = 0.05, 0.95  # of the variance within speakers


def plda_of_recording(embeddings: Array, windows: SpeechWindows) -> PLDA:
    """Return the PLDA in whose space neighbours vary by 1 in each principal direction.

    With ``w_j`` the variance of the nearer half of neighbours, and 1 the whole, speakers vary by
    ``phi_j = (1 - w_j) / w_j``.

    Parameters
    ----------
    embeddings : ndarray of shape (n_windows, n_features)
        Windows in order of time.
    windows : SpeechWindows
        Where they lie.

    Returns
    -------
    plda : PLDA
        Of as many dimensions as the number of windows allows, 24 at most.
    """
    center = embeddings.mean(axis=0)
    n_dims = max(1, min(MOST_DIMS, len(embeddings) // WINDOWS_PER_DIM, embeddings.shape[1]))
    deviations = embeddings - center
    if not deviations.any():  # one window, or copies: nothing tells speakers apart
        n_dims = 1
        projection = np.eye(len(center), 1)
    else:
        projection = whitening(deviations, n_dims)
    inner = deviations @ projection
    within = np.full(inner.shape[1], 0.5)
    variances = neighbour_variances(inner, windows)
    if len(variances):
        order = np.argsort(variances.sum(axis=1), kind="stable")
        within = variances[order[: (len(order) + 1) // 2]].mean(axis=0)
    within = np.clip(within, LEAST_SHARE, MOST_SHARE)
    phi = (1.0 - within) / within
    order = np.argsort(-phi, kind="stable")
    transform = np.diag(1.0 / np.sqrt(within))[:, order]
    return PLDA(center, projection, np.zeros(len(within)), transform, phi[order])
