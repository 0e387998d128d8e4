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
NEAR_PASSES, WIDE_PASSES = 1, 3
# The tolerance in deviations within groups, and the most it may be in deviations of all pixels.
OF_GROUPS, OF_WHOLE = 2.0, 0.6
OF_NOISE = 3.0  # the least that it may be in deviations of noise
_FARTHEST_UNIT = 2.0**120  # so that a unit and its inverse are numbers in float32
_LARGEST = np.float32(1e18)  # value whose square is a number in float32


@dataclass(frozen=True, eq=False)
class BilateralFilter:
    """What is averaged: neighbours so near, and so much alike.

    Parameters
    ----------
    tolerance : float
        A neighbour that differs by this in all features together counts about ``exp(-1/2)`` as much
        as one that does not differ; one that differs by twice as much does not count. 0 averages
        nothing.
    spacing : tuple of float or None
        Length of a step along each axis of a volume.
    noisiness : float
        How many times more than groups tell noise makes pixels differ; 1 where it does not.
    """

    tolerance: float
    spacing: tuple[float, ...] | None = None
    noisiness: float = 1.0

    @classmethod
    def of_groups(
        cls,
        X: NDArray[np.float32],
        labels: NDArray[np.intp],
        spacing: tuple[float, ...] | None = None,
        *,
        noise: float = 0.0,
    ) -> "BilateralFilter":
        """Settle what is alike by pixels (n, n_features) and the groups (n,) that they are of.

        Differences within groups are to vanish, those between groups to stay. Groups may be many
        things in one: what differs by most of the deviation of all pixels is not alike.

        Groups of nothing but noise are narrower than noise, the more so the more they are. What
        noise makes differ is alike all the same. Where neighbours differ more than that, things
        change from pixel to pixel.
        """
        exact = X.astype(np.float64)
        groups, place = np.unique(labels, return_inverse=True)
        middles = np.array([exact[labels == k].mean(axis=0) for k in groups])
        within = np.sqrt(np.mean(np.sum((exact - middles[place]) ** 2, axis=1)))
        whole = np.sqrt(exact.var(axis=0).sum())
        settled = cls(float(min(OF_GROUPS * within, OF_WHOLE * whole)), spacing)
        ratio = OF_NOISE * noise / settled.tolerance if settled.tolerance > 0 else 1.0
        if ratio <= 1 or noise > len(groups) * within:
            return settled
        return replace(settled, tolerance=settled.tolerance * ratio, noisiness=ratio)

    @property
    def reach(self) -> int:
        """How far from a pixel lies what its wide average depends on."""
        return int(TAPS * (2**WIDE_PASSES - 1))

    def near_and_wide(
        self,
        features: NDArray[np.float32],
        inside: NDArray[np.bool_],
        *,
        n_axes: int,
        n_jobs: int | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return averages over the nearest neighbours, and over many, as `averages` does."""
        wanted = (NEAR_PASSES, WIDE_PASSES)
        near, wide = self.averages(features, inside, n_axes=n_axes, wanted=wanted, n_jobs=n_jobs)
        return near, wide

    def averages(
        self,
        features: NDArray[np.float32],
        inside: NDArray[np.bool_],
        *,
        n_axes: int,
        wanted: tuple[int, ...],
        n_jobs: int | None = None,
    ) -> list[NDArray[np.float32]]:
        """Return averages over neighbours that look alike, after so many passes.

        Parameters
        ----------
        features : ndarray of float32 of shape (planes, rows, cols, n_features)
            What pixels look like.
        inside : ndarray of bool of shape (planes, rows, cols)
            Where pixels are in use. Others count for nothing and stay as they are.
        n_axes : int
            2 for a plane, whatever the number of planes here, or 3.
        wanted : tuple of int
            Numbers of passes, rising; each pass has steps twice as long as the one before.
        n_jobs : int, optional
            Number of threads; all processors if None.

        Returns
        -------
        averages : list of ndarray of float32 of shape (planes, rows, cols, n_features)
            The averages after each of the numbers of passes.
        """
        if not self.tolerance > 0:
            return [features for _ in wanted]
        # A power of two, so that no bit is lost; in this unit no square overflows.
        tolerance = min(max(self.tolerance, 1 / _FARTHEST_UNIT), _FARTHEST_UNIT)
        unit = np.float32(2.0 ** math.floor(math.log2(tolerance)))
        # A difference of twice the tolerance makes the biweight 0.
        strictness = np.float32((unit / (2 * tolerance)) ** 2)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled, usable = features / unit, inside
            if not (scaled.max() <= _LARGEST and scaled.min() >= -_LARGEST):  # rarely so
                usable = inside & (np.abs(scaled) <= _LARGEST).all(axis=-1)
        grid = _Padded.of(scaled, usable, n_axes, margin=TAPS * 2 ** (wanted[-1] - 1))
        taps = paired_taps(n_axes)
        distances = np.linalg.norm(taps * unit_steps(self.spacing, n_axes), axis=-1)
        nearness = np.exp(-0.5 * distances**2).astype(np.float32)
        found = []
        for i in range(wanted[-1]):
            grid = grid.averaged(2**i * taps, nearness, strictness, n_jobs=n_jobs)
            if i + 1 in wanted:
                averages = np.moveaxis(grid.values[(slice(None), *grid.kept)], 0, -1) * unit
                if not usable.all():
                    averages = np.where(usable[..., np.newaxis], averages, features)
                found.append(averages)
        return found


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
