"""Samples that need not fit into memory: arrays on disk, lists of arrays, functions of blocks."""

import contextlib
import copy
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.data import LARGEST_SUM, Data, Labels
from gmmseg.core.estep import weighted_statistics
from gmmseg.core.initialization import SUBSAMPLE_SIZE, drawn_marks, merged_rows, rows_at
from gmmseg.core.missing import prepared
from gmmseg.core.noise import UniformNoise, noise_around
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import check_sample_weight, check_samples, check_weights, in_units
from gmmseg.errors import InputError

BLOCK_BYTES = 2**25  # of samples that are worked through at once

Array = NDArray[np.float64]
Block = tuple[NDArray[Any], Array | None, Labels | None]


def comes_in_blocks(X: object) -> bool:
    """Tell whether X is an array on disk, a list of tables, a function or an iterator."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and all(isinstance(part, np.ndarray) and part.ndim == 2 for part in X)
    return isinstance(X, np.memmap | Iterator) or (callable(X) and not hasattr(X, "__array__"))


def row_count(X: Any) -> int | None:
    """Return the number of samples in arrays that come in blocks; of a function none is known."""
    if isinstance(X, list | tuple):
        return sum(map(len, X))
    return X.shape[0] if isinstance(X, np.ndarray) and X.ndim else None


@dataclass(frozen=True, eq=False)
class _Census:
    """What one pass over blocks tells of them.

    ``n_counting`` samples have a positive weight, and ``is_weighted`` tells whether others have
    none or weights were given; ``corners``, (2, n_columns), are those of the box around them all,
    ``counting_corners`` of that around those that have a weight.
    """

    n_samples: int
    n_counting: int
    weight_sum: float
    heaviest: float
    is_weighted: bool
    has_missing: bool
    corners: NDArray[Any]
    counting_corners: NDArray[Any]

    @classmethod
    def of(cls, X: NDArray[Any], given: Array | None) -> "_Census":
        """Return the census of one checked block."""
        corners = _corners(X)
        has_missing = bool(np.isnan(X.min()))
        weight = _weight_of_seen(X, given) if has_missing else given
        n_counting = len(X) if weight is None else int(np.count_nonzero(weight))
        with np.errstate(over="ignore"):
            total = float(len(X)) if weight is None else float(weight.sum())
        heaviest = 1.0 if weight is None else float(weight.max())
        is_weighted = weight is not None
        mine = corners if weight is None or weight.all() else _corners(X[weight > 0.0])
        return cls(len(X), n_counting, total, heaviest, is_weighted, has_missing, corners, mine)

    def __add__(self, other: "_Census") -> "_Census":
        """Return the census of both together."""
        return _Census(
            n_samples=self.n_samples + other.n_samples,
            n_counting=self.n_counting + other.n_counting,
            weight_sum=min(self.weight_sum + other.weight_sum, LARGEST_SUM),
            heaviest=max(self.heaviest, other.heaviest),
            is_weighted=self.is_weighted or other.is_weighted,
            has_missing=self.has_missing or other.has_missing,
            corners=_joined(self.corners, other.corners),
            counting_corners=_joined(self.counting_corners, other.counting_corners),
        )


class BlockData(Data):
    """Samples that are read block by block, anew in every iteration.

    Values are checked in a first pass, which counts, too. If one block is float64 (or no float, as
    whole numbers), all are computed so. Blocks without a row are passed over.

    Parameters
    ----------
    X : memmap, list of ndarray, or callable
        An array on disk or a list of arrays, (n_samples, n_features) each; or a function without
        arguments that returns a new iterator over blocks or over pairs (block, sample_weight).
    sample_weight : array_like of shape (n_samples,), optional
        How often each sample counts; for arrays only.
    labels : ndarray of shape (n_samples,), optional
        Components that samples are known to belong to, -1 for none; for arrays only.
    n_jobs : int, optional
        Number of threads; all processors if None.

    Raises
    ------
    InputError
        If a block is no table of numbers, blocks differ in their features, there is none, weights
        or labels are given with a function, or X can be read only once.
    """

    def __init__(
        self,
        X: Any,
        sample_weight: ArrayLike | None = None,
        *,
        labels: Labels | None = None,
        n_jobs: int | None = None,
    ) -> None:
        if isinstance(X, Iterator):
            raise InputError(
                f"X is a {type(X).__name__}, which can be read only once, and EM reads the samples "
                "in every iteration; give the function that makes it, without calling it"
            )
        if callable(X) and sample_weight is not None:
            raise InputError(
                "sample_weight goes with arrays, got it with a function of blocks; let the "
                "function yield pairs (block, sample_weight)"
            )
        if callable(X) and labels is not None:
            raise InputError(
                "y with known labels goes with arrays, got it with a function of blocks; give a "
                "list of arrays, which may be memory-mapped"
            )
        self.n_jobs = n_jobs
        self._source = [X] if isinstance(X, np.ndarray) else X
        self._weight = check_sample_weight(sample_weight, row_count(X) or 0)
        self._labels, self._census = labels, self._counted()
        _, self.unit = in_units(np.array([self._census.heaviest]))
        self.dtype, self.n_columns = self._census.corners.dtype, self._census.corners.shape[1]
        self.features, self.weight_sum = np.arange(self.n_columns), self._census.weight_sum

    def without_unseen(self) -> "BlockData":
        """Return the same samples without the features that none of them has."""
        data = copy.copy(self)
        data.features = np.flatnonzero(~np.isnan(self._census.corners[0]))
        return data

    def statistics(self, parameters: MixtureParameters) -> SufficientStatistics:
        """Return the statistics of all samples under a mixture (the E-step)."""
        total = SufficientStatistics.zero(parameters)
        for X, weight, labels in self._blocks():
            table = prepared(X) if self._census.has_missing else X
            total += weighted_statistics(
                table, parameters, weight, self.n_jobs, known_labels=labels
            )
        return total

    def sample(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return at most 20,000 different rows as float64 and their weights, to search a start.

        They are those that would be drawn of the same samples in one array.
        """
        marks = self._marks(rng)
        share, before = self._census.weight_sum / self.unit / max(len(marks), 1), 0.0
        found, weights = [], []
        for X, its_weight, _ in self._blocks():
            weight = np.ones(len(X)) if its_weight is None else its_weight
            if len(marks):
                rows, before = rows_at(marks, weight, before)
                weights.append(np.full(len(rows), share))
            else:
                rows = np.flatnonzero(weight)
                weights.append(weight[rows])
            found.append(X[rows])
        return merged_rows(np.concatenate(found), np.concatenate(weights))

    def _marks(self, rng: np.random.Generator) -> Array:
        """Return what to draw by, places in the heap of all weights; none if all are taken."""
        census = self._census
        if census.n_counting <= SUBSAMPLE_SIZE:
            return np.empty(0)
        if census.is_weighted:
            return drawn_marks(census.weight_sum / self.unit, rng)
        rows: NDArray[np.intp] = rng.integers(0, census.n_samples, SUBSAMPLE_SIZE)
        return np.sort(rows).astype(np.float64) + 0.5

    def labelled(self) -> tuple[NDArray[Any], Labels]:
        """Return the samples of known label, and these."""
        rows, known = [np.empty((0, self.n_features), self.dtype)], [np.empty(0, np.int32)]
        for X, _, labels in self._blocks() if self._labels is not None else ():
            assert labels is not None
            rows.append(X[labels >= 0])
            known.append(labels[labels >= 0])
        return np.concatenate(rows), np.concatenate(known)

    def noise(self) -> UniformNoise:
        """Return uniform noise in the smallest box around all samples that have a weight."""
        return noise_around(self._census.counting_corners[:, self.features])

    def _counted(self) -> _Census:
        """Go through all blocks for the first time, and check them."""
        census: _Census | None = None
        for X, weight, first in self._cut():
            try:
                block = check_samples(X)
            except InputError as error:
                raise InputError(f"in the block that begins at row {first}, {error}") from None
            if census is not None:
                _check_width(block, census.corners.shape[1], first)
            mine = _Census.of(block, weight)
            census = mine if census is None else census + mine
        if census is None:
            raise InputError("X holds no sample; give at least one block with a row")
        if np.isnan(census.corners).all():
            raise InputError("X is missing (NaN) in every entry; give at least one entry")
        if not census.heaviest > 0.0:
            raise InputError(
                "X is missing (NaN) in every entry of every sample of positive weight; give at "
                "least one entry"
                if census.has_missing
                else "sample_weight is zero for every sample; give at least one a positive weight"
            )
        return census

    def _blocks(self) -> Iterator[Block]:
        """Yield the blocks in one dtype, their weights in units, and their labels."""
        first, is_all = 0, self.n_features == self.n_columns
        for X, given, _ in self._cut():
            block = _check_width(_as_array(X, self.dtype), self.n_columns, first)
            weight = _weight_of_seen(block, given) if self._census.has_missing else given
            if weight is not None and self.unit != 1.0:
                weight = weight / self.unit
            upto = first + len(block)
            labels = None if self._labels is None else self._labels[first:upto]
            used = block if is_all else block[:, self.features]
            yield np.ascontiguousarray(used), weight, labels
            first = upto
        if first != self._census.n_samples:
            raise InputError(
                f"X had {self._census.n_samples} samples when it was first read and {first} now; "
                "the function must return a new iterator, over the same blocks, whenever it is "
                "called"
            )

    def _cut(self) -> Iterator[tuple[NDArray[Any], Array | None, int]]:
        """Yield pieces of the source as they are, with their weights and the row they begin at."""
        first = 0
        for item in self._items():
            is_pair = callable(self._source) and isinstance(item, tuple) and len(item) == 2
            X, given = item if is_pair else (item, None)
            whole = X if isinstance(X, np.ndarray) else _as_array(X)
            if whole.ndim != 2:
                raise InputError(
                    "X must have shape (n_samples, n_features) in every block, got "
                    f"{whole.shape} in the one that begins at row {first}"
                )
            weight = None if given is None else check_weights(given, len(whole))
            if self._weight is not None:
                weight = self._weight[first : first + len(whole)]
            for rows in _cuts(whole):
                yield whole[rows], None if weight is None else weight[rows], first + rows.start
                _release(whole)
            first += len(whole)

    def _items(self) -> Iterable[Any]:
        if not callable(self._source):
            return self._source
        made = self._source()
        if not isinstance(made, Iterable):
            raise InputError(
                "the function of blocks must return an iterator over tables, got "
                f"{type(made).__name__}"
            )
        return made


