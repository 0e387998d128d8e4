"""Recognise speakers: who of those enrolled is heard, whether it is the one claimed, or nobody."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from os import PathLike
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from gmmseg.audio import speaker_file
from gmmseg.audio.plda import checked_embeddings
from gmmseg.audio.speaker_answers import Identification, Verification
from gmmseg.audio.speaker_prior import load_speaker_prior
from gmmseg.audio.speaker_scores import probabilities, rival_ratios
from gmmseg.audio.speaker_voices import EmbeddedVoices, FrameVoices, Microphones, Voices
from gmmseg.audio.speech_frames import checked_frames, speaker_frames
from gmmseg.errors import InputError, NotFittedError

UNKNOWN = "unknown"
N_SHOWN = 5  # names of those enrolled, where somebody else is asked for
Features = Literal["frames", "embeddings"]

Array = NDArray[np.float64]


class SpeakerRecognizer(BaseEstimator):
    """Recognise speakers by mixtures adapted to each and a PLDA of supervectors.

    Seconds of speech of each speaker are enough to begin with; minutes make errors rare. How loud a
    recording is does not matter.

    Parameters
    ----------
    features : {"frames", "embeddings"}, default="frames"
        What speakers are known by: frames of sound, or embeddings that a model of your own made.
    microphones : {"same", "any", "different"}, default="any"
        Whether recordings of one speaker share a microphone and a room. Where they do, the mean
        spectrum is among the best that a short recording tells; where they do not, it misleads and
        is removed for "different". For "any" mixtures of both kinds have half a say each.
        Embeddings are compared as they are, and take "any" alone.
    prior : str or path, optional
        What is known of voices in general: a file of `SpeakerPrior`; the shipped one if None. Not
        for embeddings.
    random_state : int or None, default=0
        Seed of the start of the background mixture; embeddings need no chance.

    Attributes
    ----------
    speakers_ : tuple of str
        Names of the enrolled speakers, in the order of the columns of scores.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> def voice(pitch, n_seconds):
    ...     t = np.arange(8000 * n_seconds) / 8000
    ...     tones = [np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 15)]
    ...     return sum(tones) * (1 + np.sin(8 * t)) + 0.01 * rng.normal(size=len(t))
    >>> enrolled = {"anna": [voice(220, 3)], "ben": [voice(110, 3)]}
    >>> recognizer = SpeakerRecognizer().fit(enrolled, sr=8000)
    >>> [answer.best for answer in recognizer.identify([voice(111, 1), voice(218, 1)], sr=8000)]
    ['ben', 'anna']
    """

    def __init__(
        self,
        *,
        features: Features = "frames",
        microphones: Microphones = "any",
        prior: str | PathLike[str] | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.features = features
        self.microphones = microphones
        self.prior = prior
        self.random_state = random_state

    def fit(
        self,
        recordings: Mapping[str, Iterable[ArrayLike]] | Iterable[ArrayLike],
        speakers: Sequence[str] | None = None,
        *,
        sr: float | None = None,
    ) -> Self:
        """Enrol speakers.

        Parameters
        ----------
        recordings : mapping of str to iterable of array_like, or iterable of array_like
            Recordings of each speaker; or all of them, with `speakers` beside them. A recording is
            sound of shape (n_samples,) at the rate `sr`; without `sr` it is a table of
            `speaker_frames`, or of embeddings, one per row.
        speakers : sequence of str, optional
            Who speaks in each recording, where these are no mapping.
        sr : float, optional
            Sampling rate, in Hz, of recordings that are sound.

        Returns
        -------
        recognizer : SpeakerRecognizer
            Itself.

        Raises
        ------
        InputError
            If there are fewer than two speakers, a recording cannot be used or an option is none.
        """
        if self.features not in get_args(Features):
            raise InputError(f"features must be 'frames' or 'embeddings', got {self.features!r}")
        if self.microphones not in get_args(Microphones):
            raise InputError(
                f"microphones must be 'same', 'any' or 'different', got {self.microphones!r}"
            )
        if self.features == "embeddings":
            self._refuse_what_embeddings_lack()
        tables = self._tables_by_speaker(recordings, speakers, sr)
        _check_names(tables)
        self.voices_: Voices
        if self.features == "embeddings":
            self.voices_ = EmbeddedVoices.of(tables)
        else:
            self.voices_ = FrameVoices.of(
                tables,
                load_speaker_prior(self.prior),
                microphones=self.microphones,
                random_state=self.random_state,
            )
        self.speakers_ = tuple(tables)
        return self

    def enroll(
        self, name: str, recordings: Iterable[ArrayLike], *, sr: float | None = None
    ) -> Self:
        """Add one speaker to those enrolled.

        Parameters
        ----------
        name : str
            Name of the speaker, which nobody has yet.
        recordings : iterable of array_like
            Recordings, as for `fit`.
        sr : float, optional
            Sampling rate, in Hz, of recordings that are sound.

        Returns
        -------
        recognizer : SpeakerRecognizer
            Itself.

        Raises
        ------
        InputError
            If the name is taken, or a recording cannot be used.
        """
        voices = self._fitted()
        if name in self.speakers_:
            raise InputError(f"{name!r} is enrolled already; choose another name")
        tables = {name: [self._table(one, sr) for one in recordings]}
        _check_name(name, tables[name])
        self.voices_ = voices.with_speaker(tables[name])
        self.speakers_ = (*self.speakers_, name)
        return self

    def score(self, recordings: Iterable[ArrayLike], *, sr: float | None = None) -> Array:
        """Return how much likelier each speaker is than the others.

        Parameters
        ----------
        recordings : iterable of array_like
            Recordings, as for `fit`.
        sr : float, optional
            Sampling rate, in Hz, of recordings that are sound.

        Returns
        -------
        scores : ndarray of shape (n_recordings, n_speakers)
            Log-likelihood ratios of each speaker against the average of the other enrolled
            speakers, natural logarithm: if one of them speaks, which? Somebody else may speak, as
            `identify` knows.
        """
        return rival_ratios(self.log_likelihood_ratios(recordings, sr=sr))

    def log_likelihood_ratios(
        self, recordings: Iterable[ArrayLike], *, sr: float | None = None
    ) -> Array:
        """Return how much likelier each speaker is than anyone.

        Parameters
        ----------
        recordings : iterable of array_like
            Recordings, as for `fit`.
        sr : float, optional
            Sampling rate, in Hz, of recordings that are sound.

        Returns
        -------
        ratios : ndarray of shape (n_recordings, n_speakers)
            ``log p(recording | speaker) - log p(recording | anyone)``, natural logarithm.
        """
        voices = self._fitted()
        rows = [voices.log_ratios(self._table(one, sr)) for one in recordings]
        return np.array(rows).reshape(len(rows), len(self.speakers_))

    def identify(
        self, recordings: Iterable[ArrayLike], *, sr: float | None = None
    ) -> list[Identification]:
        """Tell who is heard in each recording, if it is one of those enrolled.

        Parameters
        ----------
        recordings : iterable of array_like
            Recordings, as for `fit`.
        sr : float, optional
            Sampling rate, in Hz, of recordings that are sound.

        Returns
        -------
        answers : list of Identification
            A name or "unknown" for each, and how sure that is.
        """
        voices = self._fitted()
        answers = []
        for one in recordings:
            table = self._table(one, sr)
            answers.append(self.answer(voices.log_ratios(table), n_frames=len(table)))
        return answers

    def answer(self, ratios: Array, *, n_frames: int) -> Identification:
        """Return who is heard in a recording of these `log_likelihood_ratios`, (n_speakers,)."""
        shares = probabilities(ratios[None])[0]
        order = np.argsort(-np.append(ratios, 0.0), kind="stable")
        first, second = np.append(ratios, 0.0)[order[:2]]
        names = (*self.speakers_, UNKNOWN)
        return Identification(
            names[order[0]],
            float(shares[order[0]]),
            best=self.speakers_[int(ratios.argmax())],
            margin=float(first - second),
            n_frames=n_frames,
        )

    def verify(self, name: str, recording: ArrayLike, *, sr: float | None = None) -> Verification:
        """Tell whether one speaker is heard in a recording.

        Parameters
        ----------
        name : str
            Who is claimed to speak.
        recording : array_like
            A recording, as for `fit`.
        sr : float, optional
            Sampling rate, in Hz, of a recording that is sound.

        Returns
        -------
        answer : Verification
            Whether the claim is accepted, and how sure that is.

        Raises
        ------
        InputError
            If nobody of that name is enrolled.
        """
        voices, column = self._fitted(), self._column(name)
        table = self._table(recording, sr)
        ratios = voices.log_ratios(table)
        probability = float(probabilities(ratios[None])[0, column])
        return Verification(
            is_accepted=probability > 0.5,
            probability=probability,
            score=float(ratios[column]),
            n_frames=len(table),
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the enrolled speakers to a model file, by custom ending in ".gmm"."""
        voices = self._fitted()
        options = {"features": self.features, "microphones": self.microphones}
        speaker_file.write_speakers(path, self.speakers_, voices, options)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "SpeakerRecognizer":
        """Read a recogniser that `save` wrote.

        Parameters
        ----------
        path : str or path
            The model file.

        Returns
        -------
        recognizer : SpeakerRecognizer
            The recogniser, equal to the last bit.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, hostile, from a newer version or something else.
        """
        names, voices, options = speaker_file.read_speakers(path)
        recognizer = cls(**options)
        recognizer.speakers_, recognizer.voices_ = names, voices
        return recognizer

    def _column(self, name: str) -> int:
        if name in self.speakers_:
            return self.speakers_.index(name)
        near = get_close_matches(name, self.speakers_, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {_listed(self.speakers_)}"
        raise InputError(f"no speaker is called {name!r}{hint}")

    def _tables_by_speaker(
        self, recordings: Any, speakers: Sequence[str] | None, sr: float | None
    ) -> dict[str, list[NDArray[Any]]]:
        if isinstance(recordings, Mapping) == (speakers is not None):
            raise InputError(
                "give a mapping of names to recordings, or recordings and a name for each"
            )
        tables: dict[str, list[NDArray[Any]]] = {}
        if isinstance(recordings, Mapping):
            for name, own in recordings.items():
                tables[name] = [self._table(one, sr) for one in own]
            return tables
        recordings = list(recordings)
        if len(recordings) != len(speakers or ()):
            raise InputError(
                f"there are {len(recordings)} recordings and {len(speakers or ())} names; "
                "give one name for each"
            )
        for name, one in zip(speakers or (), recordings, strict=True):
            tables.setdefault(name, []).append(self._table(one, sr))
        return tables

    def _table(self, recording: ArrayLike, sr: float | None) -> NDArray[Any]:
        """Return the frames, or embeddings, of a recording."""
        if self.features == "embeddings":
            if sr is not None:
                raise InputError("embeddings have no sampling rate; leave sr out")
            return checked_embeddings(np.atleast_2d(np.asarray(recording)))
        if sr is not None:
            return speaker_frames(recording, sr=sr)
        return checked_frames(recording)

    def _refuse_what_embeddings_lack(self) -> None:
        """Refuse options that say something of sound, which embeddings are no longer."""
        if self.microphones != "any":
            raise InputError(
                f"microphones is for features='frames', got {self.microphones!r} for embeddings, "
                "which are compared as they are; leave it at 'any'"
            )
        if self.prior is not None:
            raise InputError(
                f"prior is for features='frames', got {str(self.prior)!r} for embeddings, "
                "which are learned from alone; leave it out"
            )

    def _fitted(self) -> Voices:
        if "voices_" not in vars(self):
            raise NotFittedError("this SpeakerRecognizer knows nobody yet; call fit first")
        return self.voices_


def _check_names(tables: Mapping[str, Sequence[Any]]) -> None:
    if len(tables) < 2:
        raise InputError(
            f"at least 2 speakers are needed, to be told apart, got {len(tables)}"
            + (f": {next(iter(tables))!r}" if tables else "")
        )
    for name, own in tables.items():
        _check_name(name, own)


def _check_name(name: object, own: Sequence[Any]) -> None:
    if not isinstance(name, str) or not name.strip() or name == UNKNOWN:
        raise InputError(f"a speaker cannot be called {name!r}; choose another name")
    if not own:
        raise InputError(f"speaker {name!r} has no recording")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:N_SHOWN])
    return shown + (f" and {len(names) - N_SHOWN} more" if len(names) > N_SHOWN else "")
