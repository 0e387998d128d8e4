"""What normal clips are like: means of their domains, separable Gaussians about them, lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.backend import log_distances
from gmmseg.anomaly.folds import folds
from gmmseg.anomaly.moments import Moments
from gmmseg.anomaly.separable import SeparableGaussian, Shrinkage, pooled_scatter
from gmmseg.anomaly.view import ADAPT_FOLDS, Scale
from gmmseg.audio.clip_line_model import LineModel
from gmmseg.audio.clip_recipe import N_POOLED
from gmmseg.audio.clip_views import VIEWS, ClipView

Array = NDArray[np.float64]
Labels = NDArray[np.intp]

FLOOR = 0.01  # dB squared: no two recordings of the same are more alike
SMALLEST = 1e-9  # score that counts as some
CHOICE_FOLDS = 8
ROWS = (0.01, 0.1)
COLUMNS = (0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8)
PRODUCTS = (0.7, 0.4, 0.2, 0.1, 0.05)


@dataclass(frozen=True, eq=False)
class FittedView:
    """Hold what was chosen for one view.

    Parameters
    ----------
    shrinkage : Shrinkage
        How far its covariance is shrunk.
    scale : Scale
        What brings its scores to those of other views.
    """

    shrinkage: Shrinkage
    scale: Scale


@dataclass(frozen=True, eq=False)
class ClipModel:
    """Hold what is known of normal clips.

    Parameters
    ----------
    domains : tuple of Moments
        Count, mean and covariance of the weighted means of the clips of each domain.
    fitted : tuple of FittedView
        What was chosen for each of `VIEWS`.
    shifts : ndarray of shape (n_lengths, n_features)
        By how much a part of each length differs from its clip, in the mean; 0 for the whole.
    lines : tuple of LineModel
        What is known of their tones, and of their beats.
    """

    domains: tuple[Moments, ...]
    fitted: tuple[FittedView, ...]
    shifts: Array
    lines: tuple[LineModel, ...]

    @classmethod
    def learn(
        cls, X: Array, labels: Labels, like: "ClipModel | None" = None
    ) -> tuple["ClipModel", Array]:
        """Return a model of the weighted means of normal clips, and what each scores without it.

        They are given whole and in parts, (n_clips, n_lengths, n_features), and so are their
        scores, (n_clips, n_lengths). Shrinkage is chosen, or that of another model is taken.
        """
        fitted, scores = [], np.zeros(X.shape[:2])
        for number, view in enumerate(VIEWS):
            seen = view.apply(X.reshape(-1, X.shape[2])).reshape(*X.shape[:2], -1)
            if like is None:
                shrinkage = _chosen(seen[:, 0], labels, view.shape)
            else:
                shrinkage = like.fitted[number].shrinkage
            raw = _left_out_scores(seen, labels, view.shape, shrinkage)
            scale = Scale.of(raw[:, 0])
            fitted.append(FittedView(shrinkage, scale))
            scores += view.weight * scale.apply(raw)
        return cls(domain_moments(X[:, 0], labels), tuple(fitted), _shifts(X), ()), scores

    def with_lines(self, kinds: Sequence[Array], labels: Labels) -> tuple["ClipModel", Array]:
        """Return the model that knows tones and beats too, and what these add to each's scores."""
        learned = [LineModel.learn(lines, labels) for lines in kinds]
        added: Array = np.sum([added for _, added in learned], axis=0)
        return replace(self, lines=tuple(line for line, _ in learned)), added

    @cached_property
    def gaussians(self) -> tuple[SeparableGaussian, ...]:
        """The Gaussian of each view."""
        return tuple(
            _gaussian(self.domains, view, fit.shrinkage)
            for view, fit in zip(VIEWS, self.fitted, strict=True)
        )

    def scores(self, X: Array, level: int = 0) -> Array:
        """Return how strange clips are, (n_clips,).

        That is the mean of the views' log-distances from the nearest domain, and what lines add.
        ``level`` tells of which length clips are; 0 is that of whole clips.
        """
        bands, *kinds = self._split(X)
        added = [line.scores(seen, level) for line, seen in zip(self.lines, kinds, strict=True)]
        scores: Array = np.sum([self.band_scores(bands, level), *added], axis=0)
        return scores

    def contributions(self, x: Array, level: int = 0) -> tuple[Array, Array]:
        """Return what each feature of one clip adds, and how far it is from normal.

        Contributions are at least 0; they sum to the geometric mean of the views' distances. Lines
        have the share in it that they have in the score.
        """
        bands = self._split(x)[0]
        parts, dev = self._band_contributions(bands, level)
        found = self.line_shares(x, level)
        score = max(float(self.band_scores(bands[np.newaxis], level)[0]), SMALLEST)
        weights = np.array([score, *(added for added, _, _ in found)])
        own, *others = weights / weights.sum()
        distance = parts.sum()
        of_lines = [
            share * distance * shares for share, (_, shares, _) in zip(others, found, strict=True)
        ]
        devs = [dev, *(of_line for _, _, of_line in found)]
        return np.concatenate([own * parts, *of_lines]), np.concatenate(devs)

    def line_shares(self, x: Array, level: int = 0) -> list[tuple[float, Array, Array]]:
        """Return of each kind of lines what it adds, each line's share in that, and deviations."""
        seen = zip(self.lines, self._split(x)[1:], strict=True)
        return [
            (float(line.scores(own[np.newaxis], level)[0]), *line.shares(own, level))
            for line, own in seen
        ]

    def _split(self, X: Array) -> list[Array]:
        """Return weighted means, tones and beats of clips."""
        sizes = [N_POOLED, *(line.means.shape[1] for line in self.lines[:-1])]
        return np.split(X, np.cumsum(sizes), axis=-1)

    def band_scores(self, X: Array, level: int = 0) -> Array:
        """Return the mean of the views' log-distances of weighted means, (n_clips,)."""
        X = X - self.shifts[level]
        total = np.zeros(len(X))
        for view, fit, gaussian in zip(VIEWS, self.fitted, self.gaussians, strict=True):
            distances = _nearest(view.apply(X), list(view.apply(self._means)), gaussian)
            raw = log_distances(distances, len(gaussian.values))
            total += view.weight * fit.scale.apply(raw)
        return total

    def _band_contributions(self, x: Array, level: int) -> tuple[Array, Array]:
        x = x - self.shifts[level]
        shares, log_mean = np.zeros(len(x)), 0.0
        for view, gaussian in zip(VIEWS, self.gaussians, strict=True):
            devs = view.apply(x - self._means)
            parts = min(gaussian.whitened(devs) ** 2, key=np.sum)
            total = max(float(parts.sum()), np.finfo(np.float64).tiny)
            share = shares.reshape(-1, view.shape[1])
            share[list(view.rows)] += view.weight * parts.reshape(view.shape) / total
            log_mean += view.weight * np.log(total)
        return shares * np.exp(log_mean), x - self._means[self.nearest_domain(x)]

    def nearest_domain(self, x: Array) -> int:
        """Return the number of the domain that all views together find nearest to a clip."""
        return int(self.gaussians[0].distances(VIEWS[0].apply(x - self._means)).argmin())

    def adapted(self, X: Array, domain: int, weight: float) -> tuple["ClipModel", Array]:
        """Return the model with new normal clips, and what each of these scores without it.

        As in `learn`, clips are given whole and in parts, and so are their scores.
        """
        bands, *kinds = self._split(X)
        scores = np.empty(X.shape[:2])
        for out in folds(len(X), ADAPT_FOLDS):
            part = self if len(X) == 1 else self._moved(bands[~out], domain, weight)
            for level in range(X.shape[1]):
                scores[out, level] = part.band_scores(bands[out, level], level)
        learned = [
            line.adapted(seen, domain, weight) for line, seen in zip(self.lines, kinds, strict=True)
        ]
        scores = np.sum([scores, *(added for _, added in learned)], axis=0)
        moved = self._moved(bands, domain, weight)
        return replace(moved, lines=tuple(line for line, _ in learned)), scores

    @property
    def _means(self) -> Array:
        return np.stack([domain.mean for domain in self.domains])

    def _moved(self, X: Array, domain: int, weight: float) -> "ClipModel":
        domains = list(self.domains)
        domains[domain] = domains[domain].with_samples(X[:, 0], weight)
        return replace(self, domains=tuple(domains))


