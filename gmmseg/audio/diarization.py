"""Diarization: who speaks when, each turn under the label of its speaker."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.clustering_number import cluster_speakers
from gmmseg.audio.diarization_prior import N_MELS, N_MFCC, DiarizationPrior, shipped_prior
from gmmseg.audio.features import frame_features
from gmmseg.audio.framing import HOP
from gmmseg.audio.mel import log_mel_of
from gmmseg.audio.offset import centred
from gmmseg.audio.plda import PLDA, checked_embeddings, project
from gmmseg.audio.recording_plda import plda_of_recording
from gmmseg.audio.recording_scale import within_scale
from gmmseg.audio.resampling import resampled
from gmmseg.audio.resegmentation_blocks import resegment_in_blocks
from gmmseg.audio.second_speakers import PER_DECIBEL, second_speakers
from gmmseg.audio.signals import checked_rate, checked_signal
from gmmseg.audio.slivers import without_slivers
from gmmseg.audio.speech_windows import LENGTH, STEP, SpeechWindows
from gmmseg.audio.timeline import Segment, fill_gaps, intersection, union
from gmmseg.audio.timeline_frames import frames_from_segments, segments_from_frames
from gmmseg.audio.vb_hmm import cluster_by_vb_hmm
from gmmseg.audio.voice import Sound, detect_voice
from gmmseg.audio.window_embeddings import supervectors
from gmmseg.core.validation import check_above, check_number
from gmmseg.errors import InputError

LONGEST_PAUSE = 0.5  # seconds inside of a turn
VB_FA, VB_FB, VB_LOOP = 0.3, 1.0, 0.8


def diarize(
    y: ArrayLike,
    *,
    sr: float,
    n_speakers: int | None = None,
    speech: Iterable[Segment] | None = None,
    min_speakers: int = 1,
    max_speakers: int | None = None,
    embeddings: ArrayLike | None = None,
    overlap: bool = True,
) -> list[Segment]:
    """Tell who speaks when.

    Windows of 1.5 s of speech become vectors, by where the means of a mixture that comes with
    gmmseg move to in them; a PLDA, which comes with it too, tells how likely two clusters of them
    are one voice; a hidden Markov chain settles the windows, and adapted mixtures the borders
    between turns. The answer depends neither on the gain of the recording nor on an offset of its
    samples, and is the same every time.

    Parameters
    ----------
    y : array_like of shape (n_samples,) or (n_channels, n_samples)
        Sound; of several channels the mean is taken.
    sr : float
        Sampling rate, in Hz.
    n_speakers : int, optional
        Number of speakers, if known. A recording with fewer windows than that has fewer.
    speech : iterable of Segment, optional
        Where speech is; labels do not matter. Found by `detect_voice` if None.
    min_speakers, max_speakers : int
        Limits of the number of speakers, if it is not known.
    embeddings : array_like of shape (n_windows, n_features), optional
        Vectors of your own, of any model of voices, for the windows that `diarization_windows`
        gives for the same `speech`, in the same order. How voices vary is then learned from the
        recording itself.
    overlap : bool
        Whether one who speaks while another does, around a change of speakers, is named too where
        the sound is clearly explained better by both: of overlap in made calls a tenth, and nine
        in ten of these labels are right. If False, one speaks at a time.

    Returns
    -------
    turns : list of Segment
        Turns in order of time, labelled "speaker1", "speaker2", … by first appearance. They tile
        the speech: one speaker at a time but for `overlap`. Empty if there is no speech.

    Raises
    ------
    InputError
        If the sound or an option cannot be used, or the rows of `embeddings` are not as many as
        the windows.

    See Also
    --------
    diarization_windows : Where the windows of embeddings lie.

    References
    ----------
    Landini, Profant, Diez, Burget (2022), "Bayesian HMM clustering of x-vector sequences (VBx) in
    speaker diarization", DOI 10.1016/j.csl.2021.101254.

    Examples
    --------
    >>> from gmmseg.audio import diarize, read_audio
    >>> y, sr = read_audio("data/conversation.flac")
    >>> turns = diarize(y, sr=sr)
    >>> sorted({turn.label for turn in turns})
    ['speaker1', 'speaker2']
    """
    samples = checked_signal(y, sr=sr)
    mono = centred(samples if samples.ndim == 1 else samples.mean(axis=0))
    limits = checked_limits(n_speakers, min_speakers, max_speakers)
    prior = shipped_prior()
    rate = checked_rate(sr)
    heard = speech_in(mono, sr=sr) if speech is None else list(speech)
    return diarize_frames(
        cepstra(resampled(mono, sr=rate, to=prior.sr), prior.sr),
        heard,
        prior,
        limits=limits,
        duration=len(mono) / rate,
        embeddings=embeddings,
        overlap=overlap,
    )


def diarization_windows(speech: Iterable[Segment], *, duration: float) -> list[Segment]:
    """Return the windows of speech that `diarize` takes embeddings of.

    Parameters
    ----------
    speech : iterable of Segment
        Where speech is; labels do not matter.
    duration : float
        Duration of the recording, in seconds.

    Returns
    -------
    windows : list of Segment
        Windows of 1.5 s, about 0.5 s apart, and shorter ones where a stretch of speech is shorter;
        in order of time.

    Raises
    ------
    InputError
        If `duration` is not above 0.

    Examples
    --------
    >>> from gmmseg.audio import Segment, diarization_windows
    >>> [window.start for window in diarization_windows([Segment(0.0, 2.5)], duration=3.0)]
    [0.0, 0.5, 1.0]
    """
    check_above("duration", duration, 0.0)
    n_frames = 1 + int(duration / HOP + 1e-6)
    windows = SpeechWindows.of(
        frames_from_segments(_heard(speech, duration), n_frames, hop=HOP), length=LENGTH, step=STEP
    )
    pairs = zip(windows.starts.tolist(), windows.ends.tolist(), strict=True)
    return [Segment(start * HOP, end * HOP) for start, end in pairs]


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


def speech_in(y: Sound, *, sr: float) -> list[Segment]:
    """Return where speech is by voice activity; short pauses are part of a turn."""
    return fill_gaps(detect_voice(y, sr=sr), LONGEST_PAUSE)


def cepstra(y: NDArray[np.float32], sr: int) -> NDArray[np.float32]:
    """Return the cepstra of all frames."""
    return frame_features(y, sr=sr, kind="mfcc", n_mfcc=N_MFCC, n_mels=N_MELS)


def without_loudness(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return cepstra without the first, which is no mark of a voice."""
    return frames[:, 1:]


