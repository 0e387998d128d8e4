"""Average features over neighbours that look alike, so that edges stay where they are.

The bilateral filter of Tomasi, Manduchi (1998), "Bilateral filtering for gray and color images",
its likeness weighed by Tukey's biweight as of Black, Sapiro, Marimont, Heeger (1998), "Robust
anisotropic diffusion". Passes of five taps along every axis, each pass with steps twice as long as
the one before, reach as far as one with a large window: Fattal, Agrawala, Rusinkiewicz (2007),
"Multiscale shape and detail enhancement from multi-light image collections", section 3.
"""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.threads import cut_into_ranges, run_in_threads
from gmmseg.image.bilateral_kernels import average_cells
from gmmseg.image.pixels import Region
from gmmseg.smoothing.grid import unit_steps

TAPS = 2  # steps to either side along an axis
# What counts as alike: up to so many deviations within groups, but no more of the whole deviation.
OF_GROUPS, OF_WHOLE = 2.0, 0.6
_FARTHEST_UNIT = 2.0**120  # so that a unit and its inverse are numbers in float32


@dataclass(frozen=True, eq=False)
class BilateralFilter:
    """What is averaged: neighbours so near, and so much alike.

    Parameters
    ----------
    likeness : float
        A neighbour that differs by this in all features together counts ``exp(-1/2)`` as much as
        one that does not differ; one that differs by twice as much does not count. At least 0,
        which averages nothing.
    spacing : tuple of float or None
        Length of a step along each axis of a volume.
    """

    likeness: float
    spacing: tuple[float, ...] | None = None

    @classmethod
    def of_groups(
        cls,
        X: NDArray[np.float32],
        labels: NDArray[np.intp],
        spacing: tuple[float, ...] | None = None,
    ) -> "BilateralFilter":
        """Settle what is alike by pixels (n, n_features) and the groups (n,) that they are of.

        Differences within groups are to vanish, those between groups to stay.
        """
        exact = X.astype(np.float64)
        middles = np.array([exact[labels == k].mean(axis=0) for k in np.unique(labels)])
        place = np.unique(labels, return_inverse=True)[1]
        within = np.sqrt(np.mean(np.sum((exact - middles[place]) ** 2, axis=1)))
        whole = np.sqrt(exact.var(axis=0).sum())
        return cls(float(min(OF_GROUPS * within, OF_WHOLE * whole)), spacing)

    @staticmethod
    def reach(n_passes: int) -> int:
        """Return how far from a pixel lies what its average depends on."""
        return int(TAPS * (2**n_passes - 1))

    def averaged(
        self,
        features: NDArray[np.float32],
        inside: NDArray[np.bool_],
        *,
        n_axes: int,
        passes: range,
        n_jobs: int | None = None,
    ) -> NDArray[np.float32]:
        """Return averages over neighbours that look alike, in passes ``i`` of steps ``2**i``.

        Parameters
        ----------
        features : ndarray of float32 of shape (planes, rows, cols, n_features)
            What pixels look like.
        inside : ndarray of bool of shape (planes, rows, cols)
            Where pixels are in use. Others count for nothing; what becomes of them means nothing.
        n_axes : int
            2 for a plane, whatever the number of planes here, or 3.
        passes : range
            The passes to make: those from 0 on, or more after these.
        n_jobs : int, optional
            Number of threads; all processors if None.

        Returns
        -------
        averages : ndarray of float32 of shape (planes, rows, cols, n_features)
            The averages.
        """
        if not self.likeness > 0:
            return features
        # A power of two, so that no bit is lost and no square overflows.
        likeness = min(max(self.likeness, 1 / _FARTHEST_UNIT), _FARTHEST_UNIT)
        unit = np.float32(2.0 ** math.floor(math.log2(likeness)))
        strictness = np.float32((unit / (2 * likeness)) ** 2)
        grid = _Padded.of(features / unit, inside, n_axes, margin=TAPS * 2 ** (passes.stop - 1))
        taps = paired_taps(n_axes)
        distances = np.linalg.norm(taps * unit_steps(self.spacing, n_axes), axis=-1)
        nearness = np.exp(-0.5 * distances**2).astype(np.float32)
        for i in passes:
            grid = grid.averaged(2**i * taps, nearness, strictness, n_jobs=n_jobs)
        return np.moveaxis(grid.values[(slice(None), *grid.kept)], 0, -1) * unit


@dataclass(frozen=True, eq=False)
class _Padded:
    """Features (n_features, planes, rows, cols) with a margin around what is kept of them."""

    values: NDArray[np.float32]
    use: NDArray[np.float32]  # (planes, rows, cols): 1 where cells are in use, 0 elsewhere
    kept: Region

    @classmethod
    def of(
        cls, features: NDArray[np.float32], inside: NDArray[np.bool_], n_axes: int, *, margin: int
    ) -> "_Padded":
        """Put a margin around the rows and columns, and the planes of a volume."""
        margins = [(margin if axis >= 3 - n_axes else 0,) * 2 for axis in range(3)]
        planes, rows, cols = (
            slice(low, low + length) for (low, _), length in zip(margins, inside.shape, strict=True)
        )
        use = np.pad(inside.astype(np.float32), margins)
        values = np.zeros((features.shape[-1], *use.shape), dtype=np.float32)
        values[:, planes, rows, cols] = np.moveaxis(
            np.where(inside[..., np.newaxis], features, 0), -1, 0
        )
        return cls(values, use, (planes, rows, cols))

    def averaged(
        self,
        steps: NDArray[np.intp],
        nearness: NDArray[np.float32],
        strictness: np.float32,
        *,
        n_jobs: int | None,
    ) -> "_Padded":
        """Return the averages over taps (n_pairs, 2, 3), by `average_cells`."""
        _, rows, cols = self.use.shape
        flat_steps = steps @ np.array([rows * cols, cols, 1])
        flat, use = self.values.reshape(len(self.values), -1), self.use.ravel()
        out = np.zeros_like(flat)
        first, last = (
            int(np.ravel_multi_index(cell, self.use.shape))
            for cell in zip(*((part.start, part.stop - 1) for part in self.kept), strict=True)
        )

        def work(cells: tuple[int, int]) -> None:
            found = first + cells[0], first + cells[1]
            average_cells(flat, use, flat_steps, nearness, strictness, found, out)

        run_in_threads(work, cut_into_ranges(last - first + 1), n_jobs)
        return replace(self, values=out.reshape(self.values.shape))


def paired_taps(n_axes: int) -> NDArray[np.intp]:
    """Return steps (plane, row, col) to all taps around a pixel, two by two, (n_pairs, 2, 3).

    The two of a pair change places when rows and columns do, or both stay, so that sums of pairs
    are the same, to the last bit, for the transposed image.
    """
    along = range(-TAPS, TAPS + 1)
    taps = itertools.product(along if n_axes == 3 else (0,), along, along)
    pairs = []
    for plane, row, col in taps:
        if row < col:
            pairs.append(((plane, row, col), (plane, col, row)))
        elif row == col and (plane, row, col) > (0, 0, 0):
            pairs.append(((plane, row, col), (-plane, -row, -col)))
    return np.array(pairs, dtype=np.intp)
