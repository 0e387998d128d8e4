"""Diarization of a sound file of any length: frames are made of it block by block."""

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.diarization import checked_limits, diarize_frames, speech_in
from gmmseg.audio.diarization_prior import N_MELS, N_MFCC, shipped_prior
from gmmseg.audio.frame_stream import FrameStream
from gmmseg.audio.io import audio_blocks
from gmmseg.audio.timeline import Segment


def diarize_recording(
    path: str | os.PathLike[str],
    *,
    n_speakers: int | None = None,
    speech: Iterable[Segment] | None = None,
    min_speakers: int = 1,
    max_speakers: int | None = None,
    embeddings: ArrayLike | None = None,
) -> tuple[list[Segment], float]:
    """Return who speaks when in a file, as `diarize` does, and its duration in seconds."""
    limits = checked_limits(n_speakers, min_speakers, max_speakers)
    prior = shipped_prior()
    heard = speech_in_file(path) if speech is None else list(speech)
    features, duration = features_of_file(path, prior.sr)
    turns = diarize_frames(
        features, heard, prior, limits=limits, duration=duration, embeddings=embeddings
    )
    return turns, duration


def speech_in_file(path: str | os.PathLike[str]) -> list[Segment]:
    """Return where speech is in a file by voice activity, as `diarize` finds it."""
    sr = shipped_prior().sr
    return speech_in(audio_blocks(path, sr=sr), sr=sr)


def features_of_file(path: str | os.PathLike[str], sr: int) -> tuple[NDArray[np.float32], float]:
    """Return the frames of `voice_features`, and the duration in seconds."""
    stream = FrameStream(sr=sr, kind="mfcc", n_mfcc=N_MFCC, n_mels=N_MELS)
    tables, n_samples = [], 0
    for block in audio_blocks(path, sr=sr):
        tables.append(stream.push(block)[:, 1:])
        n_samples += len(block)
    tables.append(stream.finish()[:, 1:])
    return np.concatenate(tables), n_samples / sr
