"""Made machines, in order or at fault: fans, gears, valves, slides and bearings, in noise."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal import lfilter, lfilter_zi

FAULTS = (
    "speed 1 %",
    "speed 2 %",
    "speed 5 %",
    "new tone",
    "missing tone",
    "sidebands",
    "impulses",
    "squeal",
    "rattle",
    "looseness",
    "level",
)


@dataclass(frozen=True)
class Machine:
    """A machine and the place it is heard at.

    ``kind`` is "fan", "gearbox", "valve", "rail" or "bearing"; the signal-to-noise ratio is in dB;
    ``jitter`` is the deviation of its speed from clip to clip, ``seed`` what one of its kind has
    of its own.
    """

    kind: str
    sr: int = 16000
    seconds: float = 4.0
    snr: float = 6.0
    jitter: float = 0.002
    seed: int = 0

    @property
    def name(self):
        """What tells it from others."""
        return f"{self.kind} {self.sr / 1000:g} kHz, {self.snr:g} dB, jitter {self.jitter:.1%}"

    @cached_property
    def parts(self):
        """What is the same in every clip: shaft rate, orders and levels of tones, resonances."""
        rng = np.random.default_rng([self.seed, len(self.kind), self.sr])
        shaft = rng.uniform(20.0, 35.0)
        base = {"fan": 7, "gearbox": 23, "bearing": 1}.get(self.kind, 11)
        orders = np.concatenate([[1, 2], base * np.arange(1, 9)])
        orders = np.unique(orders[orders * shaft < 0.45 * self.sr])
        levels = 10.0 ** (rng.normal(-3.0, 6.0, len(orders)) / 20.0) / np.sqrt(1 + orders / base)
        resonances = self.sr * rng.uniform(0.08, 0.4, 3)
        return shaft, orders, levels, resonances

    def clip(self, rng, fault=None):
        """Return one clip, of the machine in order or with one of `FAULTS`."""
        sound = self._tones(rng, fault) if self.kind not in ("valve", "rail") else None
        if self.kind == "valve":
            sound = self._strokes(rng, fault)
        elif self.kind == "rail":
            sound = self._slides(rng, fault)
        usual = np.sqrt(np.mean(sound**2))
        sound = _with_event(rng, self, sound, fault)
        if fault == "level":
            sound = 10.0 ** (2.0 / 20.0) * sound
        noise = coloured(rng, len(sound), 0.9) * usual * 10.0 ** (-self.snr / 20.0)
        room = sound + 10.0 ** (rng.normal(0.0, 0.7) / 20.0) * noise
        return 0.05 * 10.0 ** (rng.normal(0.0, 0.7) / 20.0) * room / usual

    def _cycles(self, rng, fault):
        """Return how often the shaft has turned, at every sample."""
        share = float(fault.split()[1]) / 100.0 if fault and fault.startswith("speed") else 0.0
        speed = self.parts[0] * (1.0 + rng.choice([-1.0, 1.0]) * share)
        t = np.arange(round(self.seconds * self.sr)) / self.sr
        wobble = 0.3 * self.jitter * np.sin(2 * np.pi * 0.5 * t + rng.uniform(0.0, 6.0))
        rate = speed * (1.0 + self.jitter * rng.normal() + wobble)
        return np.cumsum(rate) / self.sr

    def _tones(self, rng, fault):
        """Return the tones of a shaft and of its blades or teeth, and what rushes with them."""
        _, orders, levels, resonances = self.parts
        cycles = self._cycles(rng, fault)
        own = levels * 10.0 ** (rng.normal(0.0, 0.7, len(levels)) / 20.0)
        if fault == "missing tone":
            own[np.argsort(own)[-2]] = 0.0
        if fault == "looseness":
            orders = np.concatenate([orders, [0.5, 1.5, 2.5, 3.5]])
            own = np.concatenate([own, np.full(4, 0.12 * np.sqrt((own**2).sum()))])
        phases = rng.uniform(0.0, 2.0 * np.pi, len(orders))
        sound = sum(
            level * np.sin(2 * np.pi * order * cycles + phase)
            for level, order, phase in zip(own, orders, phases, strict=True)
        )
        depth = {"gearbox": 0.1}.get(self.kind, 0.0) + 0.25 * (fault == "sidebands")
        sound = sound * (1.0 + depth * np.cos(2 * np.pi * cycles + phases[0]))
        rush = ringing(coloured(rng, len(sound), 0.5), self.sr, resonances, width=0.05 * self.sr)
        return sound + 0.3 * np.std(sound) * rush / np.std(rush)

    def _strokes(self, rng, fault):
        """Return clicks of a valve at its own times, about three a second."""
        n, sound = round(self.seconds * self.sr), np.zeros(round(self.seconds * self.sr))
        period = self.sr * 10.0 / self.parts[0]
        period *= len(sound) / self.sr * self.parts[0] / max(self._cycles(rng, fault)[-1], 1.0)
        for start in np.arange(rng.uniform(0.0, period), n, period):
            first = int(start + rng.normal(0.0, 0.01 * period)) % n
            length = min(round(0.12 * self.sr), n - first)
            fall = np.exp(-np.arange(length) / (0.02 * self.sr))
            sound[first : first + length] += fall * rng.normal(size=length) * rng.uniform(0.8, 1.2)
        heard = ringing(sound, self.sr, self.parts[3][: 2 if fault == "missing tone" else 3])
        if fault == "sidebands":  # it leaks
            heard += 0.3 * np.std(heard) * ringing(rng.normal(size=n), self.sr, [0.3 * self.sr])
        return heard

    def _slides(self, rng, fault):
        """Return a carriage that runs to and fro: its motor whines up and down, its rail rushes."""
        _, orders, levels, resonances = self.parts
        cycles = self._cycles(rng, fault)
        t = cycles / self.parts[0] + rng.uniform(0.0, 2.0)
        speed = np.abs(np.sin(np.pi * t / 1.3))
        turned = np.cumsum(speed) / self.sr * self.parts[0]
        own = levels * (
            1.0 if fault != "missing tone" else np.arange(len(levels)) != levels.argmax()
        )
        whine = sum(
            level * np.sin(2 * np.pi * order * turned)
            for level, order in zip(own, orders, strict=True)
        )
        if fault == "sidebands":
            whine = whine * (1.0 + 0.4 * np.sin(2 * np.pi * cycles))
        rush = ringing(rng.normal(size=len(t)), self.sr, resonances, width=0.05 * self.sr)
        return speed * (whine + np.std(whine) * rush / np.std(rush))


def _with_event(rng, machine, sound, fault):
    """Return a sound with what a fault adds to it."""
    n, sr, usual = len(sound), machine.sr, np.sqrt(np.mean(sound**2))
    shaft, _, _, resonances = machine.parts
    t = np.arange(n) / sr
    if fault == "new tone":
        tone = np.sin(2 * np.pi * sr * rng.uniform(0.05, 0.4) * t)
        return sound + 0.1 * usual * tone
    if fault == "impulses":
        hits = np.zeros(n)
        period = sr / (3.58 * shaft)
        times = np.arange(rng.uniform(0.0, period), n, period) + rng.normal(0.0, 0.02 * period)
        hits[np.minimum(times.astype(int), n - 1)] = 1.0
        hits = ringing(hits, sr, resonances[:1], width=0.03 * sr)
        return sound + 0.1 * usual * hits / np.std(hits)
    if fault == "squeal":
        length, first = round(0.3 * sr), rng.integers(0, n - round(0.3 * sr))
        glide = np.cumsum(np.linspace(0.2, 0.25, length) * rng.uniform(0.8, 1.2))
        sound = sound.copy()
        sound[first : first + length] += 0.1 * usual * np.sin(2 * np.pi * glide)
    if fault == "rattle":
        sound, length = sound.copy(), round(0.03 * sr)
        for first in rng.integers(0, n - length, 6):
            sound[first : first + length] += 0.25 * usual * rng.normal(size=length)
    return sound


def coloured(rng, n_samples, pole):
    """Return noise of power 1 whose high tones are weaker by one pole."""
    noise = np.sqrt(1.0 - pole**2) * rng.normal(size=n_samples)
    start = lfilter_zi([1.0], [1.0, -pole]) * noise[0]
    return lfilter([1.0], [1.0, -pole], noise, zi=start)[0]


def ringing(sound, sr, resonances, width=200.0):
    """Return a sound through resonances of a width in Hz."""
    radius = np.exp(-np.pi * width / sr)
    heard = np.zeros(len(sound))
    for center in resonances:
        cos = np.cos(2.0 * np.pi * center / sr)
        heard += lfilter([1.0 - radius], [1.0, -2.0 * radius * cos, radius**2], sound)
    return heard
