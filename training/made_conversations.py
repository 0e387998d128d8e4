"""Conversations put together by chance from recordings of single speakers, with their truth.

Speakers take turns of all lengths and some speak more than others; turns overlap or leave pauses;
the room, the microphone, its distance and the noise are drawn anew for each conversation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin2, lfilter, resample_poly

from gmmseg.audio.timeline import Segment

Signal = NDArray[np.float32]
Generator = np.random.Generator

SPEEDS = (1.0, 0.88, 1.12)  # another speed is another voice: pitch and formants move with it
FADE = 160  # samples
KNOTS = np.array([0.0, 0.02, 0.05, 0.125, 0.3, 0.6, 1.0])  # of filters, of half the rate


@dataclass(frozen=True)
class Talk:
    """What is drawn before a conversation begins.

    Parameters
    ----------
    shares : tuple of float
        How often each speaker is the next.
    mean_turn : float
        Duration of a turn on average, in seconds.
    overlapping : float
        Share of turns that begin before the last has ended.
    moving : float
        Spread of the filter of each turn, in dB: heads turn.
    """

    shares: tuple[float, ...]
    mean_turn: float
    overlapping: float
    moving: float


def voices_at_speeds(recordings: Sequence[Signal]) -> list[Signal]:
    """Return each recording at all speeds."""
    return [
        y if speed == 1.0 else resample_poly(y, 1000, round(1000 * speed)).astype(np.float32)
        for y in recordings
        for speed in SPEEDS
    ]


def even_talk(rng: Generator, n_speakers: int) -> Talk:
    """Draw a talk in which all say about as much: most is learned from it."""
    shares = (1.0 / n_speakers,) * n_speakers
    return Talk(
        shares, 4.0, float(rng.choice([0.0, 0.1, 0.25])), float(rng.choice([0.0, 1.0, 2.0]))
    )


def any_talk(rng: Generator, n_speakers: int) -> Talk:
    """Draw a talk of any kind: one person may hold the floor, turns last 1 s to 8 s on average."""
    shares = np.maximum(rng.dirichlet(np.full(n_speakers, rng.choice([0.7, 2.0, 10.0]))), 0.04)
    mean_turn = float(np.exp(rng.uniform(0.0, np.log(8.0))))
    overlapping, moving = rng.choice([0.0, 0.1, 0.25]), rng.choice([0.0, 1.0, 2.0])
    return Talk(tuple(shares / shares.sum()), mean_turn, float(overlapping), float(moving))


def make_conversation(
    rng: Generator, voices: Sequence[Signal], talk: Talk, *, seconds: float, sr: int
) -> tuple[Signal, list[Segment]]:
    """Return the sound of a conversation, and who speaks when.

    Parameters
    ----------
    rng : numpy.random.Generator
        What chance is drawn from.
    voices : sequence of ndarray
        Recordings of one speaker each, of whom as many as the talk has are drawn.
    talk : Talk
        How they speak.
    seconds : float
        Duration, in seconds.
    sr : int
        Sampling rate of the voices, in Hz.

    Returns
    -------
    y : ndarray of float32 of shape (n_samples,)
        The sound.
    turns : list of Segment
        The turns; labels are "0", "1", ….
    """
    n_speakers = len(talk.shares)
    who = rng.choice(len(voices), n_speakers, replace=False)
    gains = 10.0 ** (rng.normal(0.0, 3.0, n_speakers) / 20.0)
    rooms = _rooms(rng, n_speakers, sr)
    places = [int(rng.integers(len(voices[k]))) for k in who]
    y = np.zeros(round(seconds * sr), dtype=np.float32)
    turns: list[Segment] = []
    for turn in _turns(rng, talk, seconds):
        k = int(turn.label)
        voice, n = voices[who[k]], round(turn.duration * sr)
        part = voice[(places[k] + np.arange(n)) % len(voice)] * gains[k]
        places[k] += n
        part = _faded(part * 10.0 ** (rng.normal(0.0, 1.5) / 20.0))
        if talk.moving:
            part = fftconvolve(part, _filter(rng, talk.moving), "same")
        part = fftconvolve(part, rooms[k])
        start = round(turn.start * sr)
        stop = min(len(y), start + len(part))
        y[start:stop] += part[: stop - start]
        turns.append(turn)
    return _recorded(rng, y), turns


def _turns(rng: Generator, talk: Talk, seconds: float) -> list[Segment]:
    """Draw who speaks when; everyone has a turn if there is time."""
    shares = np.array(talk.shares)
    turns: list[Segment] = []
    seen: set[int] = set()
    time = rng.uniform(0.0, 1.0)
    while time < seconds - 0.6:
        chance = shares.copy()
        if turns and len(shares) > 1:
            chance[int(turns[-1].label)] *= 0.15
        if len(seen) < len(shares) and (rng.random() < 0.3 or time > 0.7 * seconds):
            chance[list(seen)] = 0.0
        k = int(rng.choice(len(shares), p=chance / chance.sum()))
        seen.add(k)
        length = float(np.clip(rng.gamma(1.5, talk.mean_turn / 1.5), 0.5, 20.0))
        end = min(time + length, seconds - 0.01)
        turns.append(Segment(time, end, str(k)))
        if rng.random() < talk.overlapping and len(shares) > 1:
            time = end - rng.uniform(0.1, max(0.1, min(1.5, 0.6 * (end - time))))
        else:
            time = end + (rng.exponential(0.4) if rng.random() < 0.7 else 0.0)
    return turns


def _rooms(rng: Generator, n_speakers: int, sr: int) -> list[Signal]:
    """Draw the way of each speaker to the microphone: near, or through a room."""
    if rng.random() < 0.5:
        return [np.ones(1, dtype=np.float32)] * n_speakers
    decay = rng.uniform(0.2, 0.6)  # seconds to -60 dB
    return [_room(rng, decay, sr) for _ in range(n_speakers)]


def _room(rng: Generator, decay: float, sr: int) -> Signal:
    """Draw a direct path and decaying noise after it."""
    time = np.arange(round(decay * sr)) / sr
    tail = rng.normal(size=len(time)) * np.exp(-6.9 * time / decay) * (time > 0.003)
    tail *= 10.0 ** (-rng.uniform(-3.0, 9.0) / 20.0) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return (tail / np.sqrt((tail**2).sum())).astype(np.float32)


def _filter(rng: Generator, spread: float) -> Signal:
    """Draw a smooth filter, of so many dB at its knots."""
    gains = 10.0 ** (rng.normal(0.0, spread, len(KNOTS)) / 20.0)
    return firwin2(129, KNOTS, gains).astype(np.float32)


def _recorded(rng: Generator, y: Signal) -> Signal:
    """Return the sound through a microphone, with noise 8 to 35 dB below it."""
    heard = fftconvolve(y, _filter(rng, 3.0), "same")
    noise = lfilter([1.0], [1.0, -rng.uniform(0.0, 0.98)], rng.normal(size=len(y)))
    ratio = 10.0 ** (-rng.uniform(8.0, 35.0) / 20.0)
    level = np.sqrt((heard**2).mean() / ((noise**2).mean() + 1e-12))
    return (heard + ratio * level * noise).astype(np.float32)


def _faded(y: Signal) -> Signal:
    """Return a part that begins and ends softly."""
    n = min(FADE, len(y) // 4)
    ramp = np.ones(len(y), dtype=np.float32)
    ramp[:n] = np.linspace(0.0, 1.0, n)
    ramp[len(y) - n :] = np.linspace(1.0, 0.0, n)
    return y * ramp
