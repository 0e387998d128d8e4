"""Diarization: who speaks when, each turn under the label of its speaker."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.clustering_number import cluster_speakers
from gmmseg.audio.features import frame_features
from gmmseg.audio.plda import project
from gmmseg.audio.recording_scale import within_scale
from gmmseg.audio.resampling import resampled
from gmmseg.audio.resegmentation_blocks import resegment_in_blocks
from gmmseg.audio.signals import checked_rate, checked_signal
from gmmseg.audio.speaker_prior import N_MELS, N_MFCC, SpeakerPrior, shipped_prior
from gmmseg.audio.speech_windows import LENGTH, STEP, SpeechWindows
from gmmseg.audio.timeline import Segment, intersection, union
from gmmseg.audio.timeline_frames import frames_from_segments, segments_from_frames
from gmmseg.audio.vb_hmm import cluster_by_vb_hmm
from gmmseg.audio.voice import detect_voice
from gmmseg.audio.window_embeddings import supervectors
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

HOP = 0.010  # seconds from frame to frame
VB_FA, VB_FB, VB_LOOP = 0.3, 1.0, 0.8


def diarize(
    y: ArrayLike,
    *,
    sr: float,
    n_speakers: int | None = None,
    speech: Iterable[Segment] | None = None,
    min_speakers: int = 1,
    max_speakers: int | None = None,
) -> list[Segment]:
    """Tell who speaks when."""
    samples = checked_signal(y, sr=sr)
    mono = samples if samples.ndim == 1 else samples.mean(axis=0)
    prior = shipped_prior()
    duration = len(mono) / checked_rate(sr)
    limits = checked_limits(n_speakers, min_speakers, max_speakers)
    heard = detect_voice(mono, sr=sr) if speech is None else list(speech)
    table = voice_features(resampled(mono, sr=checked_rate(sr), to=prior.sr), prior.sr)
    return diarize_frames(table, heard, prior, limits=limits, duration=duration)


def checked_limits(
    n_speakers: int | None, min_speakers: int, max_speakers: int | None
) -> tuple[int, int | None]:
    """Return the smallest and the largest number of speakers, checked."""
    for name, number in {
        "n_speakers": n_speakers, "min_speakers": min_speakers, "max_speakers": max_speakers,
    }.items():  # fmt: skip
        if number is not None:
            check_number(name, number, least=1, is_whole=True)
    if n_speakers is not None:
        if min_speakers != 1 or max_speakers is not None:
            raise InputError(
                f"n_speakers={n_speakers} says all; leave min_speakers and max_speakers out"
            )
        return n_speakers, n_speakers
    if max_speakers is not None and max_speakers < min_speakers:
        raise InputError(
            f"max_speakers must be at least min_speakers={min_speakers}, got {max_speakers}"
        )
    return min_speakers, max_speakers


def voice_features(y: NDArray[np.float32], sr: int) -> NDArray[np.float32]:
    """Return the cepstra of all frames without the first, the loudness."""
    return frame_features(y, sr=sr, kind="mfcc", n_mfcc=N_MFCC, n_mels=N_MELS)[:, 1:]


def diarize_frames(
    features: NDArray[np.float32],
    speech: list[Segment],
    prior: SpeakerPrior,
    *,
    limits: tuple[int, int | None] = (1, None),
    duration: float,
) -> list[Segment]:
    """Return the turns of speakers, from the features of frames and from where speech is."""
    heard = intersection(union(speech, label="speech"), [Segment(0.0, duration)])
    is_speech = frames_from_segments(heard, len(features), hop=HOP)
    if not is_speech.any():
        return [Segment(part.start, part.end, "speaker1") for part in heard]
    centered = features - features[is_speech].mean(axis=0, dtype=np.float64).astype(np.float32)
    windows = SpeechWindows.of(is_speech, length=LENGTH, step=STEP)
    labels = window_speakers(
        supervectors(centered, windows, prior.background), windows, prior, limits
    )
    frames = windows.spread(labels, len(features)) + 1
    frames = resegment_in_blocks(centered, frames, prior.background)
    return _turns(frames, heard, duration)


def window_speakers(
    embeddings: NDArray[np.float64],
    windows: SpeechWindows,
    prior: SpeakerPrior,
    limits: tuple[int, int | None],
) -> NDArray[np.intp]:
    """Return the speaker of each window, numbered from 0."""
    least, most = limits
    weights = windows.durations / LENGTH
    center = np.average(embeddings, axis=0, weights=windows.durations)
    X = project(embeddings, prior.plda, center=center)
    X /= np.sqrt(within_scale(X, windows))
    start = cluster_speakers(X, weights, prior.plda, least=least, most=most)
    found = cluster_by_vb_hmm(
        X, prior.plda.phi, start, fa=VB_FA, fb=VB_FB, loop_probability=VB_LOOP, weights=weights
    )
    return start if found.n_speakers < least else found.labels


def _turns(frames: NDArray[np.intp], heard: list[Segment], duration: float) -> list[Segment]:
    """Return turns that tile the speech heard, speakers named by first appearance."""
    is_known = frames > 0
    nearest = np.maximum.accumulate(np.where(is_known, np.arange(len(frames)), -1))
    nearest[nearest < 0] = is_known.argmax()
    everywhere = frames[nearest]
    numbers, first = np.unique(everywhere, return_index=True)
    rank = np.argsort(np.argsort(first))
    ranked = rank[np.searchsorted(numbers, everywhere)]
    names = [f"speaker{i + 1}" for i in range(len(numbers))]
    return intersection(
        segments_from_frames(ranked, hop=HOP, labels=names, duration=duration), heard
    )
