"""When, and in which band, a clip is strange: its distance from normal, shared out."""

from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.clip_judge import ClipJudge
from gmmseg.audio.clip_lines import CARRIER, CARRIER_STEP
from gmmseg.audio.clip_parts import Parts
from gmmseg.audio.clip_recipe import N_BANDS, N_POOLED, RATIOS, ClipRecipe
from gmmseg.audio.ranking import rank_shares

Array = NDArray[np.float64]

STRANGE_SHARE = 0.5
"""Share of all contributions that the strange part of a clip holds."""
MOST_LINES = 5
"""Number of tones, and of beats, that are told at most."""
WIDTH = 2
"""How many lines a tone spreads to each side."""


@dataclass(frozen=True, eq=False)
class AudioExplanation:
    """Hold why a clip is strange.

    Parameters
    ----------
    score : float
        How strange the clip is.
    p_value : float
        How likely a normal clip is to be as strange.
    times : ndarray of shape (n_frames,)
        Centres of the frames, in seconds.
    frequencies : ndarray of shape (n_bands,)
        Centres of the bands, in Hz.
    levels : ndarray of shape (n_frames, n_bands)
        What was heard, in dB.
    contributions : ndarray of shape (n_frames, n_bands)
        What each moment and band adds to the distance from normal, at least 0. A change that
        lasts is shared by all frames, an event by the loudest.
    tones : list of tuple of float
        Tones as strange as in hardly any normal clip, the strangest first: each its frequency, in
        Hz, and by how much it stands out more than normal, in dB; below 0, less.
    beats : list of tuple of float
        Throbs as strange, likewise: each the lowest and the highest frequency of what throbs and
        how often it does, all in Hz, and how much more than normal, in dB.

    Examples
    --------
    >>> from gmmseg.audio import AudioAnomalyDetector
    >>> rng = np.random.default_rng(0)
    >>> normal = [(rng.normal(size=16000), 8000) for _ in range(20)]
    >>> detector = AudioAnomalyDetector().fit(normal)
    >>> strange = normal[0][0].copy()
    >>> strange[4000:4800] += 3 * np.sin(2 * np.pi * 1000 * np.arange(800) / 8000)
    >>> found = detector.explain(strange, sr=8000)
    >>> when = found.times[found.frame_scores.argmax()]
    >>> bool(0.45 < when < 0.65)
    True
    >>> round(found.frequencies[found.band_scores.argmax()], -2)
    np.float64(1000.0)
    """

    score: float
    p_value: float
    times: Array
    frequencies: Array
    levels: Array
    contributions: Array
    tones: list[tuple[float, float]] = field(default_factory=list)
    beats: list[tuple[float, float, float, float]] = field(default_factory=list)

    @property
    def frame_scores(self) -> Array:
        """What each frame adds, (n_frames,)."""
        scores: Array = self.contributions.sum(axis=1)
        return scores

    @property
    def band_scores(self) -> Array:
        """What each band adds, (n_bands,)."""
        scores: Array = self.contributions.sum(axis=0)
        return scores

    @property
    def is_strange(self) -> NDArray[np.bool_]:
        """The smallest part that holds half of all contributions, (n_frames, n_bands)."""
        descending = np.sort(self.contributions, axis=None)[::-1]
        total = descending.cumsum()
        n_kept = int(np.searchsorted(total, STRANGE_SHARE * total[-1]))
        least = descending[min(n_kept, len(descending) - 1)]
        found: NDArray[np.bool_] = (self.contributions >= least) & (self.contributions > 0.0)
        return found

    @property
    def strange_times(self) -> list[tuple[float, float]]:
        """Intervals that the strange part lies in, start and end in seconds."""
        step = self.times[1] - self.times[0] if len(self.times) > 1 else 0.0
        edges = np.append(self.times, self.times[-1] + step)
        return [(float(edges[a]), float(edges[b])) for a, b in _run_borders(self.is_strange.T)]

    @property
    def strange_bands(self) -> list[tuple[float, float]]:
        """Bands that the strange part lies in, centres of the lowest and the highest in Hz."""
        upper = np.concatenate([self.frequencies[:1], self.frequencies])
        return [
            (float(self.frequencies[first]), float(upper[end]))
            for first, end in _run_borders(self.is_strange)
        ]