def domain_moments(X: Array, labels: Labels) -> tuple[Moments, ...]:
    """Return the moments of the clips of each domain that has any."""
    unit = np.ones(X.shape[1])
    return tuple(Moments.of_samples(X[labels == k], unit) for k in np.unique(labels))


def _shifts(X: Array) -> Array:
    """Return by how much parts differ from their clips in the mean, (n_lengths, n_features)."""
    shifts: Array = (X - X[:, :1]).mean(axis=0)
    return shifts


def _gaussian(
    domains: Sequence[Moments], view: ClipView, shrinkage: Shrinkage
) -> SeparableGaussian:
    matrix = view.matrix
    scatter = matrix @ pooled_scatter(domains) @ matrix.T
    return SeparableGaussian.of_scatter(scatter, view.shape, shrinkage, FLOOR)


def _nearest(X: Array, means: Sequence[Array], gaussian: SeparableGaussian) -> Array:
    """Return the squared distance from the nearest domain, (n_clips,)."""
    return np.min([gaussian.distances(X - mean) for mean in means], axis=0)


def _chosen(X: Array, labels: Labels, shape: tuple[int, int]) -> Shrinkage:
    """Return the shrinkage that makes left-out clips, seen by one view, likeliest."""
    is_table = shape[0] > 1
    tried = [Shrinkage(r, c, 1.0) for r in (ROWS if is_table else ROWS[:1]) for c in COLUMNS]
    best, likelihood = _likeliest(X, labels, shape, tried)
    if not is_table or len(X) <= X.shape[1]:
        return best
    # More clips than features: the covariance of all of them may be worth something.
    nearer = [Shrinkage(best.rows, best.columns, product) for product in PRODUCTS]
    other, other_likelihood = _likeliest(X, labels, shape, nearer)
    return other if other_likelihood > likelihood else best