def _as_array(X: Any, dtype: np.dtype[Any] | None = None) -> NDArray[Any]:
    try:
        return np.asarray(X, dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"X must be a table of numbers, got something else: {error}") from None


def _check_width(X: NDArray[Any], n_columns: int, first: int) -> NDArray[Any]:
    if X.shape[1] != n_columns:
        raise InputError(
            f"X must have the {n_columns} features of its first block in all others, got "
            f"{X.shape[1]} in the one that begins at row {first}"
        )
    return X


def _corners(X: NDArray[Any]) -> NDArray[Any]:
    """Return the least and the greatest entry in each column; NaN where there is none."""
    with np.errstate(invalid="ignore"):
        least = np.fmin.reduce(X, axis=0, initial=np.nan)
        return np.stack([least, np.fmax.reduce(X, axis=0, initial=np.nan)])


def _joined(corners: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Return the corners of the box around both boxes."""
    return _corners(np.concatenate([corners, others]))


def _weight_of_seen(X: NDArray[Any], weight: Array | None) -> Array | None:
    """Return the weights with 0 for rows that miss all, which tell nothing."""
    is_empty = np.isnan(np.fmin.reduce(X, axis=1))
    if not is_empty.any():
        return weight
    return np.where(is_empty, 0.0, 1.0 if weight is None else weight)


def _cuts(X: NDArray[Any]) -> Iterator[slice]:
    """Yield slices of rows, each of a size that may be copied."""
    size = max(1, BLOCK_BYTES // max(X.shape[1] * X.itemsize, 1))
    for first in range(0, len(X), size):
        yield slice(first, first + size)


def _release(X: NDArray[Any]) -> None:
    """Let the system have back the memory of an array on disk that was read."""
    mapped = getattr(X, "_mmap", None)
    is_shared = getattr(X, "mode", "") in ("r", "r+", "w+")  # else changes would be lost
    if mapped is not None and is_shared and hasattr(mmap, "MADV_DONTNEED"):
        with contextlib.suppress(OSError, ValueError):
            mapped.madvise(mmap.MADV_DONTNEED)
