"""Where a cut begins: guesses at the foreground, and which of the cuts from them is best."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.ndimage import uniform_filter

from gmmseg.image.cut_grid import BACKGROUND, FOREGROUND, CutGrid
from gmmseg.image.cut_rounds import (
    Cut,
    CutOptions,
    Mask,
    Sides,
    costs_of_side,
    cut_in_rounds,
    is_dissolved,
    learn,
    learn_sides,
    refined,
)

WORKING_SIZE = 2**15  # unknown pixels that are cut at once; more are cut at half the size first
SMALL_SIZE = 2**12  # or fewer, if in doubt: means over pixels show what is lost in noise
UNLIKELY = 0.01  # share of the background that is as unlikely as pixels taken for foreground
# Share of the unknown pixels taken for foreground at first. In a wide box the object is few.
LEAST_STARTS = (0.3, 0.6, 0.9, 0.1)
NEIGHBOURHOOD = 3  # in pixels, that are asked how badly the background explains a pixel
LEAST_SHARE = 0.5  # that they count against the pixel itself; in noise they count alone
LEAST_EXTENT = 0.75  # of the box along each axis, that an object spans for sure
LEAST_FILL = 0.01  # of the unknown pixels: less is specks
LEAST_GAIN = 0.1  # in energy per unknown pixel, for which a border along the box may be free
STRAY = 0.005  # share of the foreground at either end that does not count for its extent
RIM = 0.05  # of each side: where the background lies if nothing is known of it


def cut(grid: CutGrid, options: CutOptions) -> Cut:
    """Return the foreground, found at a small size and refined at larger ones."""
    if is_small(grid, WORKING_SIZE):
        return cut_from_starts(grid, options)
    return refined(grid, cut(grid.halved(), options), options)


def is_small(grid: CutGrid, size: int) -> bool:
    """Return whether so many pixels are unknown at most, or there is no smaller size."""
    return bool(grid.unknown.sum() <= size or max(grid.factors()) == 1)


def cut_from_starts(grid: CutGrid, options: CutOptions) -> Cut:
    """Return the cut from the first guess or, if that is doubtful, the best from all.

    Where none finds an object, it may run against the box and be held by the background beyond:
    then a border along the box costs nothing. In mere noise it would fill the box and gain little.
    """
    cuts = cuts_from_starts(grid, options)
    first = next(cuts)
    if (grid.known == FOREGROUND).any() or is_sure(grid, first):
        return first
    best = best_of(grid, [first, *cuts])
    if is_object(grid, best) and best.is_stable:
        return best
    free = [
        replace(found, has_walls=False) for found in cuts_from_starts(grid.without_walls(), options)
    ]
    other = best_of(grid, free)
    gain = best.energy - other.energy
    return other if is_object(grid, other) and gain >= LEAST_GAIN * grid.unknown.sum() else best


def cuts_from_starts(grid: CutGrid, options: CutOptions) -> Iterator[Cut]:
    """Yield the cut from every guess, and one that is found at a smaller size."""
    for guess in first_guesses(grid, options):
        yield cut_in_rounds(grid, guess, options)
    if max(grid.factors()) > 1:
        yield cut_from_small_size(grid, options)


def cut_from_small_size(grid: CutGrid, options: CutOptions) -> Cut:
    """Return a cut that goes on from the best at a small size, where there is less noise.

    Where that dissolves in the noise of the larger size, it stays as it is.
    """
    begun = refined(grid, best_at_small_size(grid.halved(), options), options)
    if not is_object(grid, begun):
        return begun
    sides = learn_sides(grid, begun.mask, begun.sides, options)
    found = cut_in_rounds(grid, (sides, begun.mask), options)
    return begun if is_dissolved(begun.mask, found.mask) else found


def best_at_small_size(grid: CutGrid, options: CutOptions) -> Cut:
    """Return the best cut at a size of few pixels, refined to the size of the grid."""
    if is_small(grid, SMALL_SIZE):
        guesses = first_guesses(grid, options)
        return best_of(grid, [cut_in_rounds(grid, guess, options) for guess in guesses])
    return refined(grid, best_at_small_size(grid.halved(), options), options)


def best_of(grid: CutGrid, cuts: list[Cut]) -> Cut:
    """Return the stable object of least energy; specks or nothing only if there is no object."""

    def faults(found: Cut) -> tuple[bool, bool, float]:
        return not is_object(grid, found), not found.is_stable, found.energy

    return min(cuts, key=faults)


def is_sure(grid: CutGrid, found: Cut) -> bool:
    """Return whether an object reaches the sides of the box, as it was drawn around one."""
    return is_object(grid, found) and extent_in_box(grid, found.mask) >= LEAST_EXTENT


def is_object(grid: CutGrid, found: Cut) -> bool:
    """Return whether enough of the unknown pixels are foreground for more than specks."""
    n_unknown, n_found = grid.unknown.sum(), (found.mask & grid.unknown).sum()
    return bool(n_found > 0 and n_found >= LEAST_FILL * n_unknown)


def extent_in_box(grid: CutGrid, mask: Mask) -> float:
    """Return how much of the shortest way through the unknown pixels the foreground spans."""
    shares = []
    for axis, n in enumerate(mask.shape):
        others = tuple(i for i in range(3) if i != axis)
        room = np.flatnonzero(grid.unknown.any(axis=others))
        upto = np.cumsum((mask & grid.unknown).sum(axis=others))
        first, last = np.searchsorted(upto, [STRAY * upto[-1], (1 - STRAY) * upto[-1]])
        if n > 1:
            shares.append((last - first + 1) / (room[-1] - room[0] + 1))
    return float(min(shares, default=1.0))


def first_guesses(grid: CutGrid, options: CutOptions) -> Iterator[tuple[Sides, Mask]]:
    """Yield mixtures to begin with, and the foreground they were learned from.

    Where no foreground is known it is what the background explains worst: what is unlikelier than
    nearly all of it, but at least a share of the unknown pixels, from few to nearly all.
    """
    is_background = grid.usable & (grid.known == BACKGROUND)
    if not is_background.any():
        is_background = rim(grid)
    if not is_background.any():
        is_background = grid.usable & (grid.known != FOREGROUND)
    background = learn(grid, is_background, None, options)
    is_foreground = grid.usable & (grid.known == FOREGROUND)
    if is_foreground.any():
        yield (background, learn(grid, is_foreground, None, options)), is_foreground
        return
    candidates = grid.unknown & ~is_background
    if not candidates.any():
        candidates = grid.unknown
    alone = -costs_of_side(grid, background, options)
    around, share = uniform_filter(alone, NEIGHBOURHOOD), neighbours_share(grid)
    explained = (1 - share) * alone + share * around
    likely, found = explained[is_background], explained[candidates]
    for least in LEAST_STARTS:
        limit = max(np.quantile(likely, UNLIKELY), np.quantile(found, least))
        is_foreground[candidates] = found <= limit
        yield (background, learn(grid, is_foreground, None, options)), is_foreground.copy()


def neighbours_share(grid: CutGrid) -> float:
    """Return how much its neighbours count where a pixel is to be explained: all in mere noise.

    Of noise, neighbours differ by twice the variance in the mean square; of a picture, by far less.
    """
    features = grid.features
    variance = float(features.var(axis=(0, 1, 2), dtype=np.float64).sum())
    steps = [np.diff(features, axis=axis) for axis in range(3) if features.shape[axis] > 1]
    if not steps or variance == 0:
        return LEAST_SHARE
    squares = [float(np.square(step, dtype=np.float64).sum(axis=-1).mean()) for step in steps]
    is_noise = np.mean(squares) > 0.5 * (2 * variance)
    return 1.0 if is_noise else LEAST_SHARE


def rim(grid: CutGrid) -> Mask:
    """Return the pixels along the border of the image that are not known to be foreground."""
    inner = np.ones(grid.known.shape, dtype=bool)
    for axis, n in enumerate(grid.known.shape):
        width = max(1, round(RIM * n)) if n > 2 else 0
        sides = np.moveaxis(inner, axis, 0)
        sides[:width] = False
        sides[n - width :] = False
    return grid.usable & ~inner & (grid.known != FOREGROUND)
