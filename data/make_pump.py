"""Make the folder pump: a made pump, twenty clips of it normal, and one with each of three faults.

The pump hums at its turning speed and its multiples, its vanes chop water, water rushes through it.
Every clip has another speed, load and distance, as two starts of a machine have. The faults: a
bearing that clicks at every turn, air bubbles that burst now and then (cavitation), and a motor
that runs a fifth slower. No machine was recorded.
"""

from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import lfilter

RATE = 8000  # Hz
SECONDS = 1.5
N_NORMAL = 20
TURNS = 24.0  # a second
VANES = 5
FOLDER = Path(__file__).parent / "pump"


def resonance(y, *, hertz, width):
    """Return a signal as a body that rings at a frequency passes it on."""
    radius = np.exp(-np.pi * width / RATE)
    poles = [1.0, -2.0 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2]
    return lfilter([1.0 - radius], poles, y)


def make_pump(rng, *, speed=1.0):
    """Return the sound of a sound pump, and its angle in turns at every sample."""
    n_samples = round(SECONDS * RATE)
    drift = np.cumsum(rng.normal(size=n_samples)) * 1e-5
    turns = np.cumsum(TURNS * speed * (1.0 + rng.normal(scale=0.006) + drift)) / RATE
    hum = sum(
        rng.uniform(0.7, 1.3) / k * np.sin(2 * np.pi * (k * turns + rng.uniform()))
        for k in range(1, 7)
    )
    chop = np.sin(2 * np.pi * VANES * turns) + 0.5 * np.sin(2 * np.pi * 2 * VANES * turns)
    noise = rng.normal(size=n_samples)
    water = resonance(noise, hertz=rng.normal(900, 20), width=700) * (1.0 + 0.3 * chop)
    hiss = np.diff(rng.normal(size=n_samples + 1))
    load = rng.uniform(0.8, 1.2, size=4)
    parts = (0.05 * hum, 0.05 * chop, 0.10 * water, 0.004 * hiss)
    return sum(part * share for part, share in zip(parts, load, strict=True)), turns


def bearing(rng):
    """Return a pump with a click at every turn, where a ball passes a dent."""
    y, turns = make_pump(rng)
    clicks = np.zeros_like(y)
    clicks[np.flatnonzero(np.diff(np.floor(turns)) > 0)] = 1.0
    return y + 0.9 * resonance(clicks, hertz=2600, width=150)


def cavitation(rng):
    """Return a pump with two bursts of bubbles, one early and one late."""
    y, _ = make_pump(rng)
    t = np.arange(len(y)) / RATE
    bursts = np.exp(-(((t - 0.4) / 0.05) ** 2)) + np.exp(-(((t - 1.1) / 0.05) ** 2))
    return y + 0.05 * bursts * resonance(rng.normal(size=len(y)), hertz=3200, width=1200)


def slow(rng):
    """Return a pump whose motor runs a fifth slower."""
    y, _ = make_pump(rng, speed=0.8)
    return y


def write(name, y, rng):
    """Write a clip as a microphone hears it, a little nearer or farther every time."""
    soundfile.write(FOLDER / f"{name}.flac", 0.5 * y * rng.uniform(0.8, 1.1), RATE)


if __name__ == "__main__":
    rng = np.random.default_rng(6)
    FOLDER.mkdir(exist_ok=True)
    for number in range(1, N_NORMAL + 1):
        write(f"normal_{number:02}", make_pump(rng)[0], rng)
    for fault in (bearing, cavitation, slow):
        write(fault.__name__, fault(rng), rng)
