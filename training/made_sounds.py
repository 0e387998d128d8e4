"""Sounds without speech, made by chance: noises, hums, clicks, engines, animals, music."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

Signal = NDArray[np.float32]
Maker = Callable[[np.random.Generator, int, int], NDArray[np.float64]]


def uniform_log(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def smooth_curve(rng: np.random.Generator, n: int, n_knots: int) -> NDArray[np.float64]:
    """Draw a curve of n points through normal knots."""
    knots = rng.normal(size=max(2, n_knots))
    phase = np.linspace(0, len(knots) - 1, n)
    left = np.minimum(phase.astype(int), len(knots) - 2)
    share = 0.5 - 0.5 * np.cos(np.pi * (phase - left))
    return knots[left] * (1 - share) + knots[left + 1] * share


def colored(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Steady noise: a random slope and a random smooth spectrum."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / sr), 20.0)
    decibel = rng.uniform(-9, 3) * np.log2(frequency / 1000)
    decibel += rng.uniform(0, 10) * smooth_curve(rng, len(frequency), int(rng.integers(3, 12)))
    noise = np.fft.irfft(spectrum * 10 ** (decibel / 20), n)
    return noise / (noise.std() + 1e-12)


def waves(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Noise that swells: water, wind, breathing, steam, traffic."""
    rate = uniform_log(rng, 0.1, 12.0)
    time = np.arange(n) / sr
    wobble = 0.3 * smooth_curve(rng, n, int(2 + n / sr * rate / 2))
    phase = 2 * np.pi * (rate * time + wobble) + rng.uniform(0, 2 * np.pi)
    shape = (0.5 + 0.5 * np.sin(phase)) ** uniform_log(rng, 0.5, 8)
    if rng.random() < 0.4:
        shape = np.exp(rng.uniform(0.5, 2) * smooth_curve(rng, n, int(2 + n / sr * rate)))
    floor = uniform_log(rng, 0.01, 0.6)
    mixed = colored(rng, n, sr) * shape
    if rng.random() < 0.5:
        other = np.roll(shape, int(rng.uniform(0, 0.3) * sr))
        mixed = mixed + colored(rng, n, sr) * other
    return mixed + floor * colored(rng, n, sr)


def harmonics(
    rng: np.random.Generator, pitch: NDArray[np.float64], sr: int, *, slope: float
) -> NDArray[np.float64]:
    """Add the harmonics of a pitch (Hz per sample), through two resonances that may move."""
    phase = 2 * np.pi * np.cumsum(pitch) / sr
    top = float(pitch.max())
    count = int(np.clip(0.47 * sr / max(top, 20.0), 1, 40))
    moves = float(rng.choice([0.0, 0.3, 1.0]))
    centres = [
        uniform_log(rng, 250, 5000) * 2 ** (moves * smooth_curve(rng, len(pitch), 3))
        for _ in range(2)
    ]
    widths = rng.uniform(0.15, 0.8, 2)
    total = np.zeros(len(pitch))
    for order in range(1, count + 1):
        gain = 0.05 * order**slope * np.ones(len(pitch))
        for centre, width in zip(centres, widths, strict=True):
            distance = np.log2(order * pitch / centre) / width
            gain += order**slope * np.exp(-0.5 * distance**2)
        total += gain * np.sin(order * phase + rng.uniform(0, 2 * np.pi))
    return total


