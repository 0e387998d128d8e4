"""How periodic a frame is, and at which pitch: the peak of its normalised autocorrelation."""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import Framing

LOWEST, HIGHEST = 70.0, 400.0  # Hz: the pitch of voices
WINDOW = 0.040  # seconds: nearly three periods of the lowest pitch
RATE = 4000.0  # Hz: about what the sound is decimated to
CUTOFF = 1000.0  # Hz: above, voices are noisy
EMPHASIS = 0.95  # of the sample before is taken off, so that rumble does not drown the voice
# Of two peaks about equally high the one at the higher pitch is the period, the other its multiple
# (Boersma 1993, equation 24; there 0.01, and a path through the frames that holds the octave).
OCTAVE_COST = 0.05


class PitchGrid:
    """The decimated sound in which the pitch of frames is looked for.

    Its samples lie at the multiples of `step` samples of the whole sound, so that blocks of it
    give the same as the whole.
    """

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self.step = max(1, round(framing.sr / RATE))
        self.rate = framing.sr / self.step
        self.length = round(WINDOW * self.rate)
        self.taps = _band_pass(framing.sr, self.step)
        # One lag more on either side, so that the outermost may be a peak.
        self.shortest = math.floor(self.rate / HIGHEST) - 1
        longest = math.ceil(self.rate / LOWEST) + 1
        octaves = np.log2(np.arange(self.shortest, longest + 1) / self.shortest)
        self.costs = (OCTAVE_COST * octaves).astype(np.float32)

    @property
    def margin(self) -> int:
        """Samples on either side of a frame's centre that its pitch depends on."""
        return (self.length // 2 + 2) * self.step + len(self.taps) // 2

    def harmonicity(
        self, samples: NDArray[np.float32], n_frames: int, *, first_frame: int, margin: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return harmonicity and pitch of frames.

        Parameters
        ----------
        samples : ndarray of float32 of shape (n_samples,)
            Sound from `margin` samples before the centre of the first frame.
        n_frames : int
            Number of frames.
        first_frame : int
            Frames of the whole sound before these.
        margin : int
            Samples before the first centre, at least :attr:`margin`.

        Returns
        -------
        harmonicity : ndarray of float32 of shape (n_frames,)
            Largest normalised autocorrelation at a peak between 70 and 400 Hz, 0…1.
        pitch : ndarray of float32 of shape (n_frames,)
            Where it lies, in Hz; 0 where there is no peak.
        """
        from gmmseg.audio.frame_kernels import correlation_peaks, decimate

        centres = (first_frame + np.arange(n_frames)) * self.framing.hop_length
        starts = (2 * centres + self.step) // (2 * self.step) - self.length // 2
        first_sample = first_frame * self.framing.hop_length - margin
        grid = np.empty(starts[-1] - starts[0] + self.length, dtype=np.float32)
        decimate(samples, starts[0] * self.step - first_sample, self.step, self.taps, grid)
        peaks, lags = np.empty((2, n_frames), dtype=np.float32)
        work = np.empty(self.length, dtype=np.float32)
        correlations = np.empty_like(self.costs)
        correlation_peaks(
            grid, starts - starts[0], self.shortest, self.costs, work, correlations, peaks, lags
        )
        with np.errstate(divide="ignore"):
            return peaks, np.where(lags > 0, np.float32(self.rate) / lags, np.float32(0.0))


@functools.lru_cache(maxsize=16)
def _band_pass(sr: int, step: int) -> NDArray[np.float32]:
    """Return the ideal low-pass filter under a Hann window of four periods, with pre-emphasis."""
    half = math.ceil(2.0 * sr / CUTOFF)
    time = np.arange(-half, half + 1)
    taps = np.sinc(2.0 * CUTOFF / sr * time) * np.cos(0.5 * np.pi * time / (half + 1)) ** 2
    padded = np.pad(taps / taps.sum(), step)  # as long on either side of its middle
    return (padded - EMPHASIS * np.roll(padded, step)).astype(np.float32)