def _likeliest(
    X: Array, labels: Labels, shape: tuple[int, int], tried: Sequence[Shrinkage]
) -> tuple[Shrinkage, float]:
    total = np.zeros(len(tried))
    for out in folds(len(X), CHOICE_FOLDS):
        rest = domain_moments(X[~out], labels[~out])
        scatter, means = pooled_scatter(rest), [domain.mean for domain in rest]
        for i, shrinkage in enumerate(tried):
            gaussian = SeparableGaussian.of_scatter(scatter, shape, shrinkage, FLOOR)
            distances = _nearest(X[out], means, gaussian)
            total[i] -= 0.5 * (distances + gaussian.log_determinant).sum()
    return tried[int(total.argmax())], float(total.max())


def _left_out_scores(
    X: Array, labels: Labels, shape: tuple[int, int], shrinkage: Shrinkage
) -> Array:
    """Return the log-distances of clips and their parts, by a model without them.

    X is what one view sees of them, (n_clips, n_lengths, n_features).
    """
    scores = np.empty(X.shape[:2])
    for out in folds(len(X)):
        rest = X[~out]
        domains = domain_moments(rest[:, 0], labels[~out])
        gaussian = SeparableGaussian.of_scatter(pooled_scatter(domains), shape, shrinkage, FLOOR)
        left_out = (X[out] - _shifts(rest)).reshape(-1, X.shape[2])
        distances = _nearest(left_out, [domain.mean for domain in domains], gaussian)
        scores[out] = log_distances(distances, X.shape[2]).reshape(-1, X.shape[1])
    return scores
