"""How loud speech and noise are in one recording: a Gaussian of the level for each, held by priors.

The shipped mixtures know nothing of levels, which gain and distance make arbitrary. Within one
recording, though, who is loud where speech was certain is likely to speak where it was not.

A muted microphone, a gate that closed and silence added to a file say nothing of how loud the noise
of the room is. If they counted as noise, the room would be loud beside them, hence speech.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.voice_features import SYLLABLE

Array = NDArray[np.float64]

PRIOR_FRAMES = 300.0  # how many frames the prior counts as: 3 s
GAP = 3.2  # nepers, by which speech is louder than noise before anything is heard: 14 dB
SPREAD = 1.8  # nepers of the level within either: 8 dB
SHARE = 0.85  # of the evidence of levels that counts beside that of the mixtures
MOST = 6.0  # of evidence that one frame's level may give
ROUNDS = 2
MUTED = 10.5  # nepers below speech, 46 dB: there no room is heard
BLURRED = max(SYLLABLE)  # frames on either side that a level may come from
SURE_NOISE = -1.0  # log-odds of speech
FEWEST_OF_ROOM = 50  # surely noise, half a second, that tell how loud a room is


@dataclass(frozen=True, eq=False)
class Levels:
    """Means and variances of levels in speech and in noise, each of shape (n_levels,).

    Parameters
    ----------
    speech_mean, noise_mean : ndarray of shape (n_levels,)
        Mean levels, in nepers of power.
    speech_variance, noise_variance : ndarray of shape (n_levels,)
        Variances, in squared nepers.
    """

    speech_mean: Array
    noise_mean: Array
    speech_variance: Array
    noise_variance: Array

    @classmethod
    def learned(cls, levels: Array, log_odds: Array) -> Self:
        """Return what levels (n_frames, n_levels) are like, given the log-odds of speech by frame.

        A few rounds of EM in which the classes keep the evidence of the mixtures, by MAP: the
        means lie a prior gap apart, so that a recording of one class alone stays undivided. Muted
        frames take no part where enough of the room is heard beside them.
        """
        is_heard = heard_frames(levels, log_odds)
        levels, log_odds = levels[is_heard], log_odds[is_heard]
        found = cls._given(levels, _probability(log_odds))
        for _ in range(ROUNDS - 1):
            found = cls._given(levels, _probability(log_odds + found.log_odds(levels)))
        return found

    @classmethod
    def _given(cls, levels: Array, speech: Array) -> Self:
        """Return the means and variances given the probability of speech by frame."""
        noise = 1.0 - speech
        n_speech, n_noise = speech.sum(), noise.sum()
        mean = levels.mean(axis=0)
        own_speech = speech @ levels / n_speech if n_speech > 0.0 else mean
        own_noise = noise @ levels / n_noise if n_noise > 0.0 else mean
        base = (n_speech * (own_speech - GAP) + n_noise * own_noise) / len(levels)
        speech_mean = _pulled(own_speech, n_speech, base + GAP)
        noise_mean = _pulled(own_noise, n_noise, base)
        return cls(
            speech_mean,
            noise_mean,
            _variance(levels - speech_mean, speech),
            _variance(levels - noise_mean, noise),
        )

    def log_odds(self, levels: Array) -> Array:
        """Return the evidence of levels (n_frames, n_levels) for speech, (n_frames,)."""
        levels = np.maximum(levels, self._least_like_speech())
        evidence = _log_gauss(levels - self.speech_mean, self.speech_variance)
        evidence -= _log_gauss(levels - self.noise_mean, self.noise_variance)
        return SHARE * np.clip(evidence.mean(axis=1), -MOST, MOST)

    def _least_like_speech(self) -> Array:
        """Return the level (n_levels,) below which a wider Gaussian of speech would win again."""
        gap, wider = self.speech_mean - self.noise_mean, self.speech_variance - self.noise_variance
        would_win = (gap > 0.0) & (wider > 0.0)
        depth = gap * self.noise_variance / np.where(would_win, wider, 1.0)
        return np.where(would_win, self.noise_mean - depth, -np.inf)


def heard_frames(levels: Array, log_odds: Array) -> NDArray[np.bool_]:
    """Return which frames hear the room: those that are neither muted nor beside muted ones.

    If too few of them are noise to say how loud a room is, all do: behind a gate that leaves
    nothing of the room, silence is all the noise there is.
    """
    from scipy.ndimage import maximum_filter1d

    near, speech = levels[:, 0], _probability(log_odds)
    is_muted = near < speech @ near / speech.sum() - MUTED
    is_heard = ~maximum_filter1d(is_muted, 2 * BLURRED + 1, mode="constant")
    n_of_room = (is_heard & (log_odds < SURE_NOISE)).sum()
    return is_heard if n_of_room >= FEWEST_OF_ROOM else np.ones_like(is_heard)


def _probability(log_odds: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))


def _pulled(mean: Array, n_frames: float, prior: Array) -> Array:
    return (n_frames * mean + PRIOR_FRAMES * prior) / (n_frames + PRIOR_FRAMES)


def _variance(devs: Array, weights: Array) -> Array:
    """Return the MAP variance; its prior counts twice the frames of that of the mean."""
    prior = 2.0 * PRIOR_FRAMES
    return (weights @ devs**2 + prior * SPREAD**2) / (weights.sum() + prior)


def _log_gauss(devs: Array, variance: Array) -> Array:
    return -0.5 * (devs**2 / variance + np.log(variance))
