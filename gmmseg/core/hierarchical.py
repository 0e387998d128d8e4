"""A start without chance: one tree of merged samples, cut into any number of groups.

Samples are merged two by two, always those whose union costs least. Many small groups are made
first by the sum of squares (Ward); from a few hundred on, a group costs what a Gaussian of its own
makes of it (the criterion "VVV" of mclust), so that long and round groups are both found.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 2_000  # samples in a tree: time and memory grow with their square
MOST_GAUSSIAN_GROUPS = 200  # groups that Gaussians are fitted to
ROWS_PER_DIRECTION = 5  # fewer do not show the shape of the data
SMALLEST_EIGENVALUE = 1e-10  # where variances are 1: directions narrower than this have no extent

Array = NDArray[np.float64]
Labels = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class MergeTree:
    """Rows of a table and the order in which they are merged.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Samples, no two alike.
    weight : ndarray of shape (n_rows,)
        Weight of each.
    merges : ndarray of shape (n_rows - 1, 2)
        In each step the group of row ``merges[i, 1]`` joins that of row ``merges[i, 0]``.
    """

    rows: Array
    weight: Array
    merges: NDArray[np.intp]

    def labels(self, n_groups: int) -> Labels:
        """Return the group of each row where ``n_groups`` are left; fewer if there are fewer rows.

        Groups are numbered in the order of their first rows.
        """
        head = np.arange(len(self.rows))
        for into, joined in self.merges[: max(len(self.rows) - n_groups, 0)]:
            head[head == joined] = into
        _, first, label = np.unique(head, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.intp)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[label.ravel()]


def merge_tree(X: Array, weight: Array) -> MergeTree:
    """Return the tree of at most 2,000 of these samples, which are sorted and differ.

    More are thinned out evenly along their order, by weight. Where samples are many for their
    features, units and turns of the features do not matter.

    References
    ----------
    Ward (1963), "Hierarchical grouping to optimize an objective function".
    Fraley (1998), "Algorithms for model-based Gaussian hierarchical clustering".
    """
    rows, weight = _thinned(X, weight)
    points, share = _whitened(rows, weight), weight / weight.sum()
    n_gaussian = max(1, min(MOST_GAUSSIAN_GROUPS, len(rows) // (points.shape[1] + 2)))
    merges = [*_merged(_WardGroups(points, share), len(rows) - n_gaussian)]
    small = MergeTree(rows, weight, np.array(merges, dtype=np.intp).reshape(-1, 2))
    labels = small.labels(n_gaussian)
    first_rows = np.unique(labels, return_index=True)[1]
    merges += [
        (int(first_rows[a]), int(first_rows[b]))
        for a, b in _merged(_GaussianGroups(points, share, labels), n_gaussian - 1)
    ]
    return MergeTree(rows, weight, np.array(merges, dtype=np.intp).reshape(-1, 2))


def _thinned(X: Array, weight: Array) -> tuple[Array, Array]:
    if len(X) <= MOST_ROWS:
        return X, weight
    upto = np.cumsum(weight)
    marks = (np.arange(MOST_ROWS) + 0.5) / MOST_ROWS * upto[-1]
    hit = np.searchsorted(upto, marks, side="right").clip(max=len(X) - 1)
    rows, times = np.unique(hit, return_counts=True)
    return X[rows], times * (upto[-1] / MOST_ROWS)


def _whitened(X: Array, weight: Array) -> Array:
    """Return the samples turned and stretched to variances of 1, without empty directions.

    Few samples in many directions would all be equally far apart: those are only scaled.
    """
    share = weight / weight.sum()
    dev = X - X[0]
    dev -= share @ dev
    largest = np.abs(dev).max(axis=0)
    dev = dev[:, largest > 0.0] / largest[largest > 0.0]
    dev /= np.sqrt(share @ dev**2)
    values, axes = np.linalg.eigh((dev * share[:, None]).T @ dev)
    is_wide = values > SMALLEST_EIGENVALUE * values.max(initial=0.0)
    if len(X) < ROWS_PER_DIRECTION * is_wide.sum():
        return dev
    white: Array = dev @ (axes[:, is_wide] / np.sqrt(values[is_wide]))
    return white


class _WardGroups:
    """Groups of points while they are merged, by their sums of squares."""

    def __init__(self, points: Array, share: Array) -> None:
        self.share, self.means = share.copy(), points.copy()

    def join(self, a: int, b: int) -> None:
        """Let group b join group a."""
        self.share[a] += self.share[b]
        self.means[a] += self.share[b] / self.share[a] * (self.means[b] - self.means[a])

    def costs(self, a: int, others: Labels) -> Array:
        """Return by how much the sum of squares grows when group a joins each of the others."""
        harmonic = self.share[a] * self.share[others] / (self.share[a] + self.share[others])
        growth: Array = harmonic * ((self.means[others] - self.means[a]) ** 2).sum(axis=1)
        return growth


class _GaussianGroups(_WardGroups):
    """Groups of points while they are merged, by the likelihood of each under its own Gaussian.

    A Gaussian is no narrower than the first groups are on average.
    """

    def __init__(self, points: Array, share: Array, labels: Labels) -> None:
        mass = np.bincount(labels, share).astype(np.float64)
        means = np.zeros((len(mass), points.shape[1]))
        np.add.at(means, labels, (share / mass[labels])[:, None] * points)
        super().__init__(means, mass)
        dev = points - means[labels]
        self.scatter = np.zeros((len(mass), *2 * points.shape[1:]))
        np.add.at(self.scatter, labels, share[:, None, None] * dev[:, :, None] * dev[:, None, :])
        within = float((share @ dev**2).mean()) if points.shape[1] else 0.0
        self.width = max(within, SMALLEST_EIGENVALUE)
        self.own_costs = self._gaussian_costs(self.scatter, self.share)

    def join(self, a: int, b: int) -> None:
        """Let group b join group a."""
        self.scatter[a] = self._united(a, np.array([b]))[0]
        super().join(a, b)
        self.own_costs[a] = self._gaussian_costs(self.scatter[[a]], self.share[[a]])[0]

    def costs(self, a: int, others: Labels) -> Array:
        """Return by how much the likelihood falls when group a joins each of the others."""
        united = self._gaussian_costs(self._united(a, others), self.share[a] + self.share[others])
        fall: Array = united - self.own_costs[a] - self.own_costs[others]
        return fall

    def _united(self, a: int, others: Labels) -> Array:
        """Return the scatter of group a together with each of the others."""
        apart = self.means[others] - self.means[a]
        between = self.share[a] * self.share[others] / (self.share[a] + self.share[others])
        outer = apart[:, :, None] * apart[:, None, :]
        united: Array = self.scatter[a] + self.scatter[others] + between[:, None, None] * outer
        return united

    def _gaussian_costs(self, scatter: Array, share: Array) -> Array:
        """Return minus twice the log-likelihood of groups, each under its own Gaussian."""
        covariances = scatter / share[:, None, None] + self.width * np.eye(scatter.shape[-1])
        costs: Array = share * np.linalg.slogdet(covariances).logabsdet
        return costs


def _merged(groups: _WardGroups, n_merges: int) -> Iterator[tuple[int, int]]:
    """Merge the two groups whose union costs least, again and again; yield which joined which."""
    everyone = np.arange(len(groups.share))
    table = np.full((len(everyone), len(everyone)), np.inf)
    for a in everyone[:-1]:
        table[a, a + 1 :] = table[a + 1 :, a] = groups.costs(int(a), everyone[a + 1 :])
    nearest = table.argmin(axis=1)
    lowest = table[everyone, nearest]
    is_left = np.ones(len(everyone), dtype=bool)
    for _ in range(n_merges):
        first = int(lowest.argmin())
        a, b = sorted((first, int(nearest[first])))
        groups.join(a, b)
        yield a, b
        is_left[b] = False
        table[b] = table[:, b] = lowest[b] = np.inf
        others = np.flatnonzero(is_left & (everyone != a))
        table[a, others] = table[others, a] = groups.costs(a, others)
        is_nearer = others[table[others, a] < lowest[others]]
        lowest[is_nearer], nearest[is_nearer] = table[is_nearer, a], a
        # Those that had a or b nearest look anew.
        stale = np.append(others[np.isin(nearest[others], (a, b))], a)
        nearest[stale] = table[stale].argmin(axis=1)
        lowest[stale] = table[stale, nearest[stale]]
