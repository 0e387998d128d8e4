"""What lies between a mouth and a file: rooms, lines, microphones, and levels; all by chance."""

import numpy as np
from made_sounds import smooth_curve, uniform_log
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt


def in_room(rng: np.random.Generator, y: NDArray[np.float32], sr: int) -> NDArray[np.float64]:
    """Return the sound in a room: the direct path, and decaying noise some way below it."""
    reverberation = uniform_log(rng, 0.1, 0.9)
    n = int(reverberation * sr)
    time = np.arange(n) / sr
    tail = rng.normal(size=n) * np.exp(-6.9 * time / reverberation)
    tail[: int(rng.uniform(0.001, 0.01) * sr)] = 0.0
    tail = sosfilt(butter(1, rng.uniform(1000, 6000), fs=sr, output="sos"), tail)
    direct_to_tail = 10 ** (rng.uniform(-6, 12) / 10)
    tail *= np.sqrt(1 / (direct_to_tail * np.sum(tail**2) + 1e-12))
    tail[0] = 1.0
    return fftconvolve(y, tail)[: len(y)]


def through_line(rng: np.random.Generator, y: NDArray[np.float64], sr: int) -> NDArray[np.float64]:
    """Return the sound after a random equalizer and, often, a narrower band."""
    spectrum = np.fft.rfft(y)
    frequency = np.maximum(np.fft.rfftfreq(len(y), 1 / sr), 20.0)
    decibel = rng.uniform(-3, 3) * np.log2(frequency / 1000)
    decibel += rng.uniform(0, 4) * smooth_curve(rng, len(frequency), 8)
    low, high = 0.0, sr
    if rng.random() < 0.25:
        low = uniform_log(rng, 50, 300)
    if rng.random() < 0.35:
        high = rng.choice([3400.0, 4000.0, 5500.0, 7000.0])
    decibel -= 60 * np.log2(np.maximum(frequency / high, 1)).clip(0, 2)
    decibel -= 24 * np.log2(np.maximum(low / frequency, 1)).clip(0, 4)
    return np.fft.irfft(spectrum * 10 ** (decibel / 20), len(y))


def as_recorded(rng: np.random.Generator, y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the sound at a random level, now and then clipped, with 16 bits."""
    level = uniform_log(rng, 0.003, 0.3)
    y = y * level / (np.sqrt(np.mean(y**2)) + 1e-12)
    if rng.random() < 0.1:
        y = y * uniform_log(rng, 2, 20)
    y = np.clip(y, -1.0, 1.0)
    return np.asarray(np.round(y * 32767) / 32768, dtype=np.float32)
