"""Choose how many segments an image has, by pixels averaged over neighbours that look alike.

Noise would hide what no single pixel tells: four levels whose noise reaches from one to the next
look like one wide group. Their averages are four groups.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from gmmseg.core.em import EMOptions
from gmmseg.core.selection import SelectionPlan, select_mixture
from gmmseg.image.bilateral import WIDE_PASSES, BilateralFilter
from gmmseg.image.contrast import neighbour_steps
from gmmseg.image.dither import dithered, steps_of
from gmmseg.image.pixels import Pixels, Region, as_region
from gmmseg.image.recipe import Recipe, sampled_rows, within
from gmmseg.image.segment_sample import LEARNED_FROM

CHOSEN_ON = 2_000  # pixels, about, that the number of segments is chosen on
MOST_SEGMENTS = 9  # that are tried
NOISE_FROM = 2**16  # pixels, about, that are compared with their neighbours
# What stays of a pixel's difference from the average, so that groups are as Gaussian as noise is.
DIFFERENCE_KEPT = np.float32(0.3)
# Patches that are looked at in a large plane or volume: their number along an axis, their length.
PATCHES = {2: (12, 32), 3: (4, 16)}


@dataclass(frozen=True, eq=False)
class NumberSearch:
    """How the number of segments of an image is searched.

    Parameters
    ----------
    pixels : Pixels
        What the features are made of.
    recipe : Recipe
        How pixels become features.
    is_averaged : bool
        Whether pixels are averaged over neighbours that look alike.
    spacing : tuple of float or None
        Length of a step along each axis of a volume.
    seed : int
        What decides which pixels are drawn.
    n_jobs : int or None
        Number of threads; all processors if None.
    """

    pixels: Pixels
    recipe: Recipe
    is_averaged: bool
    spacing: tuple[float, ...] | None
    seed: int
    n_jobs: int | None

    def best_number(self, options: EMOptions, rng: np.random.Generator) -> int:
        """Return the number of components of largest integrated completed likelihood.

        Neighbouring pixels are so alike that a million of them tell no more than a few thousand,
        which is what the criterion is to count. Components may differ in volume, or wide segments
        would count as several.
        """
        few = self.few_pixels()
        few = few[np.lexsort(few.T)]
        numbers = range(1, min(MOST_SEGMENTS, len(np.unique(few, axis=0))) + 1)
        plan = SelectionPlan(
            n_components=tuple(numbers), covariance_types=("full",), criterion="icl"
        )
        _, _, selection = select_mixture(few, None, plan, options, rng=rng, n_jobs=self.n_jobs)
        return selection.best.n_components

    def few_pixels(self) -> NDArray[np.float32]:
        """Return features of about `CHOSEN_ON` pixels, little of their noise left, (n, n_features).

        Values were rounded to steps. Their differences from the averages are shrunk, the steps
        are filled as they were wide: averages of them must not be narrower than one.
        """
        steps = steps_of(sampled_rows(self.pixels, Recipe("none"), LEARNED_FROM))
        # Of another seed: pixels drawn by the numbers that move them would be moved alike.
        unrounded = dithered(self.pixels, steps, self.seed + 1)
        halo = self.recipe.reach + (BilateralFilter(0.0).reach if self.is_averaged else 1)
        regions = spread_patches(self.pixels, halo)
        spread = self._spread(unrounded, regions)
        if spread.n_used < CHOSEN_ON:  # as where a mask leaves little to the patches
            regions = self.pixels.strips(halo)
            spread = self._spread(unrounded, regions)
        bilateral = BilateralFilter.of_spread(spread.noise, spread.whole, self.spacing)
        share, rows = CHOSEN_ON / max(spread.n_used, 1), []
        for outer, inner in regions:
            kept = within(outer, inner)
            features, inside = self.recipe.features(unrounded, outer)
            if self.is_averaged:
                features = self._without_noise(features, bilateral, outer)
            drawn = inside[kept] & self.pixels.chosen(inner, share, self.seed)
            rows.append(features[kept][drawn])
        return np.concatenate(rows)

    def _without_noise(
        self, unrounded: NDArray[np.float32], bilateral: BilateralFilter, region: Region
    ) -> NDArray[np.float32]:
        """Return features nearer to the averages of the region, with their rounding undone."""
        features, inside = self.recipe.features(self.pixels, region)
        (averages,) = bilateral.averages(
            features,
            inside,
            n_axes=self.pixels.n_axes,
            wanted=(WIDE_PASSES,),
            n_jobs=self.n_jobs,
        )
        return averages + DIFFERENCE_KEPT * (features - averages) + (unrounded - features)

    def _spread(self, unrounded: Pixels, regions: list[tuple[Region, Region]]) -> "_Spread":
        """Return how much pixels of regions differ from their neighbours, and from all."""
        n_pixels = sum(math.prod(part.stop - part.start for part in inner) for _, inner in regions)
        rows, steps, n_used = [], [], 0
        for outer, inner in regions:
            kept = within(outer, inner)
            features, inside = self.recipe.features(unrounded, outer)
            drawn = np.zeros_like(inside)
            drawn[kept] = inside[kept] & self.pixels.chosen(inner, NOISE_FROM / n_pixels, self.seed)
            n_used += int(np.count_nonzero(inside[kept]))
            rows.append(features[drawn])
            steps += neighbour_steps(features, inside, drawn, self.pixels.n_axes)
        return _Spread.of(np.concatenate(rows), np.concatenate(steps), n_used)


@dataclass(frozen=True)
class _Spread:
    """How much the pixels in use differ, in all features together."""

    noise: float  # standard deviation between pixels of one thing
    whole: float  # of all
    n_used: int

    @classmethod
    def of(cls, rows: NDArray[np.float32], steps: NDArray[np.float32], n_used: int) -> "_Spread":
        """Estimate it by pixels (n, n_features) and differences of neighbours (m, n_features).

        Most neighbours are of one thing, so that the median of their squared difference is that
        of ``2 noise^2 / n_features`` times a chi-squared number of ``n_features`` degrees.
        """
        if not len(steps):
            return cls(0.0, 0.0, n_used)
        n_features = rows.shape[1]
        squares = np.sum(np.square(steps, dtype=np.float64), axis=1)
        median_of_chi_squared = 2 * gammaincinv(n_features / 2, 0.5)
        noise = math.sqrt(np.median(squares) / 2 * n_features / median_of_chi_squared)
        whole = math.sqrt(rows.var(axis=0, dtype=np.float64).sum())
        return cls(noise, whole, n_used)


def spread_patches(pixels: Pixels, halo: int) -> list[tuple[Region, Region]]:
    """Return regions spread evenly over an image, with a halo and without.

    An axis that they would nearly cover is taken whole. The transposed image has the transposed
    regions.
    """
    number, length = PATCHES[pixels.n_axes]
    pieces = [_pieces(n, number, length, halo) for n in pixels.shape]
    return [
        (as_region(tuple(outer for outer, _ in parts)), as_region(tuple(i for _, i in parts)))
        for parts in itertools.product(*pieces)
    ]


def _pieces(n: int, number: int, length: int, halo: int) -> list[tuple[slice, slice]]:
    """Return the pieces of an axis of ``n`` pixels, each with a halo and without."""
    if n <= number * (length + 2 * halo):
        return [(slice(0, n), slice(0, n))]
    starts = [(2 * i + 1) * n // (2 * number) - length // 2 for i in range(number)]
    return [
        (slice(max(start - halo, 0), min(start + length + halo, n)), slice(start, start + length))
        for start in starts
    ]
