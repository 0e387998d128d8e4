"""Lines of a clip: tones above what surrounds them, and beats of its envelopes.

Two dozen bands hear how loud a machine is where, but not a gear that turns a hundredth faster, nor
a hum that throbs. So a clip is looked at more finely, too, in two ways that know no level.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_SAMPLES = 4096  # under a window of tones
LEAST_SAMPLES = 32
SHARE = 4  # at least so many windows fit side by side into a typical clip
USED = 0.9  # of the frequencies up to half the rate; above, resamplers let through what they like
SURROUNDINGS = 41  # lines that a tone is compared with the median of
DEPTH = 1e-6  # power below the loudest line, where silence begins

N_CARRIERS = 4
"""Octaves whose envelopes are heard, from the highest down; the lowest holds what is below."""
CARRIER = 256  # samples under a window of envelopes
CARRIER_STEP = CARRIER // 4
MOST_FRAMES = 256  # under a window of beats
LEAST_FRAMES = 16
FAINTEST = 1e-6  # power of a beat, relative to that of its carrier, that counts as none
SMALLEST = 1e-30  # power, or amplitude, that counts as some
AT_ONCE = 1024  # windows


@dataclass(frozen=True)
class LineRecipe:
    """Say how finely clips are looked at.

    Parameters
    ----------
    n_samples : int
        Samples under a window of tones, a power of two.
    n_frames : int
        Frames of an envelope under a window of beats, a power of two.
    """

    n_samples: int
    n_frames: int

    @classmethod
    def of_length(cls, n_samples: int) -> "LineRecipe":
        """Return the finest that clips of so many samples allow."""
        under = min(max(n_samples // SHARE, LEAST_SAMPLES), MOST_SAMPLES)
        frames = 2 * n_samples // CARRIER_STEP // SHARE
        return cls(_power_below(under), _power_below(min(max(frames, LEAST_FRAMES), MOST_FRAMES)))

    @property
    def tones(self) -> Array:
        """Frequencies of the tones, relative to the sampling rate, (n_tones,)."""
        lines: Array = np.arange(1, int(USED * self.n_samples / 2) + 1) / self.n_samples
        return lines

    @property
    def carriers(self) -> tuple[tuple[int, int], ...]:
        """First line and the one behind the last of each carrier, in a window of envelopes."""
        top = int(USED * CARRIER / 2) + 1
        edges = [1, *(top >> k for k in range(N_CARRIERS - 1, 0, -1)), top]
        return tuple(pairwise(edges))

    @property
    def n_beats(self) -> int:
        """Number of beats of each carrier."""
        return self.n_frames // 2 - 1

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of tones and of beats of all carriers."""
        return len(self.tones), N_CARRIERS * self.n_beats

    def describe(self, samples: NDArray[np.float32]) -> Array:
        """Return the tones of a clip, and behind them its beats, in dB, (n_lines,)."""
        return np.concatenate([tones(samples, self), beats(samples, self)])


def tones(samples: NDArray[np.float32], recipe: LineRecipe) -> Array:
    """Return how far each line of the spectrum is above the median of those about it, in dB.

    The logarithm is averaged, not the power, so that a knock does not drown the tones.
    """
    from scipy.ndimage import median_filter

    n_tones = len(recipe.tones)
    blocks = _spectra(samples, recipe.n_samples, step=recipe.n_samples // 2)
    power = np.concatenate([block[:, 1 : n_tones + 1] for block in blocks])
    floor = max(DEPTH * float(power.max()), SMALLEST)
    level = 10.0 * np.log10(power + floor).mean(axis=0, dtype=np.float64)
    above: Array = level - median_filter(level, SURROUNDINGS, mode="nearest")
    return above


def beats(samples: NDArray[np.float32], recipe: LineRecipe) -> Array:
    """Return how much the envelope of each carrier beats, at each rate, in dB, one after another.

    Each is relative to the mean of its envelope, so that no level counts.
    """
    blocks = _spectra(samples, CARRIER, step=CARRIER_STEP)
    powers = [[block[:, a:b].sum(axis=1) for a, b in recipe.carriers] for block in blocks]
    envelopes = np.sqrt(np.concatenate(powers, axis=1))
    rows = []
    for envelope in envelopes:
        relative = envelope / max(float(envelope.mean()), SMALLEST)
        relative -= relative.mean()
        windows = _spectra(relative, recipe.n_frames, step=recipe.n_frames // 2)
        power = np.concatenate(list(windows))[:, 1 : recipe.n_beats + 1]
        rows.append(power.mean(axis=0, dtype=np.float64) / recipe.n_frames)
    decibels: Array = 10.0 * np.log10(np.concatenate(rows) + FAINTEST)
    return decibels


def _spectra(
    samples: NDArray[np.float32], length: int, *, step: int
) -> Iterator[NDArray[np.float32]]:
    """Yield the power spectra of windows, some at a time; what is too short ends in silence."""
    from scipy.fft import rfft

    padded = np.pad(samples, (0, max(length - len(samples), 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[::step]
    hann = np.hanning(length + 1)[:-1].astype(np.float32)
    for first in range(0, len(windows), AT_ONCE):
        spectra = rfft(windows[first : first + AT_ONCE] * hann, axis=1)
        yield spectra.real**2 + spectra.imag**2


def _power_below(number: int) -> int:
    """Return the largest power of two that is no larger."""
    return 1 << (number.bit_length() - 1)