def hum(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Mains hum, transformers, fans: steady harmonics in a little noise."""
    pitch = rng.choice([50.0, 60.0, 100.0, 120.0, uniform_log(rng, 40, 500)])
    steady = pitch * (1 + 0.002 * smooth_curve(rng, n, int(2 + n / sr)))
    sound = harmonics(rng, steady, sr, slope=rng.uniform(-2, 0))
    return sound / (sound.std() + 1e-12) + uniform_log(rng, 0.01, 1) * colored(rng, n, sr)


def tones(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Tones, sweeps, sirens, beeps."""
    time = np.arange(n) / sr
    sound = np.zeros(n)
    for _ in range(int(rng.integers(1, 5))):
        base = uniform_log(rng, 80, 4000)
        kind = rng.integers(0, 4)
        if kind == 0:
            pitch = np.full(n, base)
        elif kind == 1:
            rate = uniform_log(rng, 0.2, 8)
            pitch = base * 2 ** (rng.uniform(0.05, 1) * np.sin(2 * np.pi * rate * time))
        elif kind == 2:
            rate = uniform_log(rng, 0.2, 4)
            pitch = base * 2 ** (rng.uniform(-2, 2) * ((time * rate) % 1.0))
        else:
            pitch = base * 2 ** (0.5 * smooth_curve(rng, n, int(2 + n / sr * rng.uniform(0.5, 6))))
        tone = np.sin(2 * np.pi * np.cumsum(np.clip(pitch, 30, 0.45 * sr)) / sr)
        if rng.random() < 0.4:
            rate, share = uniform_log(rng, 0.5, 10), rng.uniform(0.1, 0.9)
            tone *= lfilter([0.01], [1, -0.99], ((time * rate) % 1.0) < share)
        sound += uniform_log(rng, 0.1, 1) * tone
    return sound + uniform_log(rng, 0.001, 0.3) * colored(rng, n, sr)


def ping(rng: np.random.Generator, n: int, sr: int, *, decay: float) -> NDArray[np.float64]:
    """Return a knock: decaying noise and decaying resonances."""
    time = np.arange(min(n, int(8 * decay * sr) + 8)) / sr
    sound = rng.uniform(0, 1) * rng.normal(size=len(time))
    for _ in range(int(rng.integers(0, 4))):
        frequency, own = uniform_log(rng, 60, 6000), decay * uniform_log(rng, 0.3, 1.5)
        sound += np.sin(2 * np.pi * frequency * time) * np.exp(-time / own)
    return sound * np.exp(-time / decay)


def clicks(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Clocks, steps, knocks, typing, claps, rain, crackling: few or thousands of knocks."""
    rate = uniform_log(rng, 0.5, 400)
    decay = min(uniform_log(rng, 0.0005, 0.15), 3 / rate)
    kinds = [ping(rng, n, sr, decay=decay) for _ in range(int(rng.integers(1, 6)))]
    if rate < 20 and rng.random() < 0.5:
        starts = np.arange(rng.uniform(0, 1 / rate), n / sr, 1 / rate)
        starts = starts + rng.normal(size=len(starts)) * rng.choice([0.0, 0.003, 0.1]) / rate
    else:
        starts = rng.uniform(0, n / sr, max(1, rng.poisson(rate * n / sr)))
    spread = rng.uniform(0, 2)
    which = rng.integers(0, len(kinds), len(starts))
    gains = np.exp(spread * rng.normal(size=len(starts)))
    sound = np.zeros(n)
    for index, kind in enumerate(kinds):
        train = np.zeros(n)
        chosen = which == index
        places = np.clip(starts[chosen] * sr, 0, n - 1).astype(int)
        np.add.at(train, places, gains[chosen])
        sound += fftconvolve(train, kind)[:n]
    background = uniform_log(rng, 1e-4, 0.3) * np.abs(sound).max()
    return sound + background * rng.uniform(0, 0.3) * colored(rng, n, sr)


def engine(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Motors, saws, propellers: a train of pulses of changing rate through resonances."""
    speed = uniform_log(rng, 8, 180)
    knots = int(2 + n / sr * rng.uniform(0.1, 2.5))
    pitch = speed * 2 ** (rng.uniform(0, 0.6) * smooth_curve(rng, n, knots))
    phase = np.cumsum(pitch) / sr
    jitter = 0.03 * rng.random() * smooth_curve(rng, n, n // 40)
    train = np.diff(np.floor(phase + jitter), prepend=0.0).clip(0, 1)
    sound = np.zeros(n)
    for _ in range(int(rng.integers(2, 6))):
        frequency, width = uniform_log(rng, 80, 4500), uniform_log(rng, 40, 800)
        radius = np.exp(-np.pi * width / sr)
        poles = [1, -2 * radius * np.cos(2 * np.pi * frequency / sr), radius**2]
        part = lfilter([1.0], poles, train)
        sound += uniform_log(rng, 0.1, 1) * part / (part.std() + 1e-12)
    hiss = colored(rng, n, sr)
    if rng.random() < 0.5:
        hiss = hiss * (0.3 + lfilter([1.0], [1, -np.exp(-1 / (0.01 * sr))], train))
    return sound / (sound.std() + 1e-12) + uniform_log(rng, 0.03, 2) * hiss / (hiss.std() + 1e-12)


def calls(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Barks, crows, mews, birds: gliding harmonics, again and again the same."""
    sound = np.zeros(n)
    base = uniform_log(rng, 120, 3500)
    typical, pause = uniform_log(rng, 0.04, 1.5), uniform_log(rng, 0.05, 2.0)
    glide, slope = rng.uniform(0.05, 1.0), rng.uniform(-1.5, 0.2)
    breath, voices = uniform_log(rng, 0.01, 1.5), int(rng.integers(1, 3))
    start = int(rng.uniform(0, 1.0) * sr)
    while start < n - 200:
        length = int(np.clip(typical * np.exp(0.3 * rng.normal()), 0.02, 3) * sr)
        length = min(length, n - start)
        if length < 200:
            break
        arch = rng.uniform(0, 1) * np.sin(np.pi * np.linspace(0, 1, length))
        curve = smooth_curve(rng, length, int(rng.integers(2, 5))) * 0.4 + arch
        pitch = np.clip(base * 2 ** (glide * curve + 0.1 * rng.normal()), 60, 0.45 * sr)
        if rng.random() < 0.3:
            rate = rng.uniform(5, 40)
            wave = np.sin(2 * np.pi * rate * np.arange(length) / sr)
            pitch = pitch * (1 + rng.uniform(0.01, 0.15) * wave)
        state = np.random.default_rng(int(rng.integers(0, voices)))
        call = harmonics(state, pitch, sr, slope=slope)
        call = call / (call.std() + 1e-12) + breath * rng.normal(size=length)
        attack, release = uniform_log(rng, 0.003, 0.1), uniform_log(rng, 0.01, 0.5)
        time = np.arange(length) / sr
        shape = (1 - np.exp(-time / attack)) * (1 - np.exp(-(time[::-1]) / release))
        sound[start : start + length] += call * shape * uniform_log(rng, 0.3, 1)
        start += length + int(pause * np.exp(0.5 * rng.normal()) * sr)
    return sound + uniform_log(rng, 0.001, 0.3) * colored(rng, n, sr)


def music(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Notes, chords, bells, strings and drums on a beat."""
    beat = uniform_log(rng, 0.1, 0.8)
    scale = uniform_log(rng, 80, 400) * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
    is_bell, sustain = rng.random() < 0.3, uniform_log(rng, 0.08, 2.0)
    vibrato, slope = rng.choice([0.0, 0.01, 0.02]), rng.uniform(-2, -0.3)
    sound = np.zeros(n)
    length = min(n, int(min(3.0, 3 * sustain) * sr))
    time = np.arange(length) / sr
    envelope = (1 - np.exp(-time / uniform_log(rng, 0.002, 0.08))) * np.exp(-time / sustain)
    envelope *= 1 - np.linspace(0, 1, length) ** 8
    seed = int(rng.integers(0, 2**31))
    for start in np.arange(0, n / sr, beat):
        if rng.random() < 0.25:
            continue
        for pitch in rng.choice(scale, int(rng.integers(1, 4))):
            wave = pitch * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))
            if is_bell:
                ratios = np.sort(np.random.default_rng(seed).uniform(1, 8, 6))
                note = sum(np.sin(2 * np.pi * np.cumsum(wave * r) / sr) / r for r in ratios)
            else:
                note = harmonics(np.random.default_rng(seed), wave, sr, slope=slope)
            place = int(start * sr)
            stop = min(n, place + length)
            note = note * envelope / (np.std(note) + 1e-12)
            sound[place:stop] += note[: stop - place] * uniform_log(rng, 0.4, 1)
    if rng.random() < 0.5:
        drum = ping(rng, n, sr, decay=uniform_log(rng, 0.02, 0.15))
        train = np.zeros(n)
        train[(np.arange(0, n / sr - 0.01, beat * rng.choice([1, 2])) * sr).astype(int)] = 1.0
        sound += rng.uniform(0.3, 2) * fftconvolve(train, drum)[:n]
    return sound + uniform_log(rng, 1e-4, 0.1) * colored(rng, n, sr)


def bubbles(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Running and dripping water: short rising tones, many of them, on a hiss."""
    sound = np.zeros(n)
    low = uniform_log(rng, 200, 1500)
    for _ in range(max(1, rng.poisson(uniform_log(rng, 1, 80) * n / sr))):
        decay = uniform_log(rng, 0.003, 0.05)
        time = np.arange(int(6 * decay * sr)) / sr
        pitch = uniform_log(rng, low, 4 * low) * (1 + rng.uniform(0, 0.5) * time / decay)
        drop = np.sin(2 * np.pi * np.cumsum(np.minimum(pitch, 7000)) / sr) * np.exp(-time / decay)
        place = int(rng.integers(0, n))
        drop = drop[: n - place] * np.exp(rng.normal())
        sound[place : place + len(drop)] += drop
    return sound + uniform_log(rng, 0.003, 1) * (sound.std() + 1e-9) * colored(rng, n, sr)


def silence(rng: np.random.Generator, n: int, sr: int) -> NDArray[np.float64]:
    """Nearly nothing: the last bit, or less."""
    return np.round(rng.normal(size=n) * uniform_log(rng, 0.1, 3)) + 1e-3 * rng.normal(size=n)


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (colored, waves, hum, tones, clicks, engine, calls, music, bubbles, silence)
}
"""Name → maker of one kind of sound."""


def scene(rng: np.random.Generator, n: int, sr: int, recordings: list[Signal]) -> Signal:
    """Return one to three sounds at once, made and, where there are some, recorded."""
    total = np.zeros(n)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        if recordings and rng.random() < 0.45:
            sound = stretch_to(rng, recordings[int(rng.integers(0, len(recordings)))], n)
        else:
            name = str(rng.choice(list(MAKERS)))
            sound = MAKERS[name](rng, n, sr)
        total += uniform_log(rng, 0.15, 1) * sound / (np.sqrt(np.mean(sound**2)) + 1e-9)
    return np.asarray(total / (np.sqrt(np.mean(total**2)) + 1e-9), dtype=np.float32)


def stretch_to(rng: np.random.Generator, sound: Signal, n: int) -> NDArray[np.float64]:
    """Return a recording at a slightly other speed, repeated or cut to n samples."""
    speed = uniform_log(rng, 0.8, 1.25)
    faster = np.interp(np.arange(0, len(sound) - 1, speed), np.arange(len(sound)), sound)
    start = int(rng.integers(0, len(faster)))
    return np.resize(np.roll(faster, -start), n)
