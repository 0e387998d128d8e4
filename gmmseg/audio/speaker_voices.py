"""Enrolled voices: what is kept of each speaker, and how a recording is held to all of them.

Frames are scored twice. A PLDA over supervectors learned from other speakers knows how a second of
speech differs from another second of the same voice; mixtures learned from the enrolled speakers
alone know details, once there is enough speech. The sum leans on the second with the duration of
what was enrolled. What is wrong with a recording, its noise or its line, is wrong with all of its
frames: however long it is, it says no more than a few seconds would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.plda import PLDA, log_likelihood_ratios, project
from gmmseg.audio.plda_fit import fit_plda
from gmmseg.audio.speaker_mixtures import SpeakerMixtures, fit_speaker_mixtures
from gmmseg.audio.speaker_prior import SpeakerPrior
from gmmseg.audio.speech_frames import Frames, pooled, without_mean
from gmmseg.errors import InputError

FRAMES_PER_EMBEDDING = 100  # of a second is a supervector what the PLDA was trained on
FEWEST_EMBEDDINGS, MOST_EMBEDDINGS = 0.3, 3.0  # what a session is worth, however long it is
FRAMES_TO_TRUST = 2000  # of a speaker: half of what endless speech would be trusted
INDEPENDENCE = 0.2  # of neighbouring frames, which say much the same
# Fitted on voices that neither the prior nor the mixtures knew, half of them enrolled: there a
# ratio says what it claims, and known and unknown voices are mistaken for each other as often.
CALIBRATION, OFFSET = 0.3, 0.5

Microphones = Literal["same", "any", "different"]
# Whether mixtures see frames less the mean of a recording, or less its loudness, or one of each.
VIEWS: dict[Microphones, tuple[bool, ...]] = {
    "same": (False,),
    "any": (False, True),
    "different": (True,),
}

Array = NDArray[np.float64]


class Voices(Protocol):
    """What is kept of the enrolled speakers; `tables` are frames, or embeddings, of recordings."""

    def log_ratios(self, table: NDArray[Any]) -> Array:
        """Return log p(table | speaker) - log p(table | anyone), (n_speakers,)."""

    def with_speaker(self, tables: Sequence[NDArray[Any]]) -> "Voices":
        """Return the voices with one more, the last."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for a model file."""