def _run_borders(is_found: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where runs of columns with any found begin, and the first column behind each."""
    padded = np.pad(is_found.any(axis=0).astype(np.int8), 1)
    borders = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(first), int(end)) for first, end in borders.reshape(-1, 2)]


def explanation(judge: ClipJudge, samples: Array) -> AudioExplanation:
    """Return why a clip is strange.

    The contributions sum to its distance from normal, the mean of those of its parts.
    """
    recipe = judge.recipe
    levels = recipe.frames(samples)
    contributions = np.zeros_like(levels)
    parts = Parts.of_clip(len(samples), recipe)
    rows, found, of_lines = [], [], line_bands(recipe)
    for start, part in zip(parts.starts, parts.of(samples), strict=True):
        heard = recipe.frames(part)
        rows.append(recipe.described(part))
        added, dev = judge.model.contributions(rows[-1], parts.level)
        first = min(round(start / recipe.hop_length), len(levels) - len(heard))
        contributions[first : first + len(heard)] += _shared_out(
            added[:N_POOLED], dev[:N_POOLED], heard, recipe.n_typical
        )
        found.append(judge.model.line_shares(rows[-1], parts.level))
        lasting = added[N_POOLED:] @ of_lines
        contributions[first : first + len(heard)] += lasting / len(heard)
    score = judge.score_of_parts(np.stack(rows), parts.level)
    return AudioExplanation(
        score=score,
        p_value=float(judge.nulls[0].p_values(np.array([score]))[0]),
        times=np.arange(len(levels)) * recipe.hop_length / recipe.sr,
        frequencies=recipe.frequencies,
        levels=levels,
        contributions=contributions / len(rows),
        tones=_tones(recipe, *max((kinds[0] for kinds in found), key=itemgetter(0))),
        beats=_beats(recipe, *max((kinds[1] for kinds in found), key=itemgetter(0))),
    )


def _tones(
    recipe: ClipRecipe, added: float, shares: Array, devs: Array
) -> list[tuple[float, float]]:
    """Return strange tones as the explanation has them."""
    hertz = recipe.lines.tones * recipe.sr
    return [(float(hertz[k]), float(devs[k])) for k in _strangest(shares)] if added > 0.0 else []


def _beats(
    recipe: ClipRecipe, added: float, shares: Array, devs: Array
) -> list[tuple[float, float, float, float]]:
    """Return strange beats as the explanation has them."""
    lines = recipe.lines
    found = []
    for k in _strangest(shares) if added > 0.0 else []:
        carrier, beat = divmod(k, lines.n_beats)
        low, high = lines.carriers[carrier]
        hertz = recipe.sr / CARRIER
        rate = (beat + 1) * recipe.sr / CARRIER_STEP / lines.n_frames
        found.append((low * hertz, high * hertz, rate, float(devs[k])))
    return found


def _strangest(shares: Array) -> list[int]:
    """Return the lines that hold half of all, the strangest first; of neighbours the stranger."""
    order = np.argsort(-shares, kind="stable")
    n_kept = 1 + int(np.searchsorted(shares[order].cumsum(), STRANGE_SHARE))
    kept: list[int] = []
    for k in order[:n_kept].tolist():
        if all(abs(k - other) > WIDTH for other in kept):
            kept.append(k)
    return kept[:MOST_LINES]


def _shared_out(parts: Array, dev: Array, levels: Array, n_typical: int) -> Array:
    """Return contributions of ratios and bands as those of frames and bands.

    What is louder than normal is due to the frames that count in it; what is too quiet, to all.
    """
    shares = rank_shares(levels, RATIOS, n_typical=n_typical)
    is_louder = (dev > 0.0).reshape(len(RATIOS), 1, N_BANDS)
    shares = np.where(is_louder, shares, 1.0 / len(levels))
    spread: Array = (shares * parts.reshape(len(RATIOS), 1, N_BANDS)).sum(axis=0)
    return spread


def line_bands(recipe: ClipRecipe) -> Array:
    """Return which bands tones and beats lie in, (n_lines, n_bands), each row summing to 1.

    A beat lies in all bands of its carrier.
    """
    centers, lines = recipe.frequencies, recipe.lines
    tones = np.abs(lines.tones[:, np.newaxis] * recipe.sr - centers).argmin(axis=1)
    shares = [np.eye(N_BANDS)[tones]]
    for low, high in lines.carriers:
        is_inside = (centers >= low * recipe.sr / CARRIER) & (centers < high * recipe.sr / CARRIER)
        if not is_inside.any():
            is_inside = np.arange(N_BANDS) == np.abs(centers - low * recipe.sr / CARRIER).argmin()
        shares.append(np.tile(is_inside / is_inside.sum(), (lines.n_beats, 1)))
    return np.concatenate(shares)
