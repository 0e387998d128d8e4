"""When, and in which band, a clip is strange: its distance from normal, shared out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.clip_judge import ClipJudge
from gmmseg.audio.clip_parts import Parts
from gmmseg.audio.clip_recipe import N_BANDS, RATIOS
from gmmseg.audio.ranking import rank_shares

Array = NDArray[np.float64]

STRANGE_SHARE = 0.5
"""Share of all contributions that the strange part of a clip holds."""


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
    rows = []
    for start, part in zip(parts.starts, parts.of(samples), strict=True):
        heard = recipe.frames(part)
        rows.append(recipe.pooled(heard))
        added, dev = judge.model.contributions(rows[-1], parts.level)
        first = min(round(start / recipe.hop_length), len(levels) - len(heard))
        contributions[first : first + len(heard)] += _shared_out(
            added, dev, heard, recipe.n_typical
        )
    score = judge.score_of_parts(np.stack(rows), parts.level)
    return AudioExplanation(
        score=score,
        p_value=float(judge.nulls[0].p_values(np.array([score]))[0]),
        times=np.arange(len(levels)) * recipe.hop_length / recipe.sr,
        frequencies=recipe.frequencies,
        levels=levels,
        contributions=contributions / len(rows),
    )


def _shared_out(parts: Array, dev: Array, levels: Array, n_typical: int) -> Array:
    """Return contributions of ratios and bands as those of frames and bands.

    What is louder than normal is due to the frames that count in it; what is too quiet, to all.
    """
    shares = rank_shares(levels, RATIOS, n_typical=n_typical)
    is_louder = (dev > 0.0).reshape(len(RATIOS), 1, N_BANDS)
    shares = np.where(is_louder, shares, 1.0 / len(levels))
    spread: Array = (shares * parts.reshape(len(RATIOS), 1, N_BANDS)).sum(axis=0)
    return spread
