"""Learn the prior of diarization from conversations of which one knows who speaks when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.diarization_prior import DiarizationPrior
from gmmseg.audio.plda_fit import fit_plda
from gmmseg.audio.speech_windows import LENGTH, SpeechWindows
from gmmseg.audio.window_embeddings import supervectors
from gmmseg.core.mixture import GaussianMixture
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError

N_GAUSSIANS = 8
N_COMPONENTS = 60  # principal components of the windows
N_DIMS = 40  # directions kept that tell speakers apart
EVERY = 6  # frames taken for the background: neighbours repeat each other
LEAST_PURE = 0.9  # of a window, by one speaker, to be learned from
LEAST_FRAMES = 100  # of a window


@dataclass(frozen=True, eq=False)
class Conversation:
    """Hold the frames of a recording and who speaks in them.

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        Frames, as `without_loudness` gives them.
    speakers : ndarray of bool of shape (n_frames, n_speakers)
        True where a speaker speaks. Speakers of different conversations are taken for different:
        only how speakers differ within one matters.
    """

    features: NDArray[np.float32]
    speakers: NDArray[np.bool_]

    @property
    def is_speech(self) -> NDArray[np.bool_]:
        """Where anyone speaks, (n_frames,)."""
        return self.speakers.max(axis=1)

    @property
    def centered(self) -> NDArray[np.float32]:
        """Frames about the mean of speech, which takes microphone and room out."""
        return self.features - self.features[self.is_speech].mean(axis=0)


def fit_diarization_prior(
    conversations: Sequence[Conversation], *, sr: int, random_state: int = 0
) -> DiarizationPrior:
    """Return the background and the PLDA of conversations.

    Parameters
    ----------
    conversations : sequence of Conversation
        Recordings of several speakers each.
    sr : int
        Their sampling rate, in Hz.
    random_state : int
        Seed of the start of the background mixture.

    Returns
    -------
    prior : DiarizationPrior
        What `diarize` needs to know of voices.

    Raises
    ------
    InputError
        If no conversation has two speakers with windows of their own.
    """
    background = fit_background(conversations, random_state)
    tables, names = [], []
    for i, conversation in enumerate(conversations):
        X, speakers = pure_windows(conversation, background)
        if len(np.unique(speakers)) > 1:
            tables.append(X - X.mean(axis=0))
            names += [f"{i} {speaker}" for speaker in speakers]
    if not tables:
        raise InputError(
            "no conversation has two speakers with windows of their own; give longer turns"
        )
    plda = fit_plda(np.concatenate(tables), names, n_components=N_COMPONENTS, n_dims=N_DIMS)
    return DiarizationPrior(sr, background, plda)


def fit_background(conversations: Iterable[Conversation], random_state: int) -> MixtureParameters:
    """Return a mixture of the frames of speech, centred by conversation."""
    frames = [one.centered[one.is_speech][::EVERY] for one in conversations]
    mixture = GaussianMixture(
        N_GAUSSIANS, covariance_type="diag", covariance_floor=1e-3, random_state=random_state
    ).fit(np.concatenate(frames))
    return MixtureParameters(
        mixture.weights_, mixture.means_, mixture.covariances_, covariance_type="diag"
    )


def pure_windows(
    conversation: Conversation, background: MixtureParameters
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the embeddings of windows of one speaker alone, and who that is.

    Windows overlap by half, so that neighbours do not count twice over.
    """
    windows = SpeechWindows.of(conversation.is_speech, length=LENGTH, step=LENGTH // 2)
    X = supervectors(conversation.centered, windows, background)
    sums = np.concatenate([[conversation.speakers[0] * 0], conversation.speakers.cumsum(axis=0)])
    shares = (sums[windows.ends] - sums[windows.starts]) / windows.durations[:, np.newaxis]
    rest = shares.sum(axis=1) - shares.max(axis=1)
    is_pure = (shares.max(axis=1) >= LEAST_PURE) & (rest <= 1.0 - LEAST_PURE)
    is_pure &= windows.durations >= LEAST_FRAMES
    return X[is_pure], shares.argmax(axis=1)[is_pure]
