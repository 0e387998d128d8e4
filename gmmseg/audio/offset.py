"""An offset is no sound: find the mean of a recording that comes in blocks, and take it off."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.io import audio_blocks

Block = NDArray[np.float32]


@dataclass
class OffsetMeter:
    """Keep what is needed of the samples that go by, to tell their offset after the last.

    Examples
    --------
    >>> meter = OffsetMeter()
    >>> blocks = list(meter.watched([np.float32([0.25, 0.75]), np.float32([0.5])]))
    >>> float(meter.offset), meter.swing, meter.n_samples
    (0.5, 0.25, 3)
    """

    n_samples: int = 0
    total: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    def watched(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the same blocks, of samples (n_samples,)."""
        for block in blocks:
            if len(block):
                self.n_samples += len(block)
                self.total += float(block.sum(dtype=np.float64))
                self.low = min(self.low, float(block.min()))
                self.high = max(self.high, float(block.max()))
            yield block

    @property
    def offset(self) -> np.float32:
        """Mean of the samples."""
        return np.float32(self.total / self.n_samples)

    @property
    def swing(self) -> float:
        """Largest distance of a sample from the offset."""
        return max(self.high - float(self.offset), float(self.offset) - self.low)


def centred(y: Block) -> Block:
    """Return a whole sound (n_samples,) less its offset."""
    return y - np.float32(y.mean(dtype=np.float64))


def without_offset(blocks: Iterable[Block], offset: np.float32) -> Iterator[Block]:
    """Yield blocks less the offset."""
    return (block - offset for block in blocks)


@dataclass(frozen=True)
class CentredFile:
    """A sound file at one sampling rate, less its offset, for which it is read once more.

    Parameters
    ----------
    path : path-like
        The file.
    sr : int
        Sampling rate, in Hz.
    """

    path: str | os.PathLike[str]
    sr: int

    def blocks(self) -> Iterator[Block]:
        """Yield mono blocks from the start; may be asked again."""
        return without_offset(audio_blocks(self.path, sr=self.sr), self._offset)

    @cached_property
    def _offset(self) -> np.float32:
        meter = OffsetMeter()
        for _ in meter.watched(audio_blocks(self.path, sr=self.sr)):
            pass
        return meter.offset
