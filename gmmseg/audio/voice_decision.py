"""Decide from the evidence: whether there is speech at all, how loud it is, and how long."""

import functools

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import HOP
from gmmseg.audio.timeline import Segment, drop_short, fill_gaps
from gmmseg.audio.timeline_frames import segments_from_frames
from gmmseg.audio.voice_evidence import VoiceEvidence
from gmmseg.audio.voice_levels import Levels, heard_frames
from gmmseg.smoothing.chain import Chain

Array = NDArray[np.float64]

SMOOTHED = 4  # frames on either side over which the evidence is smoothed
SURE = 1.4  # mean log-odds over `SURE_WINDOW` that noise hardly ever reaches
LEAST_SURE = 0.4  # what is enough in a recording whose noise stays far below
CONTRAST = 3.0  # how far below: over what four fifths of the half seconds reach
SURE_WINDOW = 25  # frames on either side: half a second
REACH = 1000  # frames on either side that one sure half second opens: 10 s
DOUBT = 3.0  # taken from the log-odds where nothing is sure
INDEPENDENT = 0.4  # of what a frame tells, as its neighbours do not tell it already
BIAS = 0.2  # log-odds: half the error at the threshold 0.5 is missed speech
MEAN_FRAMES = 100.0  # of a run of either state: 1 s


@functools.cache
def voice_chain() -> Chain:
    """Return the chain of noise (state 0) and speech (state 1)."""
    return Chain.of_durations([MEAN_FRAMES, MEAN_FRAMES])


def smoothed(log_odds: Array) -> Array:
    """Return the mean of the evidence around every frame."""
    return moving_mean(log_odds, SMOOTHED)


def moving_mean(values: Array, n_around: int) -> Array:
    """Return the mean over so many frames on either side."""
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(values, 2 * n_around + 1, mode="nearest")


def strongest(log_odds: Array) -> float:
    """Return the mean evidence of the half second that is most like speech."""
    return float(moving_mean(log_odds, SURE_WINDOW).max())


def is_near_sure(log_odds: Array, is_heard: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for every frame whether within `REACH` half a second is unmistakably speech.

    Less is enough where it stands out: where most of what is heard is clearly something else.
    """
    from scipy.ndimage import maximum_filter1d

    mean = moving_mean(log_odds, SURE_WINDOW)
    needed = np.clip(np.quantile(mean[is_heard], 0.8) + CONTRAST, LEAST_SURE, SURE)
    sure = mean >= needed
    return maximum_filter1d(sure, 2 * REACH + 1, mode="constant")


def combined(evidence: VoiceEvidence, *, levels: Levels | None, is_adaptive: bool) -> Array:
    """Return the log-odds of speech by frame, of the mixtures and of levels.

    Levels are learned from this recording if it is adaptive. Where nothing is sure for 10 s on
    either side they do not count, and what there is is doubted: noise alone gives no speech.
    """
    odds = smoothed(evidence.log_odds)
    is_open = is_near_sure(evidence.log_odds, heard_frames(evidence.levels, odds))
    if levels is None and is_adaptive and is_open.any():
        levels = Levels.learned(evidence.levels[is_open], odds[is_open])
    if levels is not None:
        odds = odds + np.where(is_open, levels.log_odds(evidence.levels), 0.0)
    return np.where(is_open, odds, odds - DOUBT)


def chain_table(odds: Array) -> Array:
    """Return the log-densities (n_frames, 2) that the chain takes, given log-odds of speech."""
    return np.column_stack([np.zeros(len(odds)), INDEPENDENT * (odds + BIAS)])


def segments_of(
    probabilities: NDArray[np.float32],
    *,
    duration: float,
    threshold: float,
    min_speech: float,
    min_pause: float,
) -> list[Segment]:
    """Return where speech is at least as probable as the threshold, short pauses closed."""
    found = segments_from_frames(probabilities >= threshold, hop=HOP, duration=duration)
    return drop_short(fill_gaps(found, min_pause), min_speech)
