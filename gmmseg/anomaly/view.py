"""One table of normal samples, seen by several back-ends whose scores are made comparable."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gmmseg.anomaly.backend import Array, Backend, Setting, log_distances
from gmmseg.anomaly.folds import folds
from gmmseg.anomaly.gaussian import GaussianBackend
from gmmseg.anomaly.mixture import MixtureBackend
from gmmseg.anomaly.moments import variance_of
from gmmseg.anomaly.neighbors import NeighborBackend
from gmmseg.anomaly.residual import ResidualBackend
from gmmseg.anomaly.spectrum import best_shrinkage

BACKENDS: dict[str, type[Backend]] = {
    backend.name: backend
    for backend in (GaussianBackend, MixtureBackend, NeighborBackend, ResidualBackend)
}
ADAPT_FOLDS = 8
QUARTILES = 1.349  # of a normal distribution lie so many deviations apart


@dataclass(frozen=True, eq=False)
class Scale:
    """Bring scores of normal samples to median 0 and deviation 1, by their quartiles.

    Parameters
    ----------
    center : float
        Median of the normal scores.
    spread : float
        Their deviation, above 0.
    """

    center: float
    spread: float

    @classmethod
    def of(cls, scores: Array) -> "Scale":
        """Return the scale of normal scores; of equal ones the spread is 1."""
        center, spread = median_and_deviation(scores)
        if not spread > 0.0:
            spread = float(scores.std())
        return cls(center, spread if spread > 1e-12 else 1.0)

    def apply(self, scores: Array) -> Array:
        """Return the scores on this scale."""
        return (scores - self.center) / self.spread


@dataclass(frozen=True, eq=False)
class View:
    """Hold the back-ends of one table.

    Parameters
    ----------
    backends : tuple of Backend
        Ways to measure how strange a sample is.
    scales : tuple of Scale
        What brings the scores of each to one scale.
    """

    backends: tuple[Backend, ...]
    scales: tuple[Scale, ...]

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.backends[0].n_features

    @classmethod
    def learn(cls, X: Array, names: Sequence[str], seed: int | None) -> tuple["View", Array]:
        """Return the view of normal samples, and what each scores by models without it."""
        prior_variance = variance_of(X)
        shrinkage, distances = best_shrinkage(X, prior_variance)
        setting = Setting(prior_variance, shrinkage, distances, seed)
        learned = [BACKENDS[name].learn(X, setting) for name in names]
        raw = [log_distances(found, X.shape[1]) for _, found in learned]
        view = cls(tuple(backend for backend, _ in learned), tuple(map(Scale.of, raw)))
        return view, view._fused(raw)

    def scores(self, X: Array) -> Array:
        """Return the mean of the back-ends' scores, (n_samples,); higher is stranger."""
        return self._fused(
            [log_distances(backend.distances(X), X.shape[1]) for backend in self.backends]
        )

    def contributions(self, X: Array) -> Array:
        """Return what each feature adds to the geometric mean of the squared distances."""
        shares = np.zeros_like(X)
        log_mean = np.zeros(len(X))
        for backend in self.backends:
            parts = backend.contributions(X)
            total = np.maximum(parts.sum(axis=1), np.finfo(np.float64).tiny)
            shares += parts / total[:, np.newaxis] / len(self.backends)
            log_mean += np.log(total) / len(self.backends)
        return shares * np.exp(log_mean)[:, np.newaxis]

    def adapted(self, X: Array, weight: float) -> tuple["View", Array]:
        """Return the view with new normal samples, and what each of these scores without it."""
        scores = np.empty(len(X))
        for out in folds(len(X), ADAPT_FOLDS):
            part = self if len(X) == 1 else self._moved(X[~out], weight)
            scores[out] = part.scores(X[out])
        return self._moved(X, weight), scores

    def _moved(self, X: Array, weight: float) -> "View":
        moved = tuple(backend.adapted(X, weight) for backend in self.backends)
        return replace(self, backends=moved)

    def _fused(self, raw: Sequence[Array]) -> Array:
        scaled = [scale.apply(scores) for scale, scores in zip(self.scales, raw, strict=True)]
        fused: Array = np.mean(scaled, axis=0)
        return fused


def median_and_deviation(scores: Array) -> tuple[float, float]:
    """Return median and deviation of scores, by their quartiles: strange ones hardly count."""
    low, center, high = np.quantile(scores, [0.25, 0.5, 0.75])
    return float(center), float(high - low) / QUARTILES
