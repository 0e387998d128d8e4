"""Bands as the ear has them: mel filters, the log-mel spectrum and its cepstrum (MFCC)."""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import Framing
from gmmseg.audio.spectrum import decibels
from gmmseg.errors import InputError

# Slaney's scale (Auditory Toolbox, 1998): 3 mel per 200 Hz up to 1000 Hz, 27 mel per factor of 6.4
# above.
_MEL_PER_HERTZ = 3.0 / 200.0
_BEND = 1000.0
_MEL_PER_LOG = 27.0 / math.log(6.4)


def _hertz_to_mel(hertz: float) -> float:
    if hertz <= _BEND:
        return hertz * _MEL_PER_HERTZ
    return _BEND * _MEL_PER_HERTZ + math.log(hertz / _BEND) * _MEL_PER_LOG


def _mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = np.maximum(mel - _BEND * _MEL_PER_HERTZ, 0.0)
    low = np.minimum(mel / _MEL_PER_HERTZ, _BEND)
    return low * np.exp(above / _MEL_PER_LOG)


@functools.lru_cache(maxsize=16)
def mel_filters(sr: int, n_fft: int, n_mels: int) -> NDArray[np.float32]:
    """Return triangles of equal area (n_mels, 1 + n_fft // 2), librosa's default.

    Importing librosa for them would take a second, a hundred times as long as reading a file.
    """
    corners = _corners(sr, n_mels)
    bins = np.fft.rfftfreq(n_fft, 1.0 / sr)
    widths = np.diff(corners)
    rising = (bins - corners[:-2, np.newaxis]) / widths[:-1, np.newaxis]
    falling = (corners[2:, np.newaxis] - bins) / widths[1:, np.newaxis]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    if not triangles.any(axis=1).all():
        raise InputError(
            f"n_mels={n_mels} bands are too narrow for frames of n_fft={n_fft} samples at {sr} Hz; "
            "take fewer bands or longer frames"
        )
    filters = triangles * (2.0 / (corners[2:] - corners[:-2]))[:, np.newaxis]
    return filters.astype(np.float32)


def band_centres(sr: int, n_mels: int) -> NDArray[np.float64]:
    """Return the frequency in Hz at the tip of every triangle, (n_mels,)."""
    return _corners(sr, n_mels)[1:-1]


def _corners(sr: int, n_mels: int) -> NDArray[np.float64]:
    """Return where triangles peak, in Hz; each ends where its neighbours do."""
    return _mel_to_hertz(np.linspace(0.0, _hertz_to_mel(sr / 2), n_mels + 2))


def log_mel_spectrogram(
    power: NDArray[np.float32], framing: Framing, *, n_mels: int
) -> NDArray[np.float32]:
    """Return the power in mel bands (n_frames, n_mels), in dB.

    ``librosa.power_to_db(librosa.feature.melspectrogram(...), top_db=None).T``
    """
    return decibels(power @ mel_filters(framing.sr, framing.n_fft, n_mels).T)


@functools.lru_cache(maxsize=16)
def _cosines(n_mels: int, n_mfcc: int) -> NDArray[np.float32]:
    """Return the orthonormal cosine transform, type 2, as a matrix (n_mels, n_mfcc)."""
    order, band = np.arange(n_mfcc), np.arange(n_mels)[:, np.newaxis]
    matrix = np.cos(np.pi * order * (2 * band + 1) / (2 * n_mels)) * math.sqrt(2.0 / n_mels)
    matrix[:, 0] *= math.sqrt(0.5)
    return matrix.astype(np.float32)


def mfcc(log_mel: NDArray[np.float32], *, n_mfcc: int) -> NDArray[np.float32]:
    """Return the first coefficients (n_frames, n_mfcc) of the cosine transform of the bands.

    ``librosa.feature.mfcc(S=log_mel.T, n_mfcc=n_mfcc).T``
    """
    return log_mel @ _cosines(log_mel.shape[1], n_mfcc)


def log_mel_of(cepstra: NDArray[np.float32], *, n_mels: int) -> NDArray[np.float32]:
    """Return the bands (n_frames, n_mels) that cepstra describe: smooth, the less of them."""
    return cepstra @ _cosines(n_mels, cepstra.shape[1]).T
