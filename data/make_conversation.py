"""Make conversation.flac and conversation.rttm: two made voices in turn, with their truth.

A voice is a row of glottal pulses and breath behind resonators that move from vowel to vowel, with
hisses, bursts and hums for consonants, about four syllables a second (a source and a filter, as in
Fant 1960 and Klatt 1980). Behind them lie the noise of a room and a knock at the door. Nobody was
recorded; the syllables mean nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import fftconvolve, lfilter

RATE = 16000  # Hz
STEP = 80  # samples between changes of the resonators
SECONDS = 23.7
FOLDER = Path(__file__).parent

# First three formants of the vowels of a man, in Hz (Peterson, Barney 1952, table II).
VOWELS = np.array(
    [
        (270, 2290, 3010),
        (390, 1990, 2550),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (440, 1020, 2240),
        (300, 870, 2240),
        (640, 1190, 2390),
    ]
)
BANDWIDTHS = np.array([70.0, 100.0, 150.0, 220.0, 300.0])  # Hz
HUM = (280, 1250, 2300)  # m, n, l: a mouth nearly closed
# Where hisses lie and how wide they are, in Hz, and how loud: s, sh, f.
HISSES = ((5800, 1800, 1.0), (3000, 1400, 1.0), (4500, 4000, 0.4))
# Who speaks when, in seconds, phrase by phrase; the knock falls into the pause after 12 s.
PHRASES = (
    ("anna", 0.9, 2.6),
    ("anna", 3.0, 4.3),
    ("ben", 4.8, 6.7),
    ("ben", 7.1, 8.3),
    ("anna", 8.7, 11.6),
    ("ben", 13.6, 15.2),
    ("ben", 15.6, 17.4),
    ("anna", 17.9, 19.1),
    ("ben", 19.5, 20.3),
    ("anna", 20.8, 23.2),
)
KNOCK = 12.2  # seconds


@dataclass(frozen=True)
class Voice:
    """What makes one voice unlike another."""

    pitch: float  # Hz
    formants: float  # times those of a man
    breath: float  # noise beside the pulses
    open_share: float  # of a period, for which the glottis is open
    softness: float  # 0…1: how far high frequencies are turned down
    fourth: tuple[float, float]  # Hz: the formants that stay where they are


VOICES = {
    "anna": Voice(
        208, formants=1.18, breath=0.04, open_share=0.7, softness=0.1, fourth=(4150, 5200)
    ),
    "ben": Voice(
        112, formants=0.95, breath=0.01, open_share=0.5, softness=0.5, fourth=(3250, 3900)
    ),
}


class Tracks:
    """What the mouth does at every step of a phrase."""

    def __init__(self, n_steps):
        self.formants = np.tile(np.array(VOWELS[2], dtype=float), (n_steps, 1))
        self.voicing = np.zeros(n_steps)
        self.breath = np.zeros(n_steps)
        self.hiss = np.zeros(n_steps)
        self.hiss_at = np.tile([4000.0, 2000.0], (n_steps, 1))


def speak_syllable(tracks, start, stop, rng):
    """Set one syllable: a consonant, then a vowel."""
    vowel = VOWELS[rng.integers(len(VOWELS))] * rng.normal(1, 0.03, 3)
    onset = start + max(6, round((stop - start) * rng.uniform(0.25, 0.4)))
    tracks.formants[start:stop] = vowel
    loudness = rng.uniform(0.75, 1.0)
    tracks.voicing[onset:stop] = loudness
    kind = rng.choice(["hiss", "burst", "hum", "glide"], p=[0.3, 0.3, 0.25, 0.15])
    if kind == "hiss":
        centre, width, level = HISSES[rng.integers(len(HISSES))]
        tracks.hiss[start:onset] = level * np.hanning(onset - start + 2)[1:-1]
        tracks.hiss_at[start:stop] = centre, width
    elif kind == "burst":
        tracks.hiss_at[start:stop] = rng.choice([1200.0, 2500.0, 4200.0]), 1800.0
        tracks.hiss[onset - 3 : onset - 1] = 1.3
        tracks.breath[onset - 2 : onset + 3] = 0.5
    elif kind == "hum":
        tracks.formants[start:onset] = HUM
        tracks.voicing[start:onset] = 0.35 * loudness
    else:
        tracks.formants[start:onset] = VOWELS[rng.choice([0, 7])]
        tracks.voicing[start:onset] = 0.6 * loudness


def blurred(track, n_steps):
    """Return a track as a mouth follows it, which cannot jump."""
    window = np.hanning(2 * n_steps + 1)
    padded = np.pad(track, [(n_steps, n_steps), *[(0, 0)] * (track.ndim - 1)], mode="edge")
    columns = padded.reshape(len(padded), -1).T
    smooth = [np.convolve(column, window / window.sum(), mode="valid") for column in columns]
    return np.array(smooth).T.reshape(track.shape)


def glottis(voice, voicing, rng):
    """Return the flow through the glottis (Rosenberg 1971), period by period, and its change."""
    flow = np.zeros(len(voicing))
    time = np.arange(len(voicing)) / len(voicing)
    sway = np.sin(2 * np.pi * (2.1 * time * len(voicing) / RATE + rng.random()))
    pitch = voice.pitch * (1.14 - 0.3 * time + 0.07 * sway)
    start = 0.0
    while start < len(voicing) - 1:
        period = RATE / pitch[int(start)] * rng.normal(1, 0.008)
        first = int(np.ceil(start))
        place = (np.arange(first, min(len(voicing), int(start + period) + 1)) - start) / period
        rise, fall = 0.68 * voice.open_share, 0.32 * voice.open_share
        pulse = np.where(place < rise, 0.5 - 0.5 * np.cos(np.pi * place / rise), 0)
        falls = (place >= rise) & (place < rise + fall)
        pulse[falls] = np.cos(0.5 * np.pi * (place[falls] - rise) / fall)
        flow[first : first + len(place)] = pulse * rng.normal(1, 0.04)
        start += period
    flow *= voicing
    return flow, np.diff(flow, prepend=0.0)


def resonate(sound, centres, widths):
    """Filter by one resonator whose centre and width (n_steps,), in Hz, change with time."""
    radius = np.exp(-np.pi * widths / RATE)
    angle = 2 * np.pi * centres / RATE
    out, state = np.empty_like(sound), np.zeros(2)
    for i in range(len(centres)):
        poles = [1.0, -2 * radius[i] * np.cos(angle[i]), radius[i] ** 2]
        stretch = slice(i * STEP, (i + 1) * STEP)
        out[stretch], state = lfilter([sum(poles)], poles, sound[stretch], zi=state)
    return out


def say(voice, n_samples, rng):
    """Return one phrase."""
    n_steps = -(-n_samples // STEP)
    tracks = Tracks(n_steps)
    start = 0
    while n_steps - start > 20:
        stop = min(start + round(RATE / STEP * rng.uniform(0.19, 0.30)), n_steps)
        stop = n_steps if n_steps - stop < 24 else stop
        speak_syllable(tracks, start, stop, rng)
        start = stop
    at = np.minimum(np.arange(n_steps * STEP) // STEP, n_steps - 1)
    voicing = blurred(blurred(tracks.voicing, 4)[at], 40)
    voicing[-480:] *= np.linspace(1, 0, 480)
    flow, change = glottis(voice, voicing, rng)
    noise = rng.normal(size=len(flow))
    breath = voice.breath * flow + 0.08 * blurred(tracks.breath, 2)[at]
    sound = lfilter([1 - voice.softness], [1, -voice.softness], change + breath * noise)
    formants = blurred(tracks.formants, 8) * voice.formants
    for column, width in enumerate(BANDWIDTHS[:3]):
        sound = resonate(sound, formants[:, column], np.full(n_steps, width))
    for centre, width in zip(voice.fourth, BANDWIDTHS[3:], strict=True):
        sound = resonate(sound, np.full(n_steps, centre), np.full(n_steps, width))
    hiss = blurred(tracks.hiss, 1)[at] * rng.normal(size=len(flow))
    hiss = resonate(hiss, *tracks.hiss_at.T)
    hiss = np.diff(hiss, prepend=0.0)
    scale = sound[voicing > 0.3].std()
    return (sound / scale + 0.15 * hiss / max(hiss.std(), 1e-9))[:n_samples]


def knock(rng):
    """Return three knocks at a wooden door."""
    time = np.arange(int(0.9 * RATE)) / RATE
    sound = np.zeros(len(time))
    for start in (0.0, 0.22, 0.44):
        after = np.maximum(time - start, 0.0)
        for tone, decay in ((95, 30), (170, 45), (310, 60), (720, 120), (1450, 200)):
            ring = np.sin(2 * np.pi * tone * rng.normal(1, 0.01) * after) * np.exp(-decay * after)
            sound += ring * (time >= start) * (200 / tone) ** 0.5
    return sound


def room_noise(n_samples, rng):
    """Return noise that falls by 5 dB per octave, and the hum of the mains."""
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    frequency = np.fft.rfftfreq(n_samples, 1 / RATE)
    noise = np.fft.irfft(spectrum / np.maximum(frequency, 60) ** 0.85, n_samples)
    hum = np.sin(2 * np.pi * 50 * np.arange(n_samples) / RATE)
    return noise / noise.std() + 0.3 * hum


def make_conversation(rng):
    """Return the samples, in -1…1."""
    sound = np.zeros(int(SECONDS * RATE))
    for name, start, end in PHRASES:
        first, last = round(start * RATE), round(end * RATE)
        sound[first:last] += 0.036 * say(VOICES[name], last - first, rng)
    rap = knock(rng)
    first = round(KNOCK * RATE)
    sound[first : first + len(rap)] += 0.07 * rap
    decay = np.arange(int(0.15 * RATE)) / RATE
    echo = rng.normal(size=len(decay)) * np.exp(-decay / 0.025) * (decay > 0.004)
    sound += fftconvolve(sound, 0.25 * echo / np.sqrt((echo**2).sum()))[: len(sound)]
    return sound + 0.0018 * room_noise(len(sound), rng)


if __name__ == "__main__":
    samples = make_conversation(np.random.default_rng(0))
    soundfile.write(FOLDER / "conversation.flac", samples, RATE, subtype="PCM_16")
    lines = [
        f"SPEAKER conversation 1 {start:.3f} {end - start:.3f} <NA> <NA> {name} <NA> <NA>\n"
        for name, start, end in PHRASES
    ]
    (FOLDER / "conversation.rttm").write_text("".join(lines))
