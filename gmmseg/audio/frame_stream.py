"""Turn a sound that comes in blocks into the features of consecutive frames."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.framing import Framing
from gmmseg.audio.recipe import Cmvn, Kind, Recipe
from gmmseg.audio.signals import checked_signal
from gmmseg.errors import InputError


class FrameStream:
    """Describe the frames of a sound that comes in blocks, as :func:`frame_features` does.

    Whatever the blocks, the rows one after another are those of the whole sound.

    Parameters
    ----------
    sr : float
        Sampling rate, in Hz.
    kind : {"mfcc", "log-mel", "voice"}
        As in :func:`frame_features`.
    n_mfcc, n_mels : int
        Numbers of cepstral coefficients and of mel bands.
    deltas : {0, 1, 2}
        Up to which derivative along the frames the features are repeated.
    cmvn : {"sliding"} or None
        Whether every column is given mean 0 and spread 1 over the 3 s around each frame.
    hop_length, n_fft : int, optional
        Samples from frame to frame and of a frame; None is 10 ms and 25 ms.

    Attributes
    ----------
    lookahead : float
        How long after its centre a frame is given, in seconds, at most.

    Examples
    --------
    >>> stream = FrameStream(sr=8000, kind="log-mel")
    >>> rows = [stream.push(np.zeros(1000)), stream.push(np.zeros(600)), stream.finish()]
    >>> [len(table) for table in rows]
    [10, 7, 4]
    """

    def __init__(
        self,
        *,
        sr: float,
        kind: Kind = "mfcc",
        n_mfcc: int = 20,
        n_mels: int = 40,
        deltas: int = 0,
        cmvn: Cmvn | None = None,
        hop_length: int | None = None,
        n_fft: int | None = None,
    ) -> None:
        if cmvn == "file":
            raise InputError("cmvn='file' needs the whole sound; a stream takes 'sliding' or None")
        framing = Framing.of(sr=sr, hop_length=hop_length, n_fft=n_fft)
        stages = Recipe(framing, kind, n_mfcc, n_mels, deltas, cmvn).stages()
        in_samples = [stages[0].lookahead, *(s.lookahead * framing.hop_length for s in stages[1:])]
        self.lookahead = sum(in_samples) / framing.sr
        self._stages, self._sr, self._n_samples, self._is_finished = stages, framing.sr, 0, False

    def push(self, y: ArrayLike) -> NDArray[np.float32]:
        """Return the frames (n_frames, n_features) that are certain after the next mono samples."""
        self._check_running()
        table = np.zeros(0, dtype=np.float32)
        if np.size(y):
            table = checked_signal(y, sr=self._sr, first=self._n_samples)
        if table.ndim != 1:
            raise InputError(f"a stream takes one channel, got y of shape {table.shape}")
        self._n_samples += len(table)
        for stage in self._stages:
            table = stage.push(table)
        return table

    def finish(self) -> NDArray[np.float32]:
        """Return the frames (n_frames, n_features) that are left after the last sample."""
        self._check_running()
        if self._n_samples == 0:
            raise InputError("the stream has no samples; push some before it finishes")
        self._is_finished = True
        table = np.zeros(0, dtype=np.float32)
        for stage in self._stages:
            table = stage.finish(table)
        return table

    def _check_running(self) -> None:
        if self._is_finished:
            raise InputError("this stream has finished; start another for another sound")
