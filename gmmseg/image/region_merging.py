"""Merge regions: always the two neighbours that cost least, by Gaussians, border and size."""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.divergence import Gaussians, bhattacharyya, precision_factors
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.image.superpixels import Borders

Array = NDArray[np.float64]

SMALLEST_VARIANCE = 4.0  # what a person does not see, in the units of the features
EDGE_WEIGHT = 10.0
USUAL_STRENGTH = 0.1  # mean edge strength of a photograph
LEAST_STRENGTH = 0.01  # below it a picture is even, and its edges are noise
SIZE_POWER = 0.15
USUAL_SIZE = 5000.0  # pixels of a region that is neither large nor small for the discs of edges


def region_statistics(X: Array, labels: NDArray[np.int32]) -> SufficientStatistics:
    """Return the sums of each region's samples about the mean of all, for labels from 1.

    Rows of two regions add up to those of both together.
    """
    size, n_features = int(labels.max()), X.shape[1]
    regions, middle = labels - 1, X.mean(axis=0)
    dev = X - middle

    def sums(values: Array) -> Array:
        return np.bincount(regions, values, minlength=size).astype(np.float64)

    dev2_sum = np.empty((size, n_features, n_features))
    for i in range(n_features):
        for j in range(i + 1):
            dev2_sum[:, i, j] = dev2_sum[:, j, i] = sums(dev[:, i] * dev[:, j])
    return SufficientStatistics(
        means=np.tile(middle, (size, 1)),
        resp_sum=np.bincount(regions, minlength=size).astype(np.float64),
        dev_sum=np.stack([sums(dev[:, i]) for i in range(n_features)], axis=1),
        dev2_sum=dev2_sum,
        log_likelihood=float("nan"),
    )


@dataclass(frozen=True)
class Stop:
    """When merging ends: at a number of regions, or before a merge of some cost.

    Parameters
    ----------
    n_regions : int
        Number of regions to stop at.
    cost : float
        No merge costs so much.
    """

    n_regions: int = 1
    cost: float = np.inf


def merge_regions(
    statistics: SufficientStatistics, borders: Borders, stop: Stop
) -> NDArray[np.intp]:
    """Return the new region of every region, numbered from 0, (n_regions,).

    Two neighbours cost ``(√B + w e) (n / n₀)^p`` with B the Bhattacharyya distance of their
    Gaussians, e the mean edge strength of the border they share, relative to the square root of
    that of all borders, and n the size of the smaller.
    """
    merging = _Merging(statistics, borders)
    while merging.n_regions > stop.n_regions and merging.cheapest_cost() < stop.cost:
        merging.merge_cheapest()
    return np.unique(merging.roots(), return_inverse=True)[1]


class _Merging:
    """The state of a greedy merge: sums and Gaussians of regions, borders, and a heap of costs."""

    def __init__(self, statistics: SufficientStatistics, borders: Borders) -> None:
        self.n_regions = len(statistics.resp_sum)
        self._parents = np.arange(self.n_regions)
        self._middle = statistics.means[:1]
        # Copies: the rows of merged regions are added in place.
        self._sums = (
            statistics.resp_sum.copy(),
            statistics.dev_sum.copy(),
            statistics.dev2_sum.copy(),
        )
        covariances = _covariances(statistics)
        factors = precision_factors(covariances)
        self._gaussians = Gaussians(self._sums[0], statistics.new_means(), covariances, factors)
        self._edge_weight = EDGE_WEIGHT * np.sqrt(USUAL_STRENGTH / _mean_strength(borders))
        self._neighbours = _neighbours(self.n_regions, borders)
        self._costs: dict[tuple[int, int], float] = {}
        self._heap: list[tuple[float, int, int]] = []
        for region in range(self.n_regions):
            self._reckon(region, [other for other in self._neighbours[region] if other > region])

    def cheapest_cost(self) -> float:
        """Return what the cheapest merge costs, and infinity if no two regions touch."""
        while self._heap:
            cost, i, j = self._heap[0]
            if self._costs.get((i, j)) == cost:
                return cost
            heapq.heappop(self._heap)  # one of the two has changed since
        return np.inf

    def merge_cheapest(self) -> None:
        """Merge the two regions at the top of the heap; the first takes the second in."""
        _, kept, gone = heapq.heappop(self._heap)
        self._parents[gone] = kept
        self.n_regions -= 1
        for sums in self._sums:
            sums[kept] += sums[gone]
        self._update_gaussian(kept)
        for other, (length, strength) in self._neighbours[gone].items():
            del self._costs[min(gone, other), max(gone, other)]
            del self._neighbours[other][gone]
            if other != kept:
                before = self._neighbours[kept].get(other, (0.0, 0.0))
                both = before[0] + length, before[1] + strength
                self._neighbours[kept][other] = self._neighbours[other][kept] = both
        self._neighbours[gone] = {}
        self._reckon(kept, list(self._neighbours[kept]))

    def roots(self) -> NDArray[np.intp]:
        """Return the region that has taken each region in."""
        roots = self._parents.copy()
        while (roots != roots[roots]).any():
            roots = roots[roots]
        return roots

    def _update_gaussian(self, region: int) -> None:
        size, dev, dev2 = (sums[region : region + 1] for sums in self._sums)
        statistics = SufficientStatistics(self._middle, size, dev, dev2, float("nan"))
        covariance = _covariances(statistics)
        self._gaussians.means[region] = statistics.new_means()[0]
        self._gaussians.covariances[region] = covariance[0]
        self._gaussians.factors[region] = precision_factors(covariance)[0]

    def _reckon(self, region: int, others: list[int]) -> None:
        """Put the costs of merging a region with others on the heap."""
        if not others:
            return
        indices = np.array(others)
        shared = np.array([self._neighbours[region][other] for other in others])
        distance = np.sqrt(bhattacharyya(self._gaussians, region, indices))
        distance += self._edge_weight * shared[:, 1] / shared[:, 0]
        sizes = np.minimum(self._sums[0][region], self._sums[0][indices])
        costs = distance * (sizes / USUAL_SIZE) ** SIZE_POWER
        for other, cost in zip(others, costs.tolist(), strict=True):
            pair = (min(region, other), max(region, other))
            self._costs[pair] = cost
            heapq.heappush(self._heap, (cost, *pair))


def _covariances(statistics: SufficientStatistics) -> Array:
    """Return the covariances of regions, none narrower than the eye can tell."""
    scatter = statistics.new_scatter()
    return scatter + SMALLEST_VARIANCE * np.eye(scatter.shape[1])


def _mean_strength(borders: Borders) -> float:
    """Return the mean edge strength of all borders, or what is the least for a photograph."""
    mean = borders.strength_sums.sum() / max(borders.lengths.sum(), 1.0)
    return max(float(mean), LEAST_STRENGTH)


def _neighbours(n_regions: int, borders: Borders) -> list[dict[int, tuple[float, float]]]:
    """Return the neighbours of every region, with length and summed strength of the border."""
    neighbours: list[dict[int, tuple[float, float]]] = [{} for _ in range(n_regions)]
    shared = zip(borders.lengths.tolist(), borders.strength_sums.tolist(), strict=True)
    for (i, j), border in zip(borders.pairs.tolist(), shared, strict=True):
        neighbours[i][j] = neighbours[j][i] = border
    return neighbours
