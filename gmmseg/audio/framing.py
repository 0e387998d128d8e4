"""Where the frames of a sound lie: hop, window and transform, in samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.signals import checked_rate
from gmmseg.core.validation import check_number

HOP = 0.010  # seconds from frame to frame
WINDOW = 0.025  # seconds that a frame sees


@dataclass(frozen=True)
class Framing:
    """Hop, window and transform of frames; frame ``t`` is centred at ``t * hop_length``.

    Parameters
    ----------
    sr : int
        Sampling rate, in Hz.
    hop_length : int
        Samples from frame to frame.
    win_length : int
        Samples under the window.
    n_fft : int
        Samples of the transform, at least `win_length`; the window is padded with zeros.
    """

    sr: int
    hop_length: int
    win_length: int
    n_fft: int

    @classmethod
    def of(cls, *, sr: float, hop_length: int | None = None, n_fft: int | None = None) -> "Framing":
        """Check the options; without them frames of 25 ms every 10 ms."""
        rate = checked_rate(sr)
        if hop_length is None:
            hop_length = round(HOP * rate)
        check_number("hop_length", hop_length, least=1, is_whole=True)
        if n_fft is None:
            window = round(WINDOW * rate)
            return cls(rate, int(hop_length), window, 1 << (window - 1).bit_length())
        check_number("n_fft", n_fft, least=2, is_whole=True)
        return cls(rate, int(hop_length), int(n_fft), int(n_fft))

    @property
    def left(self) -> int:
        """Samples of the window that lie before the centre of the frame."""
        return self.n_fft // 2 - (self.n_fft - self.win_length) // 2

    def n_frames(self, n_samples: int) -> int:
        """Return how many frames a sound has."""
        return 1 + n_samples // self.hop_length

    def frames(
        self, samples: NDArray[np.float32], n_frames: int, *, margin: int
    ) -> NDArray[np.float32]:
        """View the windows (n_frames, win_length) of samples that begin `margin` before frame 0."""
        start = margin - self.left
        windows = np.lib.stride_tricks.sliding_window_view(samples[start:], self.win_length)
        return windows[:: self.hop_length][:n_frames]
