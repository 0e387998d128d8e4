"""Where the windows lie that speakers are told apart by: inside speech, overlapping."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]

LENGTH = 150  # frames: 1.5 s tell a voice, and few turns are shorter than half of it
STEP = 50  # frames


@dataclass(frozen=True, eq=False)
class SpeechWindows:
    """Hold windows in order of time, in frames: from a start up to, not including, an end.

    Parameters
    ----------
    starts, ends : ndarray of int of shape (n_windows,)
        What each window sees.
    core_starts, core_ends : ndarray of int of shape (n_windows,)
        What it speaks for: the frames that are nearer to its middle than to that of others. Cores
        tile the speech.
    """

    starts: Index
    ends: Index
    core_starts: Index
    core_ends: Index

    @classmethod
    def of(cls, is_speech: NDArray[np.bool_], *, length: int, step: int) -> "SpeechWindows":
        """Lay windows over speech: as many, evenly, as lie at most a step apart.

        A stretch that is shorter than a window is one window.
        """
        bounds = np.flatnonzero(np.diff(is_speech, prepend=False, append=False))
        rows = [
            _over(start, end, length, step)
            for start, end in zip(bounds[::2], bounds[1::2], strict=True)
        ]
        table = np.concatenate([np.zeros((0, 4), dtype=np.intp), *rows])
        return cls(*table.T)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.starts)

    @property
    def durations(self) -> Index:
        """Number of frames that each window sees."""
        return self.ends - self.starts

    def neighbours(self) -> tuple[Index, NDArray[np.float64]]:
        """Return the windows that overlap with their next one, and the share that is not common."""
        left = np.flatnonzero(self.starts[1:] < self.ends[:-1])
        return left, (self.starts[left + 1] - self.starts[left]) / self.durations[left]

    def spread(self, labels: Index, n_frames: int) -> Index:
        """Return the label of each frame by its window, (n_frames,); -1 outside speech."""
        frames = np.full(n_frames, -1, dtype=np.intp)
        for start, end, label in zip(self.core_starts, self.core_ends, labels, strict=True):
            frames[start:end] = label
        return frames


def _over(start: int, end: int, length: int, step: int) -> Index:
    """Return the windows over one stretch as rows of start, end, start and end of the core."""
    n_windows = 1 + max(0, -((length - (end - start)) // step))
    starts = np.linspace(start, max(start, end - length), n_windows).round().astype(np.intp)
    ends = np.minimum(starts + length, end)
    middles = (starts + ends) // 2
    borders = np.concatenate([[start], (middles[1:] + middles[:-1]) // 2, [end]])
    return np.stack([starts, ends, borders[:-1], borders[1:]], axis=1)
