"""From sound, whole or in blocks, to the evidence for speech in every frame, in little memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.signals import checked_rate, checked_signal
from gmmseg.audio.voice_features import N_CONTEXT, N_LEVELS, SR, voice_stages
from gmmseg.audio.voice_model import VoiceModel
from gmmseg.errors import InputError

SAMPLES_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class VoiceEvidence:
    """What is known of a sound after it was heard once.

    Parameters
    ----------
    log_odds : ndarray of shape (n_frames,)
        Log-odds of speech by the model alone.
    levels : ndarray of shape (n_frames, n_levels)
        Levels near every frame and around, in nepers of power.
    duration : float
        Duration of the sound, in seconds.
    """

    log_odds: NDArray[np.float64]
    levels: NDArray[np.float64]
    duration: float


class ContextStream:
    """Turn blocks of mono sound into rows of levels and context, as soon as they are certain."""

    def __init__(self, *, sr: float) -> None:
        self.sr = checked_rate(sr)
        self.n_samples = 0
        self._stages = voice_stages()
        self._resample: Callable[..., NDArray[np.float32]] | None = None
        if self.sr != SR:
            import soxr

            stream = soxr.ResampleStream(self.sr, SR, 1, dtype="float32", quality="HQ")
            self._resample = stream.resample_chunk

    def push(self, y: ArrayLike) -> NDArray[np.float32]:
        """Return the rows (n_frames, n_levels + n_features) certain after the next samples."""
        if np.size(y) == 0:
            return np.zeros((0, N_LEVELS + N_CONTEXT), dtype=np.float32)
        table = self._checked(y)
        if self._resample is not None:
            table = self._resample(table)
        for stage in self._stages:
            table = stage.push(table)
        return table

    def finish(self, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return the rows that are left, after the last samples if there are any.

        Samples that are known to be the last are cheaper here: what lies around rows is looked at
        once for all of them.
        """
        table = np.zeros(0, dtype=np.float32)
        if y is not None and np.size(y):
            table = self._checked(y)
        if self.n_samples == 0:
            raise InputError("y has no samples; give at least one")
        if self._resample is not None:
            table = self._resample(table, last=True)
        for stage in self._stages:
            table = stage.finish(table)
        return table

    def _checked(self, y: ArrayLike) -> NDArray[np.float32]:
        """Return the next samples, checked and counted."""
        block = checked_signal(y, sr=self.sr, first=self.n_samples)
        if block.ndim != 1:
            raise InputError(f"a stream takes one channel, got y of shape {block.shape}")
        self.n_samples += len(block)
        return block


def contexts_in(
    y: ArrayLike | Iterator[NDArray[np.float32]], *, stream: ContextStream
) -> Iterator[NDArray[np.float32]]:
    """Yield levels and context of consecutive frames of a whole sound."""
    last = None
    for block in blocks_of(y, sr=stream.sr):
        if last is not None:
            yield stream.push(last)
        last = block
    yield stream.finish(last)


def evidence_in(
    y: ArrayLike | Iterator[NDArray[np.float32]], *, sr: float, model: VoiceModel
) -> VoiceEvidence:
    """Return the evidence for speech in a sound, an array or an iterator of mono blocks."""
    stream = ContextStream(sr=sr)
    odds, levels = [], []
    for table in contexts_in(y, stream=stream):
        odds.append(model.log_odds(table[:, N_LEVELS:]))
        levels.append(table[:, :N_LEVELS].astype(np.float64))
    duration = stream.n_samples / stream.sr
    return VoiceEvidence(np.concatenate(odds), np.concatenate(levels), duration)


def blocks_of(
    y: ArrayLike | Iterator[NDArray[np.float32]], *, sr: int
) -> Iterable[NDArray[np.float32]]:
    """Yield mono blocks of any sound."""
    if isinstance(y, Iterator):
        yield from y
        return
    samples = checked_signal(y, sr=sr)
    mono = samples if samples.ndim == 1 else samples.mean(axis=0)
    for start in range(0, len(mono), SAMPLES_AT_ONCE):
        yield mono[start : start + SAMPLES_AT_ONCE]
