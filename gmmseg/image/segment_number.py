"""Choose how many segments an image has, by pixels averaged over neighbours that look alike.

Noise would hide what no single pixel tells: four levels whose noise reaches from one to the next
look like one wide group. Their averages are four groups.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.em import EMOptions
from gmmseg.core.selection import SelectionPlan, select_mixture
from gmmseg.image.bilateral import OF_NOISE, WIDE_PASSES, BilateralFilter
from gmmseg.image.dither import dithered, steps_of
from gmmseg.image.pixel_spread import Spread, spread_of, spread_patches
from gmmseg.image.pixels import Pixels, Region
from gmmseg.image.recipe import Recipe, sampled_rows, within
from gmmseg.image.segment_sample import LEARNED_FROM, check_any_left

N_DRAWS = 4
CHOSEN_ON = N_DRAWS * 1_000  # pixels, about, that the number of segments is chosen on
MOST_SEGMENTS = 9  # that are tried
STRUCTURE = 0.5  # of the deviation of all pixels: with less noise there are two segments at least
WIDTH = 0.01  # the least of a segment, in deviations of all pixels: a constant one would be a spike
# What stays of a pixel's difference from the average, so that groups are as Gaussian as noise is.
DIFFERENCE_KEPT = np.float32(0.25)


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

        Neighbouring pixels are so alike that a million of them tell no more than a thousand, which
        is what the criterion is to count; that of several draws together depends little on chance.
        Components may differ in volume, or wide segments would count as several. What varies much
        more than from neighbour to neighbour is not one.
        """
        few, spread = self.few_pixels()
        check_any_left(few)
        n_different = len(np.unique(few, axis=0))
        least = 1 + bool(n_different > 1 and spread.noise < STRUCTURE * spread.whole)
        numbers = range(least, min(MOST_SEGMENTS, n_different) + 1)
        few = few[np.lexsort(few.T)]
        typical = math.sqrt(few.var(axis=0, dtype=np.float64).mean())
        few += rng.normal(scale=WIDTH * typical, size=few.shape).astype(np.float32)
        plan = SelectionPlan(
            n_components=tuple(numbers), covariance_types=("full",), criterion="icl"
        )
        order, values = rng.permutation(len(few)), np.zeros(len(numbers))
        for i in range(min(N_DRAWS, len(few))):
            drawn = few[np.sort(order[i::N_DRAWS])]
            tried = select_mixture(drawn, None, plan, options, rng=rng, n_jobs=self.n_jobs)[2]
            found = {one.n_components: tried.rank(one) for one in tried.candidates}
            values += [_value(found.get(number)) for number in numbers]
        return numbers[int(values.argmin())]

    def few_pixels(self) -> tuple[NDArray[np.float32], Spread]:
        """Return features (n, n_features) of about `CHOSEN_ON` pixels, little of their noise left.

        Also how much noise there was.

        Values were rounded to steps. Their differences from the averages are shrunk, the steps
        are filled as they were wide: averages of them must not be narrower than one.
        """
        steps = steps_of(sampled_rows(self.pixels, Recipe("none"), LEARNED_FROM))
        # Of another seed: pixels drawn by the numbers that move them would be moved alike.
        unrounded = dithered(self.pixels, steps, self.seed + 1)
        halo = self.recipe.reach + (BilateralFilter(0.0).reach if self.is_averaged else 1)
        regions = spread_patches(self.pixels, halo)
        spread = spread_of(unrounded, self.recipe, regions, seed=self.seed)
        if spread.n_used < CHOSEN_ON:  # as where a mask leaves little to the patches
            regions = self.pixels.strips(halo)
            spread = spread_of(unrounded, self.recipe, regions, seed=self.seed)
        bilateral = BilateralFilter(OF_NOISE * spread.noise, self.spacing)
        share, rows = CHOSEN_ON / max(spread.n_used, 1), []
        for outer, inner in regions:
            kept = within(outer, inner)
            features, inside = self.recipe.features(unrounded, outer)
            if self.is_averaged:
                features = self._without_noise(features, bilateral, outer)
            drawn = inside[kept] & self.pixels.chosen(inner, share, self.seed)
            rows.append(features[kept][drawn])
        return np.concatenate(rows), spread

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


def _value(rank: tuple[bool, float] | None) -> float:
    """Return the criterion of a candidate; infinity for a spike, or where none was tried."""
    return math.inf if rank is None or rank[0] else rank[1]
