"""How much the pixels of an image differ: from neighbours, which tells the noise, and from all."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from gmmseg.image.contrast import neighbour_steps
from gmmseg.image.pixels import Pixels, Region, as_region
from gmmseg.image.recipe import Recipe, within

COMPARED = 2**16  # pixels, about, that are compared with their neighbours
# Patches that are looked at in a large plane or volume: their number along an axis, their length.
PATCHES = {2: (12, 32), 3: (4, 16)}


@dataclass(frozen=True)
class Spread:
    """How much the pixels in use differ, in all features together."""

    noise: float  # standard deviation between pixels of one thing
    whole: float  # of all
    n_used: int

    @classmethod
    def of(cls, rows: NDArray[np.float32], steps: NDArray[np.float32], n_used: int) -> "Spread":
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


def spread_of(
    pixels: Pixels, recipe: Recipe, regions: list[tuple[Region, Region]], *, seed: int = 0
) -> Spread:
    """Return how much pixels of regions differ from their neighbours, and from all.

    Parameters
    ----------
    pixels : Pixels
        What the features are made of.
    recipe : Recipe
        How pixels become features.
    regions : list of pairs (outer, inner) of regions
        Parts of the image, with a halo of at least 1 more than the recipe's reach, and without.
    seed : int, default=0
        What decides which pixels are drawn.

    Returns
    -------
    spread : Spread
        How much they differ.
    """
    n_pixels = sum(math.prod(part.stop - part.start for part in inner) for _, inner in regions)
    rows, steps, n_used = [], [], 0
    for outer, inner in regions:
        kept = within(outer, inner)
        features, inside = recipe.features(pixels, outer)
        drawn = np.zeros_like(inside)
        drawn[kept] = inside[kept] & pixels.chosen(inner, COMPARED / n_pixels, seed)
        n_used += int(np.count_nonzero(inside[kept]))
        rows.append(features[drawn])
        steps += neighbour_steps(features, inside, drawn, pixels.n_axes)
    return Spread.of(np.concatenate(rows), np.concatenate(steps), n_used)


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
