"""The noise under a sound, tracked by minimum statistics: speech pauses, noise does not."""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import Framing
from gmmseg.audio.mel import mel_filters
from gmmseg.audio.spectrum import decibels

SMOOTHING = 0.090  # seconds over which the power is averaged before its minimum is taken
PAST = 1.5  # seconds: longer than voices go without a pause
AHEAD = 0.3  # seconds: what is known about the start of a sound before it is judged


class NoiseFloor:
    """Minimum statistics of the bands of a log-mel spectrum (Martin 2001).

    Parameters
    ----------
    framing : Framing
        How the frames lie.
    n_mels : int
        Number of bands.
    past, ahead : float
        How far the minimum looks either way, in seconds.

    Attributes
    ----------
    before, after : int
        Frames on either side that the floor of a frame depends on.
    """

    def __init__(
        self, framing: Framing, *, n_mels: int, past: float = PAST, ahead: float = AHEAD
    ) -> None:
        rate = framing.sr / framing.hop_length
        self._half = round(0.5 * SMOOTHING * rate)
        self._past, self._ahead = round(past * rate), round(ahead * rate)
        self._bias = _bias(framing, n_mels, 2 * self._half + 1, self._past + self._ahead + 1)
        self.before, self.after = self._past + self._half, self._ahead + self._half

    def track(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the level of the noise in every band (n_frames, n_mels), in dB."""
        from scipy.ndimage import minimum_filter1d, uniform_filter1d

        power = np.exp(log_mel * np.float32(math.log(10.0) / 10.0))
        smooth = uniform_filter1d(power, 2 * self._half + 1, axis=0, mode="nearest")
        size = self._past + self._ahead + 1
        # scipy looks `size // 2` frames back; `origin` adds what is missing to `past`.
        origin = self._past - size // 2
        least = minimum_filter1d(smooth, size, axis=0, mode="constant", cval=np.inf, origin=origin)
        return decibels(least) + self._bias


@functools.lru_cache(maxsize=16)
def _bias(framing: Framing, n_mels: int, n_smoothed: int, n_searched: int) -> NDArray[np.float32]:
    """Return by how many dB the minimum of white noise lies below its mean, for every band.

    The least of n independent normal values lies ``sqrt(2 log n)`` standard deviations below their
    mean; averages over S frames count as two independent ones per S frames.
    """
    n_independent = max(2.0 * n_searched / n_smoothed, 1.0)
    spread = np.sqrt(_variance_in_band(framing, n_mels) * _variance_left(framing, n_smoothed))
    bias = 10.0 / math.log(10.0) * spread * math.sqrt(2.0 * math.log(n_independent))
    return bias.astype(np.float32)


def _hann(n_samples: int) -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_samples) / n_samples)


def _variance_in_band(framing: Framing, n_mels: int) -> NDArray[np.float64]:
    """Return variance over squared mean of the power of white noise in every band, in one frame.

    Two bins of a windowed spectrum correlate as the transform of the squared window at their
    distance; the power correlates as the square of that.
    """
    filters = mel_filters(framing.sr, framing.n_fft, n_mels).astype(np.float64)
    squared = _hann(framing.win_length) ** 2
    overlap = np.abs(np.fft.rfft(squared, framing.n_fft) / squared.sum()) ** 2
    reach = 4 * framing.n_fft // framing.win_length  # beyond, the transform has vanished
    variance = overlap[0] * (filters**2).sum(axis=1)
    for distance in range(1, min(reach, filters.shape[1] - 1) + 1):
        products = (filters[:, distance:] * filters[:, :-distance]).sum(axis=1)
        variance += 2.0 * overlap[distance] * products
    return variance / filters.sum(axis=1) ** 2


def _variance_left(framing: Framing, n_smoothed: int) -> float:
    """Return the share of the variance that averaging over frames that overlap leaves."""
    window = _hann(framing.win_length)
    left = 1.0 / n_smoothed
    for distance in range(1, n_smoothed):
        shift = distance * framing.hop_length
        if shift >= framing.win_length:
            break
        overlap = float(window[shift:] @ window[:-shift] / (window @ window)) ** 2
        left += 2.0 * (n_smoothed - distance) / n_smoothed**2 * overlap
    return left
