"""A window of speech as one vector: where the means of a background mixture move to in it."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.speech_windows import SpeechWindows
from gmmseg.core.estep import responsibilities
from gmmseg.core.parameters import MixtureParameters

RELEVANCE = 8.0  # frames that the background counts as, in each component
WINDOWS_AT_ONCE = 256  # sums run over the frames of so many


def supervectors(
    features: NDArray[np.float32],
    windows: SpeechWindows,
    background: MixtureParameters,
    *,
    relevance_factor: float = RELEVANCE,
) -> NDArray[np.float64]:
    """Return the shifts of all means that adaptation to each window would bring.

    With ``n`` frames of a window in component ``k`` and the sum ``f`` of their deviations from its
    mean, the shift is ``f / (n + relevance_factor)``; it is measured in deviations of the component
    and weighed by the root of its share, so that squared distances are about divergences.

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        Frames.
    windows : SpeechWindows
        Where the windows lie.
    background : MixtureParameters
        Mixture of the frames of many speakers, of diagonal covariances.
    relevance_factor : float
        Number of frames that the background counts as, in each component.

    Returns
    -------
    supervectors : ndarray of shape (n_windows, n_components * n_features)
        Shifts, component by component.

    References
    ----------
    Campbell, Sturim, Reynolds (2006), "Support vector machines using GMM supervectors for speaker
    verification", equation 5, DOI 10.1109/LSP.2006.870086.
    """
    table = np.zeros((len(windows), background.means.size))
    for first in range(0, len(windows), WINDOWS_AT_ONCE):
        some = slice(first, first + WINDOWS_AT_ONCE)
        starts, ends = windows.starts[some], windows.ends[some]
        frames = np.ascontiguousarray(features[starts[0] : ends.max()], dtype=np.float64)
        count, shift = _sums(frames, starts - starts[0], ends - starts[0], background)
        scale = np.sqrt(background.weights[:, np.newaxis] / background.component_covariances)
        moved = scale * shift / (count + relevance_factor)[:, :, np.newaxis]
        table[some] = moved.reshape(len(moved), -1)
    return table


def _sums(
    frames: NDArray[np.float64],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    background: MixtureParameters,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``sum_t r_tk`` and ``sum_t r_tk (x_t - mean_k)`` of each window."""
    resp = responsibilities(frames, background)
    count = _differences(resp, starts, ends)
    parts = [
        _differences(resp[:, [k]] * (frames - mean), starts, ends)
        for k, mean in enumerate(background.means)
    ]
    return count, np.stack(parts, axis=1)


def _differences(
    rows: NDArray[np.float64], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the sums of rows from starts to ends."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), rows.cumsum(axis=0)])
    return sums[ends] - sums[starts]
