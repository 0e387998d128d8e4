"""Made voices: a buzz at the pitch of a speaker, through resonances that move with the vowel."""

import numpy as np
from scipy.signal import lfilter

VOWELS = np.array([[700, 1200, 2600], [300, 2200, 3000], [350, 800, 2500], [500, 1700, 2500]])


def spoken(rng, *, pitch, tract, seconds, sr=8000, noise=1e-3):
    """Return speech of one voice: `tract` scales the resonances, as the length of a throat does."""
    parts = []
    while sum(map(len, parts)) < seconds * sr:
        n = int(rng.uniform(0.1, 0.25) * sr)
        cycles = np.cumsum(pitch * (1.0 + 0.05 * rng.normal()) / sr * np.ones(n))
        sound = np.diff(np.floor(cycles), prepend=0.0) + 0.02 * rng.normal(size=n)
        for center in VOWELS[rng.integers(len(VOWELS))] * tract * (1.0 + 0.03 * rng.normal()):
            radius, angle = np.exp(-np.pi * 90.0 / sr), 2.0 * np.pi * center / sr
            sound = lfilter([1.0 - radius], [1.0, -2.0 * radius * np.cos(angle), radius**2], sound)
        parts.append(sound * np.hanning(n) ** 0.3)
    speech = np.concatenate(parts)[: int(seconds * sr)]
    return 0.3 * speech / np.abs(speech).max() + noise * rng.normal(size=len(speech))


SPEAKERS = {
    "anna": {"pitch": 210.0, "tract": 1.15},
    "ben": {"pitch": 105.0, "tract": 0.95},
    "carl": {"pitch": 130.0, "tract": 0.85},
}


def recordings(rng, *, n_each=2, seconds=3.0, sr=8000, names=tuple(SPEAKERS)):
    """Return some recordings of each speaker."""
    return {
        name: [spoken(rng, **SPEAKERS[name], seconds=seconds, sr=sr) for _ in range(n_each)]
        for name in names
    }
