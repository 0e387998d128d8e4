"""Clips with known speech: utterances and pauses, in made and recorded noise, rooms and lines."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from made_rooms import as_recorded, in_room, through_line
from made_sounds import Signal, scene, uniform_log
from numpy.typing import NDArray

HOP_LENGTH = 160  # samples at 16 kHz
LOUD = 35.0  # dB below the loud frames of an utterance, where its pauses begin
SHORTEST_PAUSE, SHORTEST_SPEECH = 25, 5  # frames


@dataclass(frozen=True)
class Utterance:
    """Clean speech and its frames: where it is loud, short pauses closed."""

    y: Signal
    is_speech: NDArray[np.bool_]

    @classmethod
    def of(cls, y: Signal) -> "Utterance":
        """Label clean speech by its energy."""
        padded = np.pad(y.astype(np.float64), (200, 400))
        sums = np.concatenate([[0.0], np.cumsum(padded**2)])
        starts = np.arange(1 + len(y) // HOP_LENGTH) * HOP_LENGTH
        level = 10 * np.log10((sums[starts + 400] - sums[starts]) / 400 + 1e-12)
        top, bottom = np.percentile(level, [95, 2])
        is_loud = level > max(top - LOUD, bottom + 6)
        return cls(y / (np.sqrt(np.mean(y**2)) + 1e-9), without_short_runs(is_loud))


def without_short_runs(is_on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Close short pauses, then drop short runs."""
    is_on = is_on.copy()
    for value, shortest in ((False, SHORTEST_PAUSE), (True, SHORTEST_SPEECH)):
        edges = np.flatnonzero(np.diff(is_on, prepend=not is_on[0], append=not is_on[-1]))
        for start, stop in pairwise(edges):
            is_inside = value or (start > 0 and stop < len(is_on))
            if is_on[start] == value and stop - start < shortest and is_inside:
                is_on[start:stop] = not value
    return is_on


def spoken(
    rng: np.random.Generator, n: int, utterances: list[Utterance], sr: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return pieces of utterances at slightly other speeds, with pauses, and their frames."""
    y, is_speech = np.zeros(n), np.zeros(1 + n // HOP_LENGTH, dtype=bool)
    place = int(rng.uniform(0, 2) * sr)
    one = utterances[int(rng.integers(0, len(utterances)))]
    has_turns = rng.random() < 0.5
    while place < n - 1600:
        if has_turns:
            one = utterances[int(rng.integers(0, len(utterances)))]
        speed, length = uniform_log(rng, 0.87, 1.2), int(uniform_log(rng, 0.4, 8) * sr)
        start = int(rng.integers(0, max(1, len(one.y) - length))) // HOP_LENGTH * HOP_LENGTH
        piece = one.y[start : start + length]
        piece = np.interp(np.arange(0, len(piece) - 1, speed), np.arange(len(piece)), piece)
        piece = piece[: n - place]
        place -= place % HOP_LENGTH
        frames = start // HOP_LENGTH + (np.arange(len(piece) // HOP_LENGTH) * speed).astype(int)
        y[place : place + len(piece)] += piece * uniform_log(rng, 0.5, 1.5)
        first = place // HOP_LENGTH
        known = one.is_speech[np.minimum(frames, len(one.is_speech) - 1)]
        is_speech[first : first + len(known)] |= known
        place += len(piece) + int(uniform_log(rng, 0.15, 3) * sr)
    return y, is_speech


def clip(
    rng: np.random.Generator, utterances: list[Utterance], recordings: list[Signal], sr: int
) -> tuple[Signal, NDArray[np.bool_]]:
    """Return a clip and its speech frames; of nine, four hold noise alone."""
    n = int(rng.choice([6, 8, 12])) * sr
    noise = scene(rng, n, sr, recordings)
    if rng.random() < 0.55:
        y, is_speech = spoken(rng, n, utterances, sr)
        voiced = y[np.repeat(is_speech, HOP_LENGTH)[:n]]
        y /= np.sqrt(np.mean(voiced**2)) if len(voiced) else 1.0
        if rng.random() < 0.5:
            y = in_room(rng, y, sr)
        y = y + 10 ** (-rng.uniform(-5, 30) / 20) * noise
    else:
        y, is_speech = noise.astype(np.float64), np.zeros(1 + n // HOP_LENGTH, dtype=bool)
        if rng.random() < 0.3:
            y = in_room(rng, y, sr)
    return as_recorded(rng, through_line(rng, y, sr)), is_speech
