"""From a recording to the frames that a speaker is known by: cepstra of whatever is loud enough."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.features import frame_features
from gmmseg.audio.mel import mfcc
from gmmseg.audio.neighbours import with_deltas
from gmmseg.audio.resampling import resampled
from gmmseg.audio.signals import checked_rate, checked_signal
from gmmseg.audio.voice_decision import strongest
from gmmseg.audio.voice_evidence import evidence_in
from gmmseg.audio.voice_model import shipped_model
from gmmseg.errors import InputError

SPEAKER_RATE = 8000
"""Sampling rate, in Hz, that recordings are brought to: what telephones and microphones share."""

N_CEPSTRA = 20
N_FEATURES = 2 * N_CEPSTRA  # and how they change
N_BANDS = 40
LOUDNESS_RANGE = 40.0  # dB below the loud frames down to which frames belong to speech
SILENCE = 1e-4  # of full scale: a recording that never gets louder is silent
FEWEST_FRAMES = 10  # a tenth of a second
# Of 162 recordings of speakers every one is above 0.4, and of noises that are no voice two thirds
# are below this; shorter recordings have too little in them to tell.
VOICELESS = -2.0  # log-odds of speech in the half second that is most like it
SHORTEST_JUDGED = 1.5  # seconds

Frames = NDArray[np.float32]


def speaker_frames(y: ArrayLike, *, sr: float) -> Frames:
    """Return cepstra and their changes over time, for every frame that is loud enough to be speech.

    Parameters
    ----------
    y : array_like of shape (n_samples,) or (n_channels, n_samples)
        Sound; of several channels the mean is taken.
    sr : float
        Sampling rate, in Hz; other rates than 8000 are resampled.

    Returns
    -------
    frames : ndarray of float32 of shape (n_speech_frames, 40)
        20 cepstral coefficients and their slopes, a row each 10 ms.

    Raises
    ------
    InputError
        If `y` is no sound, silent, without anything like a voice in it, or has less than a tenth
        of a second of speech.

    Examples
    --------
    >>> import numpy as np
    >>> speaker_frames(np.random.default_rng(0).normal(size=8000), sr=8000).shape
    (101, 40)
    """
    samples = checked_signal(y, sr=sr)
    mono = samples if samples.ndim == 1 else samples.mean(axis=0)
    mono = mono - np.float32(mono.mean(dtype=np.float64))  # an offset is no sound
    if not np.abs(mono).max() > SILENCE:
        raise InputError(
            f"the recording is silent: no sample is above {SILENCE} of full scale; "
            "is the microphone muted?"
        )
    check_voice(mono, checked_rate(sr))
    mono = resampled(mono, sr=checked_rate(sr), to=SPEAKER_RATE)
    log_mel = frame_features(mono, sr=SPEAKER_RATE, kind="log-mel", n_mels=N_BANDS)
    cepstra = with_deltas(mfcc(log_mel, n_mfcc=N_CEPSTRA), order=1)
    frames = cepstra[loud_frames(log_mel)]
    if len(frames) < FEWEST_FRAMES:
        raise InputError(
            f"the recording has {len(frames)} frames of speech, {len(frames) / 100:.2f} s; "
            f"at least {FEWEST_FRAMES / 100:.1f} s are needed"
        )
    return np.ascontiguousarray(frames, dtype=np.float32)


def check_voice(mono: NDArray[np.float32], sr: int) -> None:
    """Refuse a recording in which nothing is like a voice: tones, noise, clicks, rain."""
    if len(mono) < SHORTEST_JUDGED * sr:
        return
    evidence = evidence_in(mono, sr=sr, model=shipped_model())
    if strongest(evidence.log_odds) < VOICELESS:
        raise InputError(
            "nobody is heard in the recording: no half second of it is like a voice; "
            "give one in which somebody speaks"
        )


def without_mean(frames: Frames) -> Frames:
    """Return frames less the mean of their cepstra, which microphone and room decide most of."""
    mean = frames[:, :N_CEPSTRA].mean(axis=0, dtype=np.float64).astype(frames.dtype)
    return np.hstack([frames[:, :N_CEPSTRA] - mean, frames[:, N_CEPSTRA:]])


def loud_frames(log_mel: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which frames are at most 40 dB below the loud ones, the level that 1 of 20 exceeds."""
    level = np.logaddexp.reduce(log_mel.astype(np.float64) * (np.log(10.0) / 10.0), axis=1)
    level *= 10.0 / np.log(10.0)
    is_loud: NDArray[np.bool_] = level > np.percentile(level, 95.0) - LOUDNESS_RANGE
    return is_loud
