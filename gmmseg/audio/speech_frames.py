"""From a recording to the frames that a speaker is known by: cepstra of whatever is loud enough.

Noise reaches first what lies far below the voice: its pauses, and the valleys of its spectrum. So
neither is looked at, in clean recordings as little as in noisy ones, and both look alike.
"""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.frame_stream import FrameStream
from gmmseg.audio.framing import HOP
from gmmseg.audio.io import audio_blocks
from gmmseg.audio.mel import mfcc
from gmmseg.audio.offset import OffsetMeter, without_offset
from gmmseg.audio.recipe import delta_stage
from gmmseg.audio.resampling import resampled_blocks
from gmmseg.audio.signals import checked_rate, checked_signal
from gmmseg.audio.spectrum import decibels
from gmmseg.audio.voice_decision import strongest
from gmmseg.audio.voice_evidence import VoiceEvidence, blocks_of, evidence_in
from gmmseg.audio.voice_model import shipped_model
from gmmseg.errors import InputError

SPEAKER_RATE = 8000
"""Sampling rate, in Hz, that recordings are brought to: what telephones and microphones share."""

N_CEPSTRA = 20
N_FEATURES = 2 * N_CEPSTRA  # and how they change
N_BANDS = 40
NEPER = np.sqrt(N_BANDS) * 10.0 / np.log(10.0)  # of the first cepstrum: power is e times as large
LOUDNESS_RANGE = 40.0  # dB below the loud frames down to which frames belong to speech
SILENCE_DEPTH = 70.0  # dB below the loudest frame: digital silence, muted microphones
SILENCE = 1e-4  # of full scale: a recording that never gets louder is silent
FEWEST_FRAMES = 10  # a tenth of a second
FRAMES_AT_ONCE = 10_000
# Of 162 recordings of speakers every one is above 0.4, and of noises that are no voice two thirds
# are below this; shorter recordings have too little in them to tell.
VOICELESS = -2.0  # log-odds of speech in the half second that is most like it
SHORTEST_JUDGED = 1.5  # seconds
QUIETEST = 5.0  # percent of what sounds: where nobody speaks, what is heard is noise
ABOVE_NOISE = 6.0  # dB by which a frame exceeds it where three quarters of it are a voice
MASK_DEPTH = 40.0  # dB below the mean power of a band, under which nothing is told apart

Frames = NDArray[np.float32]


def speaker_frames(y: ArrayLike, *, sr: float) -> Frames:
    """Return cepstra and their changes over time, for every frame that is loud enough to be speech.

    From 1.5 s on, frames as quiet as the noise are left out. The sound is brought to full scale
    first, so that its gain does not matter. What lies more than 40 dB below the mean of its band is
    masked, as noise would mask it: voices look the same with noise that low and without.

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
    rate = checked_rate(sr)
    return _frames_of(lambda: blocks_of(mono, sr=rate), sr=rate)


def speaker_frames_of_file(path: str | PathLike[str]) -> Frames:
    """Return the `speaker_frames` of a sound file, in little more memory than they take.

    The file is read twice: frames can be made once its offset is known.
    """
    return _frames_of(lambda: audio_blocks(path, sr=SPEAKER_RATE), sr=SPEAKER_RATE)


def _frames_of(sound: Callable[[], Iterable[NDArray[np.float32]]], *, sr: int) -> Frames:
    """Return the frames of a sound, of which each call gives the mono blocks from the start."""
    meter = OffsetMeter()
    evidence = evidence_in(meter.watched(sound()), sr=sr, model=shipped_model())
    if not meter.swing > SILENCE:
        raise InputError(
            f"the recording is silent: no sample is above {SILENCE} of full scale; "
            "is the microphone muted?"
        )
    is_short = evidence.duration < SHORTEST_JUDGED
    if not is_short:
        _check_voice(evidence)
    # Bands below the least power that is told from none would lose their shape at a low gain.
    full = np.float32(meter.swing)
    scaled = (np.divide(block, full) for block in without_offset(sound(), meter.offset))
    blocks = resampled_blocks(scaled, sr=sr, to=SPEAKER_RATE)
    log_mel, levels = _bands_and_levels(blocks, n_most=2 + int(meter.n_samples / (HOP * sr)))
    is_kept = loud_frames(levels) if is_short else frames_above_noise(levels)
    n_frames = int(is_kept.sum())
    if n_frames < FEWEST_FRAMES:
        raise InputError(
            f"the recording has {n_frames} frames of speech, {n_frames * HOP:.2f} s; "
            f"at least {FEWEST_FRAMES * HOP:.1f} s are needed"
        )
    mask = np.float32(10.0 ** (-0.1 * MASK_DEPTH)) * _mean_power(log_mel, is_kept)
    return _moved_up(_into_cepstra(log_mel, mask), is_kept)


def _check_voice(evidence: VoiceEvidence) -> None:
    """Refuse a recording in which nothing is like a voice: tones, noise, clicks, rain."""
    if strongest(evidence.log_odds) < VOICELESS:
        raise InputError(
            "nobody is heard in the recording: no half second of it is like a voice; "
            "give one in which somebody speaks"
        )


def _bands_and_levels(
    blocks: Iterable[NDArray[np.float32]], *, n_most: int
) -> tuple[Frames, NDArray[np.float64]]:
    """Return the log-mel spectrum (dB), and levels, of at most so many consecutive frames."""
    stream = FrameStream(sr=SPEAKER_RATE, kind="log-mel", n_mels=N_BANDS)
    frames, n_frames, levels = np.empty((n_most, N_BANDS), dtype=np.float32), 0, []

    def keep(log_mel: Frames) -> int:
        frames[n_frames : n_frames + len(log_mel)] = log_mel
        levels.append(frame_levels(log_mel))
        return n_frames + len(log_mel)

    for block in blocks:
        n_frames = keep(stream.push(block))
    n_frames = keep(stream.finish())
    return frames[:n_frames], np.concatenate(levels)


def _mean_power(log_mel: Frames, is_kept: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean power of every band in the frames that are kept."""
    total = np.zeros(N_BANDS)
    for some in _parts(log_mel):
        total += _power(log_mel[some][is_kept[some]]).sum(axis=0, dtype=np.float64)
    return (total / is_kept.sum()).astype(np.float32)


