"""The power spectrum of frames, and what it tells by itself: flatness, level."""

import functools

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import Framing

# Least power that is told from none (librosa's); digital silence has this power in every bin.
LEAST_POWER = np.float32(1e-10)


@functools.lru_cache(maxsize=16)
def _hann(n_samples: int) -> NDArray[np.float32]:
    """Return the periodic Hann window."""
    phase = 2.0 * np.pi * np.arange(n_samples) / n_samples
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


def power_spectrum(windows: NDArray[np.float32], framing: Framing) -> NDArray[np.float32]:
    """Return the power (n_frames, 1 + n_fft // 2) of frames under the Hann window."""
    from scipy.fft import rfft

    padded = np.zeros((len(windows), framing.n_fft), dtype=np.float32)
    np.multiply(windows, _hann(framing.win_length), out=padded[:, : framing.win_length])
    transform = rfft(padded, axis=1, overwrite_x=True)
    power = np.square(transform.real)
    power += np.square(transform.imag)
    return power


def decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 10 log10 of power, never below that of :data:`LEAST_POWER`."""
    return np.log(np.maximum(power, LEAST_POWER)) * np.float32(10.0 / np.log(10.0))


def energy(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean square of every frame, in dB below full scale (librosa's rms, squared)."""
    mean_square = np.einsum("tn,tn->t", windows, windows) / np.float32(windows.shape[1])
    return decibels(mean_square)


def spectral_flatness(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the geometric over the arithmetic mean of the power of every frame.

    1 for a flat spectrum, near 0 for a pure tone; white noise gives 0.56, that is ``exp(-gamma)``
    with Euler's constant, because the power of its bins is exponentially distributed.
    """
    power = np.maximum(power, LEAST_POWER)
    return np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)


def spectral_flux(log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by how many dB the bands rise from the frame before, on average; 0 at the start.

    Falls do not count, as in librosa's onset strength.
    """
    rise = np.zeros(len(log_mel), dtype=np.float32)
    rise[1:] = np.maximum(np.diff(log_mel, axis=0), 0.0).mean(axis=1)
    return rise
