"""Resegmentation: borders between known speakers, found again frame by frame.

Windows of a second or two tell who speaks, but not when exactly. Here each speaker gets a mixture,
adapted from a background to the frames that are theirs so far, and a chain says whose each frame
is; a few rounds of both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.adaptation import adapted
from gmmseg.core.estep import expectation, log_densities
from gmmseg.core.mstep import variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import check_above, check_number, check_samples
from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain, minimum_duration
from gmmseg.smoothing.chain_decoding import forward_backward, viterbi

FLOOR = 1e-3  # of the mean variance of speech: no variance of a speaker goes below


@dataclass(frozen=True, eq=False)
class Resegmentation:
    """Hold whose each frame is.

    Parameters
    ----------
    labels : ndarray of int of shape (n_frames,)
        Number of the speaker, as given at the start; 0 where nobody speaks.
    posteriors : ndarray of float32 of shape (n_frames, n_speakers)
        Probability of each speaker in each frame of speech, 0 elsewhere; by the voices of the last
        round, and in the order of `speakers`. Where two speak at once, the second is likely the
        second speaker.
    speakers : ndarray of int of shape (n_speakers,)
        Numbers of the speakers, ascending.
    n_rounds : int
        Number of rounds that the labels come from; 0 if they are those of the start.
    lost : tuple of int
        Speakers who would have had no frame left after one more round, which is why it was not
        taken. Empty if all rounds were.
    """

    labels: NDArray[np.intp]
    posteriors: NDArray[np.float32]
    speakers: NDArray[np.intp]
    n_rounds: int
    lost: tuple[int, ...]


def resegment(
    features: ArrayLike,
    labels: ArrayLike,
    background: MixtureParameters,
    *,
    speech: ArrayLike | None = None,
    n_rounds: int = 3,
    relevance_factor: float = 16.0,
    evidence_scale: float = 0.2,
    least_frames: int = 50,
    mean_frames: float = 300.0,
) -> Resegmentation:
    """Return whose each frame is, given whose it is about.

    No speaker is lost: a round that would leave one without a frame is not taken, and says so.

    Parameters
    ----------
    features : array_like of shape (n_frames, n_features)
        Frames in order of time, NaN where a value is missing.
    labels : array_like of int of shape (n_frames,)
        Speaker of each frame to start from, numbered from 1; 0 where it is not known.
    background : MixtureParameters
        Mixture of the frames of many speakers, or of all of this recording.
    speech : array_like of bool of shape (n_frames,), optional
        Where someone speaks; where `labels` are above 0 if None. Other frames are label 0, and
        their time passes without evidence.
    n_rounds : int
        Largest number of rounds, at least 1.
    relevance_factor : float
        Number of frames that the background counts as, in each component of a speaker's mixture.
    evidence_scale : float
        How much a frame counts, above 0; below 1 since frames that overlap repeat each other.
    least_frames, mean_frames : int, float
        Number of frames that a turn lasts at least, and on average.

    Returns
    -------
    resegmentation : Resegmentation
        Labels and posteriors.

    Raises
    ------
    InputError
        If shapes do not fit together, a speaker has no frame of speech to start from, or an option
        cannot be used.

    References
    ----------
    Reynolds, Torres-Carrasquillo (2005), "Approaches and applications of audio diarization",
    DOI 10.1109/ICASSP.2005.1416463.

    Examples
    --------
    >>> voices = MixtureParameters(
    ...     [0.5, 0.5], [[-3.0], [3.0]], [[1.0], [1.0]], covariance_type="diag"
    ... )
    >>> frames = np.repeat([[-3.0], [3.0]], 100, axis=0)
    >>> start = np.repeat([1, 2], [120, 80])
    >>> found = resegment(frames, start, voices, least_frames=20)
    >>> np.bincount(found.labels)
    array([  0, 100, 100])
    """
    check_number("n_rounds", n_rounds, least=1, is_whole=True)
    check_number("least_frames", least_frames, least=1, is_whole=True)
    check_above("mean_frames", mean_frames, least_frames, "least_frames")
    check_above("evidence_scale", evidence_scale, 0.0)
    X = check_samples(features, background.n_features)
    before, is_speech = _checked_labels(labels, speech, len(X))
    speakers = np.unique(before[before > 0])
    floor = variance_floor(expectation(X[is_speech], background), FLOOR, has_one_unit=True)
    turns = Chain.of_durations(np.full(len(speakers), mean_frames - least_frames + 1.0))
    chain = minimum_duration(turns, least_frames)
    posteriors = np.zeros((len(X), len(speakers)), dtype=np.float32)
    lost: tuple[int, ...] = ()
    n_done = 0
    while n_done < n_rounds:
        table = np.zeros(posteriors.shape)
        for k, speaker in enumerate(speakers):
            statistics = expectation(X[before == speaker], background)
            voice = adapted(background, statistics, relevance_factor=relevance_factor, floor=floor)
            table[is_speech, k] = evidence_scale * log_densities(X[is_speech], voice)
        posteriors[is_speech] = forward_backward(table, chain)[0][is_speech]
        after = np.where(is_speech, speakers[viterbi(table, chain)[0]], 0)
        lost = tuple(int(number) for number in np.setdiff1d(speakers, after))
        if lost or (after == before).all():
            break
        before, n_done = after, n_done + 1
    return Resegmentation(before, posteriors, speakers, n_done, lost)


def _checked_labels(
    labels: ArrayLike, speech: ArrayLike | None, n_frames: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the labels within speech, 0 elsewhere, and where speech is."""
    given: NDArray[Any] = np.asarray(labels)
    if given.shape != (n_frames,) or given.dtype.kind not in "iu" or given.min() < 0:
        raise InputError(
            f"labels must be whole numbers of at least 0, one for each of {n_frames} frames, got "
            f"{given.dtype} of shape {given.shape}"
        )
    is_speech = given > 0 if speech is None else np.asarray(speech)
    if is_speech.shape != (n_frames,) or is_speech.dtype != np.bool_:
        raise InputError(
            f"speech must be True or False for each of {n_frames} frames, got {is_speech.dtype} of "
            f"shape {is_speech.shape}"
        )
    inside = np.where(is_speech, given, 0).astype(np.intp)
    if not inside.any():
        raise InputError("labels name no speaker in any frame of speech; give at least one")
    if len(missing := np.setdiff1d(given[given > 0], inside)):
        raise InputError(
            f"speaker {missing[0]} has no frame of speech to start from; leave such a speaker out"
        )
    return inside, is_speech