def _power(log_mel: Frames) -> Frames:
    return np.exp(np.float32(0.1 * np.log(10.0)) * log_mel)


def _into_cepstra(table: Frames, mask: NDArray[np.float32]) -> Frames:
    """Return cepstra and slopes of bands under a noise of such powers, in the same table.

    There are as many of both as there are bands, and rows are read before they are written: slopes
    come later than what they are of.
    """
    slopes = delta_stage(N_CEPSTRA, order=1)
    n_done = 0
    for some in _parts(table):
        masked = decibels(_power(table[some]) + mask)
        own = slopes.push(mfcc(masked, n_mfcc=N_CEPSTRA))
        table[n_done : n_done + len(own)] = own
        n_done += len(own)
    table[n_done:] = slopes.finish()
    return table


def _parts(table: Frames) -> Iterable[slice]:
    """Return the slices of a table that are worked on at once."""
    return [slice(at, at + FRAMES_AT_ONCE) for at in range(0, len(table), FRAMES_AT_ONCE)]


def _moved_up(table: Frames, is_kept: NDArray[np.bool_]) -> Frames:
    """Return the rows that are kept, at the start of the same table: a copy could be large."""
    n_kept = 0
    for some in _parts(table):
        own = table[some][is_kept[some]]
        table[n_kept : n_kept + len(own)] = own
        n_kept += len(own)
    return table[:n_kept]


def checked_frames(table: ArrayLike) -> Frames:
    """Return frames of a recording that come as a table, float32, or raise InputError."""
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            frames = np.asarray(table, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"frames must be a table of numbers, got something else: {error}"
        ) from None
    if frames.ndim != 2 or frames.shape[1] != N_FEATURES:
        got = frames.shape[1] if frames.ndim == 2 else f"an array of shape {frames.shape}"
        raise InputError(f"frames must have {N_FEATURES} columns, got {got}")
    if len(frames) < FEWEST_FRAMES:
        raise InputError(
            f"a recording must have at least {FEWEST_FRAMES} frames, got {len(frames)}"
        )
    is_finite = np.isfinite(frames).all(axis=1)
    if not is_finite.all():
        row = int(is_finite.argmin())
        raise InputError(f"frames must be finite, got NaN or infinity first in row {row}")
    return frames


def without_mean(frames: Frames) -> Frames:
    """Return frames less the mean of their cepstra, which microphone and room decide most of."""
    centred = frames.copy()
    centred[:, :N_CEPSTRA] -= (
        frames[:, :N_CEPSTRA].mean(axis=0, dtype=np.float64).astype(frames.dtype)
    )
    return centred


def loudness(frames: Frames) -> float:
    """Return what the first of the cepstra, the level, is at the mean power of the frames."""
    nepers = frames[:, 0].astype(np.float64) / NEPER
    return float(NEPER * (np.logaddexp.reduce(nepers) - np.log(len(nepers))))


def pooled(tables: Sequence[Frames]) -> Frames:
    """Return the frames of some recordings in one table; those of one are not copied."""
    return tables[0] if len(tables) == 1 else np.vstack(tables)


def frame_levels(log_mel: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the level (n_frames,) of all bands together, in dB."""
    per_neper = 10.0 / np.log(10.0)
    level: NDArray[np.float64] = per_neper * np.logaddexp.reduce(
        log_mel.astype(np.float64) / per_neper, axis=1
    )
    return level


def loud_frames(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which frames are at most 40 dB below the loud ones, the level that 1 of 20 exceeds.

    Of the 20 none is silent, so that silence around a voice does not make itself loud.
    """
    loud = np.percentile(_sounding(levels), 95.0)
    is_loud: NDArray[np.bool_] = levels > loud - LOUDNESS_RANGE
    return is_loud


def frames_above_noise(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of the loud frames are louder than the noise; at least half of them are.

    Without noise pauses are too quiet to be loud, and nothing else is left out.
    """
    is_loud = loud_frames(levels)
    noise = np.percentile(_sounding(levels), QUIETEST)
    is_above: NDArray[np.bool_] = levels >= min(noise + ABOVE_NOISE, np.median(levels[is_loud]))
    return is_loud & is_above


def _sounding(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the levels that are not silent."""
    return levels[levels > levels.max() - SILENCE_DEPTH]