def diarize_frames(
    frames: NDArray[np.float32],
    speech: Iterable[Segment],
    prior: DiarizationPrior,
    *,
    limits: tuple[int, int | None],
    duration: float,
    embeddings: ArrayLike | None = None,
    overlap: bool = True,
) -> list[Segment]:
    """Return the turns of speakers, from the cepstra of frames and from where speech is."""
    heard = _heard(speech, duration)
    is_speech = frames_from_segments(heard, len(frames), hop=HOP)
    windows = SpeechWindows.of(is_speech, length=LENGTH, step=STEP)
    if embeddings is not None:
        table = checked_table(embeddings, len(windows))
    if not len(windows):
        return [Segment(part.start, part.end, "speaker1") for part in heard]
    features = without_loudness(frames)
    centered = features - features[is_speech].mean(axis=0, dtype=np.float64).astype(np.float32)
    if embeddings is None:
        table, plda = supervectors(centered, windows, prior.background), prior.plda
    else:
        plda = plda_of_recording(table, windows)
    labels = windows.spread(window_speakers(table, windows, plda, limits), len(frames)) + 1
    labels = without_slivers(resegment_in_blocks(centered, labels, prior.background))
    seconds = second_speakers(_levels(frames), labels) if overlap else np.zeros_like(labels)
    return _turns(labels, seconds, heard, duration)


def checked_table(embeddings: ArrayLike, n_windows: int) -> NDArray[np.float64]:
    """Return embeddings of one's own as float64, as many as there are windows."""
    if n_windows == 0 and np.size(embeddings) == 0:
        return np.zeros((0, 1))
    table = checked_embeddings(embeddings)
    if len(table) != n_windows:
        raise InputError(
            f"embeddings must be one for each of {n_windows} windows, got {len(table)}; "
            "diarization_windows tells where they lie"
        )
    return table


def window_speakers(
    embeddings: NDArray[np.float64],
    windows: SpeechWindows,
    plda: PLDA,
    limits: tuple[int, int | None],
) -> NDArray[np.intp]:
    """Return the speaker of each window, numbered from 0."""
    least, most = limits
    weights = windows.durations / LENGTH
    center = np.average(embeddings, axis=0, weights=windows.durations)
    X = project(embeddings, plda, center=center)
    X /= np.sqrt(within_scale(X, windows))
    start = cluster_speakers(X, weights, plda, least=least, most=most)
    found = cluster_by_vb_hmm(
        X, plda.phi, start, fa=VB_FA, fb=VB_FB, loop_probability=VB_LOOP, weights=weights
    )
    return start if found.n_speakers < min(least, len(windows)) else found.labels


def _heard(speech: Iterable[Segment], duration: float) -> list[Segment]:
    """Return where speech is inside the recording, without labels."""
    return intersection(union(speech, label="speech"), [Segment(0.0, duration)])


def _levels(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the power in pairs of bands, in dB: no more numbers than there are cepstra."""
    bands = log_mel_of(frames, n_mels=N_MELS) * np.float32(PER_DECIBEL)
    return np.logaddexp(bands[:, ::2], bands[:, 1::2]) / np.float32(PER_DECIBEL)


def _turns(
    frames: NDArray[np.intp], seconds: NDArray[np.intp], heard: list[Segment], duration: float
) -> list[Segment]:
    """Return turns that tile the speech heard, speakers named by first appearance."""
    is_known = frames > 0
    nearest = np.maximum.accumulate(np.where(is_known, np.arange(len(frames)), -1))
    nearest[nearest < 0] = is_known.argmax()
    everywhere = frames[nearest]
    numbers, first = np.unique(everywhere, return_index=True)
    rank = np.argsort(np.argsort(first))
    is_speaking = np.zeros((len(frames), len(numbers)), dtype=np.bool_)
    for owners in (everywhere, seconds):
        known = np.flatnonzero(owners)
        is_speaking[known, rank[np.searchsorted(numbers, owners[known])]] = True
    names = [f"speaker{i + 1}" for i in range(len(numbers))]
    turns = segments_from_frames(is_speaking, hop=HOP, labels=names, duration=duration)
    return intersection(turns, heard)