@dataclass(frozen=True, eq=False)
class FrameVoices:
    """Voices known by their frames.

    Parameters
    ----------
    prior : SpeakerPrior
        What is known of voices in general.
    mixtures : tuple of SpeakerMixtures
        A mixture per speaker, in each view of the frames.
    embeddings : ndarray of shape (n_speakers, n_features)
        Supervector of each speaker under the prior.
    n_frames : ndarray of shape (n_speakers,)
        Number of frames that each was enrolled with.
    microphones : {"same", "any", "different"}
        Whether recordings of one speaker come from one microphone and room.
    """

    prior: SpeakerPrior
    mixtures: tuple[SpeakerMixtures, ...]
    embeddings: Array
    n_frames: Array
    microphones: Microphones

    def __post_init__(self) -> None:
        n_speakers = len(self.n_frames)
        if [len(one.weights) for one in self.mixtures] != [n_speakers] * len(self._views):
            raise InputError(f"mixtures do not fit {n_speakers} speakers")
        wanted = ((n_speakers, self.prior.plda.n_features), (n_speakers,))
        if (self.embeddings.shape, self.n_frames.shape) != wanted:
            raise InputError(
                f"embeddings {self.embeddings.shape} do not fit {self.n_frames.shape} speakers"
            )
        if not (np.isfinite(self.embeddings).all() and (self.n_frames > 0).all()):
            raise InputError("embeddings must be finite, and numbers of frames above 0")

    @classmethod
    def of(
        cls,
        tables: Mapping[str, Sequence[Frames]],
        prior: SpeakerPrior,
        *,
        microphones: Microphones,
        random_state: int | None,
    ) -> "FrameVoices":
        """Return the voices of some speakers, each with the frames of one or more recordings."""
        mixtures = [
            fit_speaker_mixtures(
                {
                    name: [_seen(one, prior, is_removed) for one in own]
                    for name, own in tables.items()
                },
                random_state=random_state,
            )
            for is_removed in VIEWS[microphones]
        ]
        return cls(
            prior,
            tuple(mixtures),
            np.array([prior.embed(_levelled(own, prior)) for own in tables.values()]),
            np.array([float(sum(map(len, own))) for own in tables.values()]),
            microphones,
        )

    def log_ratios(self, table: Frames) -> Array:
        """Return log p(frames | speaker) - log p(frames | anyone), (n_speakers,)."""
        heard = min(1.0, MOST_EMBEDDINGS * FRAMES_PER_EMBEDDING / len(table))
        of_mixtures = heard * np.mean(
            [
                one.log_ratios(_seen(table, self.prior, is_removed))
                for one, is_removed in zip(self.mixtures, self._views, strict=True)
            ],
            axis=0,
        )
        trust = INDEPENDENCE * self.n_frames / (self.n_frames + FRAMES_TO_TRUST)
        return CALIBRATION * (self._ratios_of_plda(table) + trust * of_mixtures) + OFFSET

    @property
    def _views(self) -> tuple[bool, ...]:
        return VIEWS[self.microphones]

    def _ratios_of_plda(self, table: Frames) -> Array:
        plda = self.prior.plda
        # Microphones of the prior were others: the centre goes over to that of those enrolled.
        center = (self.embeddings.sum(axis=0) + plda.center) / (len(self.embeddings) + 1.0)
        tested = self.prior.embed(_levelled([table], self.prior))[None]
        ratios = log_likelihood_ratios(
            project(self.embeddings, plda, center=center),
            project(tested, plda, center=center),
            plda,
            n_enrolled=_n_embeddings(self.n_frames),
            n_tested=_n_embeddings(float(len(table))),
        )
        return ratios[:, 0]

    def with_speaker(self, tables: Sequence[Frames]) -> "FrameVoices":
        """Return the voices with one more, the last."""
        frames = _levelled(tables, self.prior)
        return FrameVoices(
            self.prior,
            tuple(
                one.with_speaker([_seen(table, self.prior, is_removed) for table in tables])
                for one, is_removed in zip(self.mixtures, self._views, strict=True)
            ),
            np.vstack([self.embeddings, self.prior.embed(frames)]),
            np.append(self.n_frames, float(len(frames))),
            self.microphones,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for a model file."""
        own = {"embeddings": self.embeddings, "n_frames": self.n_frames}
        for is_removed, one in zip(self._views, self.mixtures, strict=True):
            own |= {_view_name(is_removed, key): array for key, array in one.arrays().items()}
        return self.prior.arrays() | own

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], microphones: Microphones
    ) -> "FrameVoices":
        """Return the voices of what `arrays` gave."""
        mixtures = []
        for is_removed in VIEWS[microphones]:
            head = _view_name(is_removed, "")
            own = {key.removeprefix(head): array for key, array in arrays.items() if head in key}
            mixtures.append(SpeakerMixtures.from_arrays(own))
        return cls(
            SpeakerPrior.from_arrays(arrays),
            tuple(mixtures),
            arrays["embeddings"],
            arrays["n_frames"],
            microphones,
        )


@dataclass(frozen=True, eq=False)
class EmbeddedVoices:
    """Voices known by embeddings that somebody else's model made of recordings.

    Parameters
    ----------
    plda : PLDA
        How the embeddings differ within and across the enrolled speakers.
    embeddings : ndarray of shape (n_speakers, n_dims)
        Mean of each speaker, projected.
    n_recordings : ndarray of shape (n_speakers,)
        Number of recordings of each.
    """

    plda: PLDA
    embeddings: Array
    n_recordings: Array

    def __post_init__(self) -> None:
        wanted = (len(self.n_recordings), self.plda.n_dims)
        if self.embeddings.shape != wanted or not (self.n_recordings > 0).all():
            raise InputError(f"embeddings must have shape {wanted}, got {self.embeddings.shape}")

    @classmethod
    def of(cls, tables: Mapping[str, Sequence[NDArray[Any]]]) -> "EmbeddedVoices":
        """Return the voices of some speakers, each with embeddings of one or more recordings."""
        lengths = sorted({table.shape[1] for own in tables.values() for table in own})
        if len(lengths) > 1:
            raise InputError(f"all embeddings must be equally long, got {lengths} features")
        # Rows of one recording are too much alike to tell how recordings of one speaker differ.
        has_several = any(len(own) > 1 for own in tables.values())
        units = [
            [table.mean(axis=0) for table in own] if has_several else list(own[0])
            for own in tables.values()
        ]
        speakers = np.repeat(np.arange(len(units)), [len(own) for own in units])
        # Of so many differences within speakers, half as many directions can be known.
        n_components = max((len(speakers) - len(units)) // 2, 1)
        X = np.array([row for own in units for row in own])
        plda = fit_plda(X, speakers, n_components=n_components, length_normalize=True)
        return cls(
            plda,
            np.array([_mean_recording(own, plda) for own in tables.values()]),
            np.array([float(len(own)) for own in tables.values()]),
        )

    def log_ratios(self, table: NDArray[Any]) -> Array:
        """Return log p(embeddings | speaker) - log p(embeddings | anyone), (n_speakers,)."""
        tested = _mean_recording([table], self.plda)[None]
        return log_likelihood_ratios(
            self.embeddings, tested, self.plda, n_enrolled=self.n_recordings
        )[:, 0]

    def with_speaker(self, tables: Sequence[NDArray[Any]]) -> "EmbeddedVoices":
        """Return the voices with one more, the last."""
        return EmbeddedVoices(
            self.plda,
            np.vstack([self.embeddings, _mean_recording(tables, self.plda)]),
            np.append(self.n_recordings, float(len(tables))),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for a model file."""
        own = {"embeddings": self.embeddings, "n_recordings": self.n_recordings}
        return own | {f"plda_{name}": array for name, array in self.plda.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "EmbeddedVoices":
        """Return the voices of what `arrays` gave."""
        plda = {name.removeprefix("plda_"): array for name, array in arrays.items()}
        return cls(PLDA.from_arrays(plda), arrays["embeddings"], arrays["n_recordings"])


def _seen(frames: Frames, prior: SpeakerPrior, is_removed: bool) -> Frames:  # noqa: FBT001 (private)
    return without_mean(frames) if is_removed else prior.levelled(frames)


def _levelled(tables: Sequence[Frames], prior: SpeakerPrior) -> Frames:
    """Return the frames of some recordings in one table, equally loud."""
    return pooled([prior.levelled(table) for table in tables])


def _view_name(is_removed: bool, name: str) -> str:  # noqa: FBT001 (a private pair)
    return f"{'removed' if is_removed else 'whole'}_{name}"


def _n_embeddings(n_frames: Any) -> Any:
    """Return how many independent embeddings so many frames are worth."""
    return np.clip(n_frames / FRAMES_PER_EMBEDDING, FEWEST_EMBEDDINGS, MOST_EMBEDDINGS)


def _mean_recording(tables: Sequence[NDArray[Any]], plda: PLDA) -> Array:
    """Return the mean of recordings, each the mean of its projected embeddings."""
    means = [project(table, plda).mean(axis=0) for table in tables]
    mean: Array = np.mean(means, axis=0)
    return mean
