"""Samples given as normal that are none: found by models that did not learn from their like."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.view import median_and_deviation

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
Mask = NDArray[np.bool_]
M = TypeVar("M")

OUTLIER = 6.0  # deviations above the median, from which on a normal sample is taken for none
NEAREST = 0.75  # share of samples that others are screened by
N_SCREENINGS = 2
MOST_ROUNDS = 8


@dataclass(frozen=True, eq=False)
class Learned(Generic[M]):
    """Hold a model of some samples, and the scores of all.

    Parameters
    ----------
    model : object
        What was learned of the samples that were kept.
    scores : ndarray of shape (n_samples,)
        What all score: those that were kept by models without them, others by this model.
    kept : ndarray of bool of shape (n_samples,)
        Which were kept.
    """

    model: M
    scores: Array
    kept: Mask


def is_outlier(scores: Array) -> Mask:
    """Return which normal samples are so strange that they are none.

    These are at most a quarter: more would draw the upper quartile, and the limit beyond them.
    """
    center, deviation = median_and_deviation(scores)
    return scores > center + OUTLIER * max(deviation, 1e-12)


def without_outliers(
    learn: Callable[[Mask], Learned[M]],
    screen: Callable[[Mask, Learned[M]], Array],
    labels: Labels,
    *,
    outlying: Callable[[Array], Mask] = is_outlier,
) -> Learned[M]:
    """Return what is learned of normal samples without those among them that are none.

    Where a model has learned from strange samples, others of their kind seem less strange. So
    samples are first scored by models of their nearest three quarters, in which strange ones are
    few (after the concentration steps of Rousseeuw, Van Driessen 1999, "A fast algorithm for the
    minimum covariance determinant estimator", DOI 10.1080/00401706.1999.10485670). Those that are
    far out are left out; whoever is not, once these are gone, comes back.

    Parameters
    ----------
    learn : callable
        Learns from the samples of a mask.
    screen : callable
        Returns the scores of all samples by a model of those of a mask, given what was learned of
        all; it may be rougher than ``learn``.
    labels : ndarray of int of shape (n_samples,)
        Domains of the samples, each of which keeps its nearest.
    outlying : callable, default=is_outlier
        Returns which samples are none, from all scores.
    """
    found = learn(np.ones(len(labels), dtype=bool))
    every, scores = found, found.scores
    for _ in range(N_SCREENINGS):
        scores = screen(_nearest(scores, labels), every)
    seen = [found.kept]
    kept = ~outlying(scores)
    for _ in range(MOST_ROUNDS):
        if not _is_among(kept, seen):
            seen.append(kept)
            found = learn(kept)
        kept = ~outlying(found.scores)
        if _is_among(kept, seen):
            break
    return found


def _nearest(scores: Array, labels: Labels) -> Mask:
    """Return which three quarters of each domain, and at least two, score least."""
    kept = np.zeros(len(scores), dtype=bool)
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        number = max(int(np.ceil(NEAREST * len(members))), 2)
        kept[members[np.argsort(scores[members], kind="stable")[:number]]] = True
    return kept


def _is_among(kept: Mask, seen: list[Mask]) -> bool:
    return any(np.array_equal(kept, other) for other in seen)
