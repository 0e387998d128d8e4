"""How well the borders of regions were found: precision and recall of their length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gmmseg.errors import InputError
from gmmseg.evaluation.overlaps import checked_pair, scored_pixels, several_truths
from gmmseg.evaluation.rates import rate_of

USUAL_TOLERANCE = 0.0075  # of the diagonal, as of the Berkeley benchmark
BEYOND = 1e-9  # the search is for what is nearer than its bound, not as near


@dataclass(frozen=True)
class BoundaryScores:
    """Lengths of borders, in sides of pixels; they add up over images.

    Parameters
    ----------
    found : int
        Length of the borders of the segmentation.
    found_right : int
        How much of it lies near a border of any annotator.
    true : int
        Length of the borders of the truth; those of several annotators add up.
    true_found : int
        How much of it lies near a border of the segmentation.

    Examples
    --------
    >>> from gmmseg.evaluation import BoundaryScores
    >>> scores = BoundaryScores(10, 5, 20, 5) + BoundaryScores(10, 5, 0, 0)
    >>> scores.precision, scores.recall
    (0.5, 0.25)
    """

    found: int
    found_right: int
    true: int
    true_found: int

    def __add__(self, other: "BoundaryScores") -> "BoundaryScores":
        return BoundaryScores(
            self.found + other.found,
            self.found_right + other.found_right,
            self.true + other.true,
            self.true_found + other.true_found,
        )

    @property
    def precision(self) -> float:
        """Share of the borders that were found that are right; 1 if none were."""
        return 1.0 - rate_of(self.found - self.found_right, self.found)

    @property
    def recall(self) -> float:
        """Share of the true borders that were found; 1 if there are none."""
        return 1.0 - rate_of(self.true - self.true_found, self.true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 if there are no borders at all."""
        return rate_of(2.0 * self.precision * self.recall, self.precision + self.recall)


def boundary_scores(
    labels: ArrayLike,
    truths: ArrayLike | Sequence[ArrayLike],
    *,
    tolerance: float | None = None,
    ignore_label: int | None = 0,
) -> BoundaryScores:
    """Compare the borders between regions, which may lie a little beside each other.

    A border runs along the sides of pixels (faces of voxels) whose labels differ, so that it is
    the same whichever region is asked. A side of the segmentation is right if a side of any
    annotator is at most `tolerance` away; true sides that are found are counted for each annotator
    (Martin, Fowlkes and Malik 2004, DOI 10.1109/TPAMI.2004.1273918). Mind that the Berkeley
    benchmark thins borders to pixels and matches those one to one, while here distance alone
    counts: two borders along one true border are both right, so figures are some hundredths higher.

    Parameters
    ----------
    labels : array_like of int of shape (rows, cols) or (planes, rows, cols)
        The segmentation.
    truths : array_like of int of the shape of `labels`, or several
        The truth; of several annotators a list of such, or an array with one axis more.
    tolerance : float, optional
        How far apart two sides may be, in pixels; 0.0075 of the diagonal of the image if None, as
        in the Berkeley benchmark.
    ignore_label : int, optional
        Label of the truth that is masked out: sides of its pixels are not scored. If None all are.

    Returns
    -------
    scores : BoundaryScores
        The lengths, and precision, recall and F made of them.

    Raises
    ------
    InputError
        If labels are none, the shapes differ, no pixel is scored, or the tolerance is negative or
        not finite.

    Examples
    --------
    >>> from gmmseg.evaluation import boundary_scores
    >>> truth, labels = [[1, 1, 1, 2, 2, 2]], [[1, 1, 2, 2, 2, 3]]
    >>> scores = boundary_scores(labels, truth, tolerance=1)
    >>> scores
    BoundaryScores(found=2, found_right=1, true=1, true_found=1)
    >>> scores.precision, scores.recall
    (0.5, 1.0)
    """
    if tolerance is not None and not 0.0 <= tolerance < np.inf:
        raise InputError(f"tolerance must be at least 0 pixels, got {tolerance}")
    pairs = [checked_pair(labels, truth) for truth in several_truths(labels, truths)]
    found = _Sides.of(pairs[0][0])
    if tolerance is None:
        tolerance = USUAL_TOLERANCE * float(np.linalg.norm(pairs[0][0].shape))
    is_scored, is_right = np.zeros((2, len(found.places)), dtype=np.bool_)
    n_true, n_true_found = 0, 0
    for _, truth in pairs:
        scored = scored_pixels(truth, ignore_label)
        here, true = found.within(scored), _Sides.of(truth)
        true_places = true.places[true.within(scored)]
        found_places = found.places[here]
        is_scored |= here
        is_right[here] |= _near(found_places, true_places, tolerance)
        n_true += len(true_places)
        n_true_found += int(_near(true_places, found_places, tolerance).sum())
    return BoundaryScores(int(is_scored.sum()), int(is_right.sum()), n_true, n_true_found)


@dataclass(frozen=True, eq=False)
class _Sides:
    """The sides between pixels of different labels: both pixels, (n, n_axes) each."""

    before: NDArray[np.intp]
    behind: NDArray[np.intp]

    @classmethod
    def of(cls, labels: NDArray[Any]) -> "_Sides":
        """Find the sides of a segmentation."""
        along = [np.argwhere(np.diff(labels, axis=axis)) for axis in range(labels.ndim)]
        steps = np.repeat(np.eye(labels.ndim, dtype=np.intp), [len(one) for one in along], axis=0)
        before = np.concatenate(along)
        return cls(before, before + steps)

    @property
    def places(self) -> NDArray[np.float64]:
        """The middle of every side."""
        return (self.before + self.behind) / 2.0

    def within(self, scored: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the sides both of whose pixels are scored."""
        return scored[tuple(self.before.T)] & scored[tuple(self.behind.T)]


def _near(
    places: NDArray[np.float64], others: NDArray[np.float64], tolerance: float
) -> NDArray[np.bool_]:
    """Return which places have another at most the tolerance away."""
    if not len(others):
        return np.zeros(len(places), dtype=np.bool_)
    distances, _ = cKDTree(others).query(places, distance_upper_bound=tolerance + BEYOND)
    return np.isfinite(distances)
