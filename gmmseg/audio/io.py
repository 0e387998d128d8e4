"""Read sound files: whole, or block by block as one stream in memory that does not grow."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.opening import check_length, opened
from gmmseg.audio.signals import check_finite, checked_rate
from gmmseg.errors import InputError

_SAMPLES_AT_ONCE = 2**20  # per channel; what is in memory beside the result


@dataclass(frozen=True)
class AudioInfo:
    """What the header of a sound file says.

    Parameters
    ----------
    seconds : float
        Duration, in seconds.
    sr : int
        Sampling rate, in Hz.
    n_channels : int
        Number of channels.

    Examples
    --------
    >>> from gmmseg.audio import AudioInfo
    >>> AudioInfo(seconds=2.0, sr=16000, n_channels=1).sr
    16000
    """

    seconds: float
    sr: int
    n_channels: int


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Return duration, rate and channels of a sound file without decoding it.

    Parameters
    ----------
    path : path-like
        File that soundfile reads: WAV, FLAC, OGG, MP3, AIFF and others.

    Returns
    -------
    info : AudioInfo
        What the header says.

    Raises
    ------
    InputError
        If there is no such file, or it may not be read, is no sound, or is cut short.

    Examples
    --------
    >>> audio_info("data/conversation.flac").sr
    16000
    """
    with opened(path) as file:
        return AudioInfo(file.frames / file.samplerate, file.samplerate, file.channels)


def read_audio(
    path: str | os.PathLike[str], *, sr: int | None = None, mono: bool = True
) -> tuple[NDArray[np.float32], int]:
    """Read a whole sound file.

    Parameters
    ----------
    path : path-like
        File that soundfile reads: WAV, FLAC, OGG, MP3, AIFF and others.
    sr : int, optional
        Sampling rate wanted, in Hz; the sound is resampled (soxr, high quality). None keeps the
        file's own.
    mono : bool
        Whether to take the mean of the channels.

    Returns
    -------
    y : ndarray of float32 of shape (n_samples,), or (n_channels, n_samples) if not `mono`
        Sound, at full scale in -1…1.
    sr : int
        Sampling rate of `y`, in Hz.

    Raises
    ------
    InputError
        If there is no such file, or it may not be read, is no sound, is cut short, is empty, or
        holds NaN or infinity.

    Notes
    -----
    The header of an OGG file promises no length: of one that is cut short what is there is read.

    Examples
    --------
    >>> y, sr = read_audio("data/conversation.flac", sr=8000)
    >>> y.ndim, y.dtype.name, sr
    (1, 'float32', 8000)
    """
    wanted = None if sr is None else checked_rate(sr)
    with opened(path) as file:
        blocks = list(_blocks(file, sr=wanted, n_at_once=_SAMPLES_AT_ONCE, mono=mono))
        rate = wanted or file.samplerate
    samples = np.concatenate(blocks) if len(blocks) > 1 else blocks[0]
    return (samples[:, 0] if mono else np.ascontiguousarray(samples.T)), rate


def audio_blocks(
    path: str | os.PathLike[str], *, sr: int | None = None, seconds: float = 30.0
) -> Iterator[NDArray[np.float32]]:
    """Read a sound file of any length block by block.

    The blocks one after another are what :func:`read_audio` returns: they are resampled as one
    stream, so there are no seams. Memory does not grow with the file.

    Parameters
    ----------
    path : path-like
        File that soundfile reads: WAV, FLAC, OGG, MP3, AIFF and others.
    sr : int, optional
        Sampling rate wanted, in Hz. None keeps the file's own.
    seconds : float
        About how much sound a block holds, in seconds.

    Returns
    -------
    blocks : iterator of ndarray of float32 of shape (n_samples,)
        Consecutive samples, the mean of the channels, at full scale in -1…1.

    Raises
    ------
    InputError
        If `seconds` is not above 0; and with the first block, or the one where it shows, for
        the same reasons as :func:`read_audio`.

    Examples
    --------
    >>> blocks = audio_blocks("data/conversation.flac", seconds=2.0)
    >>> len(next(blocks))
    32000
    """
    wanted = None if sr is None else checked_rate(sr)
    if not (math.isfinite(seconds) and seconds > 0):
        raise InputError(f"seconds must be a number above 0, got {seconds!r}")

    def stream() -> Iterator[NDArray[np.float32]]:
        with opened(path) as file:
            n_at_once = max(1, round(seconds * file.samplerate))
            for block in _blocks(file, sr=wanted, n_at_once=n_at_once, mono=True):
                yield block[:, 0]

    return stream()


def _blocks(
    file: Any, *, sr: int | None, n_at_once: int, mono: bool
) -> Iterator[NDArray[np.float32]]:
    """Yield consecutive resampled blocks (n_samples, n_channels), at least one."""
    resampler = _Resampler(file, sr=sr, n_channels=1 if mono else file.channels)
    n_read, n_given = 0, 0
    block = file.read(n_at_once, dtype="float32", always_2d=True)
    while len(block):
        check_finite(block.T, sr=file.samplerate, name=str(Path(file.name)), first=n_read)
        n_read += len(block)
        channels = _mean_channel(block) if mono else block
        # A decoder holds `n_at_once` samples; asking for none tells that the file has ended.
        block = file.read(n_at_once, dtype="float32", always_2d=True)
        if not len(block):
            check_length(file.name, promised=file.frames, found=n_read)
        resampled = resampler.push(channels, is_last=not len(block))
        if len(resampled):
            n_given += len(resampled)
            yield resampled
    if not n_given:
        check_length(file.name, promised=file.frames, found=n_read)
        yield np.zeros((1, resampler.n_channels), dtype=np.float32)


def _mean_channel(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the channels as one (n_samples, 1)."""
    n_channels = block.shape[1]
    if n_channels == 1:
        return block
    return block @ np.full((n_channels, 1), 1.0 / n_channels, dtype=np.float32)


class _Resampler:
    """Resample one stream, or pass it on where it has the wanted rate."""

    def __init__(self, file: Any, *, sr: int | None, n_channels: int) -> None:
        self.n_channels = n_channels
        self._stream = None
        if sr not in (None, file.samplerate):
            import soxr

            self._stream = soxr.ResampleStream(
                file.samplerate, sr, n_channels, dtype="float32", quality="HQ"
            )

    def push(self, samples: NDArray[np.float32], *, is_last: bool) -> NDArray[np.float32]:
        """Return what can be said after the next samples (n_samples, n_channels)."""
        if self._stream is None:
            return samples
        return self._stream.resample_chunk(np.ascontiguousarray(samples), last=is_last)
