"""Voice activity: when does somebody speak? And the detector that can learn other voices."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from gmmseg.audio.framing import HOP
from gmmseg.audio.signals import checked_rate
from gmmseg.audio.timeline import Segment
from gmmseg.audio.timeline_frames import frames_from_segments
from gmmseg.audio.voice_decision import chain_table, combined, segments_of, smoothed, voice_chain
from gmmseg.audio.voice_evidence import ContextStream, contexts_in, evidence_in
from gmmseg.audio.voice_features import N_LEVELS
from gmmseg.audio.voice_levels import Levels
from gmmseg.audio.voice_model import VoiceModel, shipped_model
from gmmseg.audio.voice_stream import VoiceStream, filtered
from gmmseg.audio.voice_training import LabelledFrames, learn_voice_model
from gmmseg.core.serialization import FilePath
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

Sound = ArrayLike | Iterator[NDArray[np.float32]]

MIN_SPEECH, MIN_PAUSE = 0.1, 0.1  # seconds


def detect_voice(
    y: Sound,
    *,
    sr: float,
    threshold: float = 0.5,
    min_speech: float = MIN_SPEECH,
    min_pause: float = MIN_PAUSE,
) -> list[Segment]:
    """Find when somebody speaks.

    The answer does not depend on the gain of the recording, and hardly on silence around it or in
    it. Mixtures of speech and noise that come with gmmseg say what is certain; the levels of both
    are learned from the recording itself; a chain joins frames to runs. A recording without speech
    gives no segments.

    Parameters
    ----------
    y : array_like of shape (n_samples,) or (n_channels, n_samples), or iterator of blocks
        Sound; of several channels the mean is taken. Long recordings may come as an iterator of
        blocks of mono samples, as `audio_blocks` gives them.
    sr : float
        Sampling rate, in Hz.
    threshold : float
        Probability from which a frame is speech: lower finds more, higher is surer.
    min_speech, min_pause : float
        Shortest segment and shortest pause between two of them, in seconds.

    Returns
    -------
    segments : list of Segment
        Speech, in order of time, labelled "speech".

    Raises
    ------
    InputError
        If the sound or an option cannot be used.

    Examples
    --------
    >>> from gmmseg.audio import detect_voice, read_audio
    >>> y, sr = read_audio("data/conversation.flac")
    >>> len(detect_voice(y, sr=sr)) > 0
    True
    >>> detect_voice(np.zeros(16000), sr=16000)
    []
    """
    detector = VoiceActivityDetector(
        threshold=threshold, min_speech=min_speech, min_pause=min_pause
    )
    return detector.predict(y, sr=sr)


class VoiceActivityDetector(BaseEstimator):
    """Tell by frames of 10 ms how probable speech is, in recordings or in a stream.

    It works as it is, with the prior that comes with gmmseg; `fit` learns another from labelled
    recordings, and `adapt` gives a detector of the levels of one microphone.

    Parameters
    ----------
    threshold : float
        Probability from which a frame is speech, between 0 and 1.
    min_speech : float
        Shortest segment, in seconds.
    min_pause : float
        Shortest pause between two segments, in seconds.
    is_adaptive : bool
        Whether the levels of speech and noise are learned from each recording before it is
        judged; streams cannot, since they have not heard the end.
    random_state : int or None
        Seed of `fit`.

    Attributes
    ----------
    model_ : VoiceModel
        What `fit` learned.
    levels_ : Levels
        What `adapt` learned, in the detector that it returned.

    Examples
    --------
    >>> from gmmseg.audio import VoiceActivityDetector, read_audio
    >>> y, sr = read_audio("data/conversation.flac")
    >>> detector = VoiceActivityDetector(threshold=0.6)
    >>> probabilities = detector.predict_proba(y, sr=sr)
    >>> probabilities.shape == (1 + len(y) // (sr // 100),)
    True
    """

    def __init__(
        self,
        *,
        threshold: float = 0.5,
        min_speech: float = MIN_SPEECH,
        min_pause: float = MIN_PAUSE,
        is_adaptive: bool = True,
        random_state: int | None = 0,
    ) -> None:
        self.threshold = threshold
        self.min_speech = min_speech
        self.min_pause = min_pause
        self.is_adaptive = is_adaptive
        self.random_state = random_state

    def fit(
        self,
        recordings: Sequence[ArrayLike],
        segments: Sequence[Sequence[Segment]],
        *,
        sr: float,
    ) -> Self:
        """Learn what speech and noise are like from labelled recordings, in place of the prior.

        Parameters
        ----------
        recordings : sequence of array_like of shape (n_samples,)
            Sounds; a few minutes with all kinds of noise that will come.
        segments : sequence of sequences of Segment
            Where there is speech in each of them. Labels do not matter.
        sr : float
            Sampling rate of all of them, in Hz.

        Returns
        -------
        self : VoiceActivityDetector
            The fitted detector.

        Raises
        ------
        InputError
            If there are not as many lists of segments as recordings, a sound cannot be used, or
            there is less than a second of speech or of anything else.
        """
        if len(recordings) != len(segments):
            raise InputError(
                f"every recording needs its segments, got {len(recordings)} recordings and "
                f"{len(segments)} lists of segments"
            )
        tables, labels = [], []
        for y, known in zip(recordings, segments, strict=True):
            context = np.concatenate(list(contexts_in(y, stream=ContextStream(sr=sr))))[
                :, N_LEVELS:
            ]
            tables.append(context)
            labels.append(frames_from_segments(known, len(context), hop=HOP))
        if not tables:
            raise InputError("recordings is empty; give at least one")
        is_speech = np.concatenate(labels)
        frames = LabelledFrames(np.concatenate(tables), is_speech, np.ones(len(is_speech)))
        self.model_ = learn_voice_model(frames, random_state=self.random_state)
        return self

    def adapt(self, y: Sound, *, sr: float) -> Self:
        """Return a detector of the levels in a recording, for streams and others like it.

        Parameters
        ----------
        y : array_like of shape (n_samples,) or (n_channels, n_samples), or iterator of blocks
            Sound with some speech in it, at the gain that the others will have.
        sr : float
            Sampling rate, in Hz.

        Returns
        -------
        adapted : VoiceActivityDetector
            A detector that takes these levels for those of every recording; this one stays as it
            is.

        Raises
        ------
        InputError
            If the sound cannot be used.
        """
        evidence = evidence_in(y, sr=sr, model=self._model())
        adapted = copy(self)
        adapted.levels_ = Levels.learned(evidence.levels, smoothed(evidence.log_odds))
        return adapted

    def predict_proba(
        self, y: Sound, *, sr: float, lag: float | None = None
    ) -> NDArray[np.float32]:
        """Return how probable speech is in every frame.

        Parameters
        ----------
        y : array_like of shape (n_samples,) or (n_channels, n_samples), or iterator of blocks
            Sound; of several channels the mean is taken.
        sr : float
            Sampling rate, in Hz.
        lag : float, optional
            Seconds after a frame that may be heard before it is judged: gives what `stream` gives
            with this lag. If None the whole recording is heard first, and adapted to.

        Returns
        -------
        probabilities : ndarray of float32 of shape (n_frames,)
            ``probabilities[t]`` is that of speech at ``0.01 * t`` seconds.

        Raises
        ------
        InputError
            If the sound or an option cannot be used.
        """
        self._check_options()
        if lag is not None:
            return filtered(self.stream(sr=sr, lag=lag), y, sr=checked_rate(sr))
        return self._heard(y, sr=sr)[0]

    def predict(self, y: Sound, *, sr: float) -> list[Segment]:
        """Find when somebody speaks.

        Parameters
        ----------
        y : array_like of shape (n_samples,) or (n_channels, n_samples), or iterator of blocks
            Sound; of several channels the mean is taken.
        sr : float
            Sampling rate, in Hz.

        Returns
        -------
        segments : list of Segment
            Speech, in order of time.

        Raises
        ------
        InputError
            If the sound or an option cannot be used.
        """
        return self.predict_both(y, sr=sr)[0]

    def predict_both(
        self, y: Sound, *, sr: float
    ) -> tuple[list[Segment], NDArray[np.float32], float]:
        """Find segments and probabilities at once, hearing the sound once.

        Parameters
        ----------
        y : array_like of shape (n_samples,) or (n_channels, n_samples), or iterator of blocks
            Sound; of several channels the mean is taken.
        sr : float
            Sampling rate, in Hz.

        Returns
        -------
        segments : list of Segment
            Speech, in order of time.
        probabilities : ndarray of float32 of shape (n_frames,)
            ``probabilities[t]`` is that of speech at ``0.01 * t`` seconds.
        duration : float
            Duration of the sound, in seconds.

        Raises
        ------
        InputError
            If the sound or an option cannot be used.
        """
        self._check_options()
        probabilities, duration = self._heard(y, sr=sr)
        segments = segments_of(
            probabilities,
            duration=duration,
            threshold=self.threshold,
            min_speech=self.min_speech,
            min_pause=self.min_pause,
        )
        return segments, probabilities, duration

    def stream(self, *, sr: float, lag: float = 0.8) -> VoiceStream:
        """Return an object that takes sound as it comes and gives probabilities a lag later.

        Unlike a whole recording, a stream is not adapted to itself: it has not heard the end, and
        cannot tell whether there will be speech at all. It takes the levels of `adapt`, if any.

        Parameters
        ----------
        sr : float
            Sampling rate, in Hz.
        lag : float
            Seconds by which the answer is late; at least 0.61, what the features look ahead.

        Returns
        -------
        stream : VoiceStream
            ``stream.push(block)`` and ``stream.finish()`` return probabilities.

        Raises
        ------
        InputError
            If the rate or the lag cannot be used.
        """
        return VoiceStream(self._model(), sr=sr, lag=lag, levels=self._levels())

    def save(self, path: FilePath) -> None:
        """Write the detector, its options and what it learned but the levels, to a file."""
        options = {key: value for key, value in self.get_params().items() if value is not None}
        self._model().write(path, options)

    @classmethod
    def load(cls, path: FilePath) -> Self:
        """Return the detector that `save` wrote to a file."""
        model, options = VoiceModel.read(path)
        known = {key: value for key, value in options.items() if key in cls().get_params()}
        detector = cls(**known)
        detector.model_ = model
        return detector

    def _heard(self, y: Sound, *, sr: float) -> tuple[NDArray[np.float32], float]:
        """Return probabilities and duration of a sound."""
        from gmmseg.smoothing.chain_decoding import forward_backward

        evidence = evidence_in(y, sr=sr, model=self._model())
        odds = combined(evidence, levels=self._levels(), is_adaptive=self.is_adaptive)
        posteriors, _ = forward_backward(chain_table(odds), voice_chain())
        return posteriors[:, 1].astype(np.float32), evidence.duration

    def _model(self) -> VoiceModel:
        return vars(self).get("model_") or shipped_model()

    def _levels(self) -> Levels | None:
        return vars(self).get("levels_")

    def _check_options(self) -> None:
        check_number("threshold", self.threshold, least=0)
        if self.threshold > 1:
            raise InputError(f"threshold must be a probability, 0…1, got {self.threshold}")
        check_number("min_speech", self.min_speech, least=0)
        check_number("min_pause", self.min_pause, least=0)
