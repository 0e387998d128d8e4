"""Diarization of a sound file of any length: frames are made of it block by block."""

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

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
) -> tuple[list[Segment], float]:
    """Return who speaks when in a file, as `diarize` does, and its duration in seconds."""
    limits = checked_limits(n_speakers, min_speakers, max_speakers)
    prior = shipped_prior()
    if speech is None:
        speech = speech_in(audio_blocks(path, sr=prior.sr), sr=prior.sr)
    features, duration = features_of_file(path, prior.sr)
    turns = diarize_frames(features, list(speech), prior, limits=limits, duration=duration)
    return turns, duration


def features_of_file(path: str | os.PathLike[str], sr: int) -> tuple[NDArray[np.float32], float]:
    """Return the frames of `voice_features`, and the duration in seconds."""
    stream = FrameStream(sr=sr, kind="mfcc", n_mfcc=N_MFCC, n_mels=N_MELS)
    tables, n_samples = [], 0
    for block in audio_blocks(path, sr=sr):
        tables.append(stream.push(block)[:, 1:])
        n_samples += len(block)
    tables.append(stream.finish()[:, 1:])
    return np.concatenate(tables), n_samples / sr
