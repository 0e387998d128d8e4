"""How a clip becomes a row of numbers: means of its bands weighted by rank, tones and beats."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.clip_lines import LineRecipe
from gmmseg.audio.features import frame_features
from gmmseg.audio.mel import band_centres
from gmmseg.audio.ranking import ranked_means
from gmmseg.audio.resampling import resampled
from gmmseg.audio.signals import SLOWEST, checked_signal
from gmmseg.errors import InputError

Array = NDArray[np.float64]

RATIOS = (0.0, 0.5, 0.8, 0.9, 1.0)
"""From the loudest frame over about 2, 5 and 10 frames to the mean of all."""
N_BANDS = 24
N_POOLED = len(RATIOS) * N_BANDS
FRAME = 0.064  # seconds under a window; half of it from frame to frame
LEAST_FRAME = 256  # samples; fewer would leave low bands without a line of the spectrum
DEPTH = 60.0  # dB below a clip's loudest band and frame, where silence begins
HALVINGS = 3  # of a typical clip: normal clips are heard in cuts as short as an eighth, too
LEAST_FRAMES = 4  # of such a cut
LARGEST = 1e9  # amplitude relative to normal, above which float32 would overflow


@dataclass(frozen=True)
class ClipRecipe:
    """Describe clips alike, whatever their rate and unit.

    Clips of other lengths are not alike: of fewer frames, means vary more and the loudest is
    quieter. So they are cut into parts of `lengths`, and compared with as long parts of others.

    Parameters
    ----------
    sr : int
        Sampling rate that clips are brought to, in Hz.
    seconds : float
        Length of a typical clip, in seconds.
    full_scale : float
        What amplitude counts as 1, in the unit of the samples.
    """

    sr: int
    seconds: float
    full_scale: float

    @property
    def pace(self) -> int:
        """How many times faster slow records are played, so that they have bands of sound."""
        return max(1, math.ceil(SLOWEST / self.sr))

    @property
    def hop_length(self) -> int:
        """Samples from frame to frame."""
        return max(round(FRAME * self.sr * self.pace), LEAST_FRAME) // 2

    @property
    def n_typical(self) -> int:
        """Frames of a typical clip."""
        return 1 + round(self.seconds * self.sr) // self.hop_length

    @property
    def lengths(self) -> tuple[int, ...]:
        """Lengths of parts that are compared, in samples: a typical clip, its half, and so on."""
        typical = max(round(self.seconds * self.sr), 1)
        halves = [typical // 2**k for k in range(1, HALVINGS + 1)]
        return (typical, *(n for n in halves if n >= (LEAST_FRAMES - 1) * self.hop_length))

    @property
    def frequencies(self) -> Array:
        """Centres of the bands, in Hz, (n_bands,)."""
        return band_centres(self.sr * self.pace, N_BANDS) / self.pace

    def samples(self, y: ArrayLike, sr: float) -> Array:
        """Return a clip as mono samples at the rate of all clips, at least one."""
        samples: Array = resampled(_centered(y, sr), sr=self._checked_rate(sr), to=self.sr)
        return samples if len(samples) else np.zeros(1)

    def frames(self, samples: Array) -> Array:
        """Return the bands of every frame, in dB, (n_frames, n_bands)."""
        table = frame_features(
            self._scaled(samples),
            sr=self.sr * self.pace,
            kind="log-mel",
            n_mels=N_BANDS,
            n_fft=2 * self.hop_length,
            hop_length=self.hop_length,
        ).astype(np.float64)
        return np.maximum(table, table.max() - DEPTH)

    @property
    def lines(self) -> LineRecipe:
        """How finely clips are looked at."""
        return LineRecipe.of_length(self.lengths[0])

    @property
    def borders(self) -> tuple[int, int]:
        """Where, in what `described` returns, tones begin, and beats."""
        return N_POOLED, N_POOLED + self.lines.sizes[0]

    def described(self, samples: Array) -> Array:
        """Return a clip's weighted means, tones and beats, one after another, (n_features,)."""
        pooled = self.pooled(self.frames(samples))
        return np.concatenate([pooled, self.lines.describe(self._scaled(samples))])

    def pooled(self, frames: Array) -> Array:
        """Return the means of frames that are weighted by rank, row after row, (n_features,)."""
        return ranked_means(frames, RATIOS, n_typical=self.n_typical).ravel()

    def _scaled(self, samples: Array) -> NDArray[np.float32]:
        scaled = np.clip(samples / self.full_scale, -LARGEST, LARGEST)
        return scaled.astype(np.float32)

    def _checked_rate(self, sr: float) -> int:
        rate = checked_any_rate(sr)
        if rate < self.sr:
            raise InputError(
                f"it has {rate} Hz, and so lacks the highest bands of a model of {self.sr} Hz; "
                f"record at {self.sr} Hz or more, or fit with sr={rate} (--model-rate {rate})"
            )
        return rate


def checked_any_rate(sr: object) -> int:
    """Return the rate of a sound or a slow record as a whole number of Hz."""
    if isinstance(sr, bool) or not isinstance(sr, int | float | np.integer | np.floating):
        raise InputError(f"sr must be a sampling rate in Hz, for example 16000, got {sr!r}")
    if not np.isfinite(sr) or round(sr) < 1:
        raise InputError(f"sr must be at least 1 Hz, got {sr}")
    return round(sr)


def power_of_two(value: float) -> float:
    """Return the nearest power of two, by which samples are divided without rounding."""
    return float(2.0 ** round(math.log2(value))) if value > 0.0 else 1.0


def _centered(y: ArrayLike, sr: float) -> Array:
    """Return checked mono samples about their mean; a slow record's drift is not sound."""
    checked = checked_signal(y, sr=max(SLOWEST, sr))
    given = np.asarray(y)
    samples = given.astype(np.float64) if given.dtype.kind == "f" else checked.astype(np.float64)
    mono = samples if samples.ndim == 1 else samples.mean(axis=0)
    centered: Array = mono - mono.mean()
    return centered


def loudness(y: ArrayLike, sr: float) -> float:
    """Return the largest amplitude of a clip about its mean."""
    return float(np.abs(_centered(y, sr)).max())
