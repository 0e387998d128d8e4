"""Diarization of a sound file of any length: frames are made of it block by block."""

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.diarization import checked_limits, diarize_frames, speech_in
from gmmseg.audio.diarization_prior import N_MELS, N_MFCC, shipped_prior
from gmmseg.audio.frame_stream import FrameStream
from gmmseg.audio.offset import CentredFile
from gmmseg.audio.timeline import Segment


def recording(path: str | os.PathLike[str]) -> CentredFile:
    """Return a file as it is heard here: an offset of the microphone is no sound."""
    return CentredFile(path, shipped_prior().sr)


def diarize_recording(
    sound: CentredFile,
    *,
    n_speakers: int | None = None,
    speech: Iterable[Segment] | None = None,
    min_speakers: int = 1,
    max_speakers: int | None = None,
    embeddings: ArrayLike | None = None,
    overlap: bool = True,
) -> tuple[list[Segment], float]:
    """Return who speaks when in a `recording`, as `diarize` does, and its duration in seconds."""
    limits = checked_limits(n_speakers, min_speakers, max_speakers)
    prior = shipped_prior()
    heard = speech_in_file(sound) if speech is None else list(speech)
    frames, duration = cepstra_of_file(sound)
    turns = diarize_frames(
        frames,
        heard,
        prior,
        limits=limits,
        duration=duration,
        embeddings=embeddings,
        overlap=overlap,
    )
    return turns, duration


def speech_in_file(sound: CentredFile) -> list[Segment]:
    """Return where speech is in a `recording` by voice activity, as `diarize` finds it."""
    return speech_in(sound.blocks(), sr=sound.sr)


def cepstra_of_file(sound: CentredFile) -> tuple[NDArray[np.float32], float]:
    """Return the cepstra of all frames, and the duration in seconds."""
    stream = FrameStream(sr=sound.sr, kind="mfcc", n_mfcc=N_MFCC, n_mels=N_MELS)
    tables, n_samples = [], 0
    for block in sound.blocks():
        tables.append(stream.push(block))
        n_samples += len(block)
    tables.append(stream.finish())
    return np.concatenate(tables), n_samples / sound.sr
