"""What the lines of normal clips are like, each by itself, and when those of another count.

There are more lines than clips, so nothing is learned of how they go together. A fault moves a few
of them far, so fourth powers of deviations are summed rather than squares. Lines do not outvote
bands: they only count where they are stranger than those of ninety-nine in a hundred normal clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.backend import log_distances
from gmmseg.anomaly.folds import folds
from gmmseg.anomaly.null_scores import NullScores
from gmmseg.anomaly.view import ADAPT_FOLDS

Array = NDArray[np.float64]
Labels = NDArray[np.intp]

RARE = 0.01
"""Share of normal clips whose lines count at all."""
WEIGHT = 0.5
"""What lines that are e times rarer add to a score, which is in deviations of normal ones."""
SHRINKAGE = 0.1  # of each line's variance towards the mean of all
OTHERS = 4.0  # clips that the variance in all domains counts as in that of each
FLOOR = 0.01  # dB squared


@dataclass(frozen=True, eq=False)
class LineModel:
    """Hold what is known of one kind of lines.

    Parameters
    ----------
    counts : ndarray of shape (n_domains,)
        How many clips each domain has.
    means : ndarray of shape (n_domains, n_lines)
        Their mean, in dB.
    squares : ndarray of shape (n_domains, n_lines)
        Squared deviations from it, summed over the clips of the domain.
    shifts : ndarray of shape (n_lengths, n_lines)
        By how much a part of each length differs from its clip, in the mean.
    nulls : tuple of NullScores
        Log-distances of normal clips, at each length, each by a model without it.
    """

    counts: Array
    means: Array
    squares: Array
    shifts: Array
    nulls: tuple[NullScores, ...]

    @classmethod
    def learn(cls, X: Array, labels: Labels) -> tuple["LineModel", Array]:
        """Return the model of normal clips, and what the lines of each add to its score.

        Clips are given whole and in parts, (n_clips, n_lengths, n_lines), and so are their scores.
        """
        raw = np.empty(X.shape[:2])
        for out in folds(len(X)):
            rest = cls._of(X[~out], labels[~out])
            for level in range(X.shape[1]):
                raw[out, level] = rest.log_distances(X[out, level], level)
        model = replace(cls._of(X, labels), nulls=tuple(map(NullScores.of, raw.T)))
        return model, np.stack([_left_out(column) for column in raw.T], axis=1)

    @classmethod
    def _of(cls, X: Array, labels: Labels) -> "LineModel":
        known = [X[labels == k, 0] for k in np.unique(labels)]
        means = np.stack([clips.mean(axis=0) for clips in known])
        devs = [clips - mean for clips, mean in zip(known, means, strict=True)]
        return cls(
            counts=np.array([float(len(clips)) for clips in known]),
            means=means,
            squares=np.stack([(dev**2).sum(axis=0) for dev in devs]),
            shifts=(X - X[:, :1]).mean(axis=0),
            nulls=(),
        )

    @cached_property
    def variances(self) -> Array:
        """Variances of lines about the mean of each domain, as of new clips, (n_domains, n_lines).

        Tones of one domain vary where another has none, so each domain has its own variances; those
        of all stand in for clips it lacks.
        """
        n, k = self.counts.sum(), len(self.counts)
        pooled = self.squares.sum(axis=0) / n
        own = (self.squares + OTHERS * pooled) / (self.counts + OTHERS)[:, np.newaxis]
        own *= (n + k) / max(n - k, 0.5)
        mean = own.mean(axis=1, keepdims=True)
        variances: Array = (1.0 - SHRINKAGE) * own + SHRINKAGE * mean + FLOOR
        return variances

    def log_distances(self, X: Array, level: int) -> Array:
        """Return the logarithms of the distances from the nearest domain, (n_clips,)."""
        X = X - self.shifts[level]
        distances = [
            ((X - mean) ** 4 / variance**2).sum(axis=1)
            for mean, variance in zip(self.means, self.variances, strict=True)
        ]
        return log_distances(np.min(distances, axis=0), X.shape[1])

    def scores(self, X: Array, level: int) -> Array:
        """Return what the lines of clips add to their scores, (n_clips,), at least 0."""
        return _evidence(self.log_distances(X, level), self.nulls[level])

    def shares(self, x: Array, level: int) -> tuple[Array, Array]:
        """Return each line's share of the distance of one clip, and its deviation, in dB."""
        devs = x - self.shifts[level] - self.means
        parts = devs**4 / self.variances**2
        nearest = parts.sum(axis=1).argmin()
        total = max(float(parts[nearest].sum()), np.finfo(np.float64).tiny)
        return parts[nearest] / total, devs[nearest]

    def adapted(self, X: Array, domain: int, weight: float) -> tuple["LineModel", Array]:
        """Return the model with new normal clips, and what the lines of each add without it."""
        raw = np.empty(X.shape[:2])
        for out in folds(len(X), ADAPT_FOLDS):
            part = self if len(X) == 1 else self._moved(X[~out, 0], domain, weight)
            for level in range(X.shape[1]):
                raw[out, level] = part.log_distances(X[out, level], level)
        both = [_joined(null, new) for null, new in zip(self.nulls, raw.T, strict=True)]
        added = [_evidence(new, null) for null, new in zip(self.nulls, raw.T, strict=True)]
        moved = replace(self._moved(X[:, 0], domain, weight), nulls=tuple(both))
        return moved, np.stack(added, axis=1)

    def _moved(self, X: Array, domain: int, weight: float) -> "LineModel":
        counts, means = self.counts.copy(), self.means.copy()
        new, before = weight * len(X), counts[domain]
        step = X.mean(axis=0) - means[domain]
        counts[domain] += new
        means[domain] += new / counts[domain] * step
        squares = self.squares.copy()
        squares[domain] += weight * ((X - X.mean(axis=0)) ** 2).sum(axis=0)
        squares[domain] += before * new / counts[domain] * step**2
        return replace(self, counts=counts, means=means, squares=squares)


def _evidence(raw: Array, null: NullScores) -> Array:
    """Return what log-distances add to scores: nothing, unless hardly a normal clip has such."""
    evidence: Array = WEIGHT * np.maximum(np.log(RARE / null.p_values(raw)), 0.0)
    return evidence


def _left_out(raw: Array) -> Array:
    """Return what log-distances of normal clips add to their scores, each judged by the others."""
    evidence = np.zeros(len(raw))
    for k in np.flatnonzero(raw >= np.quantile(raw, 1.0 - 2.0 * RARE)):
        if len(raw) > 1:
            evidence[k] = _evidence(raw[k : k + 1], NullScores.of(np.delete(raw, k)))[0]
    return evidence


def _joined(null: NullScores, new: Sequence[float]) -> NullScores:
    return NullScores.of(np.append(null.scores, new))
