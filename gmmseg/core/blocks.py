"""Samples that need not fit into memory: arrays on disk, lists of arrays, functions of blocks."""

import contextlib
import mmap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.data import Data, Labels
from gmmseg.core.estep import weighted_statistics
from gmmseg.core.initialization import SUBSAMPLE_SIZE, drawn_rows, merged_rows
from gmmseg.core.missing import prepared
from gmmseg.core.noise import UniformNoise, noise_around
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import check_sample_weight, check_samples, in_units
from gmmseg.errors import InputError

BLOCK_BYTES = 2**25  # of samples that are worked through at once

Array = NDArray[np.float64]
Block = tuple[NDArray[Any], Array | None, Labels | None]
BlockFactory = Callable[[], Iterable[Any]]


def comes_in_blocks(X: object) -> bool:
    """Tell whether X is an array on disk, a list of tables or a function of an iterator."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and all(isinstance(part, np.ndarray) and part.ndim == 2 for part in X)
    return isinstance(X, np.memmap) or (callable(X) and not hasattr(X, "__array__"))


def row_count(X: Any) -> int:
    """Return the number of samples in arrays that come in blocks; of a function none is known."""
    parts = [] if callable(X) else [X] if isinstance(X, np.ndarray) else X
    return sum(map(len, parts))


class BlockData(Data):
    """Samples that are read block by block, anew in every iteration.

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
        If a block is no table of numbers, blocks differ in their features, there is none, or
        weights are given where blocks bring their own.
    """

    def __init__(
        self,
        X: Any,
        sample_weight: ArrayLike | None = None,
        *,
        labels: Labels | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_jobs = n_jobs
        self._parts = None if callable(X) else [X] if isinstance(X, np.ndarray) else list(X)
        self._factory, self._labels, self._weight = X, labels, None
        if self._parts is None and sample_weight is not None:
            raise InputError(
                "sample_weight goes with arrays, got it with a function of blocks; let the "
                "function yield pairs (block, sample_weight)"
            )
        if self._parts is not None:
            self._weight = check_sample_weight(sample_weight, row_count(X))
        self._survey()

    def statistics(self, parameters: MixtureParameters) -> SufficientStatistics:
        """Return the statistics of all samples under a mixture (the E-step)."""
        total = SufficientStatistics.zero(parameters)
        for X, weight, labels in self._blocks():
            total += weighted_statistics(
                prepared(X), parameters, weight, self.n_jobs, known_labels=labels
            )
        return total

    def sample(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return at most 20,000 different rows as float64 and their weights, to search a start."""
        if self._parts is None:
            return merged_rows(*self._drawn_from_stream(rng))
        rows, weight = drawn_rows(self.n_samples, self._scaled_weight(), rng)
        return merged_rows(self._rows(rows), weight)

    def labelled(self) -> tuple[NDArray[Any], Labels]:
        """Return the samples of known label, and these."""
        if self._labels is None:
            return np.empty((0, self.n_features)), np.empty(0, np.int32)
        rows = np.flatnonzero(self._labels >= 0)
        return self._rows(rows), self._labels[rows]

    def noise(self) -> UniformNoise:
        """Return uniform noise in the smallest box around all samples."""
        return noise_around(self._corners)

    def _survey(self) -> None:
        """Go through all blocks once: check them, count, and find the corners of their box."""
        self.n_samples, self.weight_sum, self._unit, heaviest = 0, 0.0, 1.0, 0.0
        self._corners = np.empty((0, 0))
        for X, weight, _ in self._blocks():
            with np.errstate(invalid="ignore"):
                corners = np.stack([np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)])
                if self.n_samples > 0:
                    corners = np.vstack([corners, self._corners])
                self._corners = np.stack([np.fmin.reduce(corners), np.fmax.reduce(corners)])
            self.n_samples += len(X)
            self.weight_sum += len(X) if weight is None else float(weight.sum())
            heaviest = max(heaviest, 1.0 if weight is None else float(weight.max()))
        if self.n_samples == 0:
            raise InputError("X has no block; give at least one with a sample in it")
        self.dtype, self.n_features = self._corners.dtype, self._corners.shape[1]
        if np.isnan(self._corners).all():
            raise InputError("X is missing (NaN) in every entry; give at least one entry")
        if not heaviest > 0.0:
            raise InputError(
                "sample_weight is zero for every sample; give at least one a positive weight"
            )
        _, self._unit = in_units(np.array([heaviest]))

    def _blocks(self) -> Iterator[Block]:
        first = 0
        for item in self._factory() if self._parts is None else self._parts:
            X, weight = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
            whole = X if isinstance(X, np.ndarray) else np.asarray(X)
            for rows in _cuts(whole):
                block = self._checked(whole[rows])
                upto = first + len(block)
                its_weight = self._weight[first:upto] if self._weight is not None else None
                if weight is not None:
                    its_weight = check_sample_weight(np.asarray(weight)[rows], len(block))
                if its_weight is not None:
                    its_weight = its_weight / self._unit
                labels = None if self._labels is None else self._labels[first:upto]
                yield block, its_weight, labels
                first = upto
                _release(whole)

    def _checked(self, block: ArrayLike) -> NDArray[Any]:
        """Return one block as a table of the dtype and the features of the first."""
        if self.n_samples == 0:
            return check_samples(block)
        return check_samples(np.asarray(block, self._corners.dtype), self._corners.shape[1])

    def _scaled_weight(self) -> Array | None:
        return None if self._weight is None else self._weight / self._unit

    def _rows(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return these rows of all parts together, in ascending order."""
        assert self._parts is not None
        rows, first, found = np.sort(rows), 0, []
        for part in self._parts:
            mine = rows[slice(*np.searchsorted(rows, [first, first + len(part)]))]
            found.append(self._checked(part[mine - first]) if len(mine) else part[:0])
            first += len(part)
            _release(part)
        return np.concatenate(found)

    def _drawn_from_stream(self, rng: np.random.Generator) -> tuple[NDArray[Any], Array]:
        """Return rows drawn by weight in one pass (Efraimidis, Spirakis 2006, algorithm A-Res)."""
        kept = np.empty((0, self.n_features), self.dtype)
        keys, weights, total = np.empty(0), np.empty(0), 0.0
        for X, its_weight, _ in self._blocks():
            weight = np.ones(len(X)) if its_weight is None else its_weight
            total += float(weight.sum())
            with np.errstate(divide="ignore"):
                key = np.log(rng.random(len(X))) / weight
            keys = np.concatenate([keys, np.where(weight > 0.0, key, -np.inf)])
            weights = np.concatenate([weights, weight])
            best = np.argsort(-keys, kind="stable")[:SUBSAMPLE_SIZE]
            kept = np.concatenate([kept, X])[best]
            keys, weights = keys[best], weights[best]
        is_drawn = np.isfinite(keys)
        kept, weights = kept[is_drawn], weights[is_drawn]
        if self.n_samples > SUBSAMPLE_SIZE:
            weights = np.full(len(kept), total / len(kept))
        return kept, weights


def _cuts(X: NDArray[Any]) -> Iterator[slice]:
    """Yield slices of rows, each of a size that may be copied."""
    if X.ndim != 2:
        yield slice(None)  # which the check of the block refuses
        return
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
