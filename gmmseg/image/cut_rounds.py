"""Cut and learn in turns: the labels of least energy under two mixtures, then mixtures of these.

Rother, Kolmogorov, Blake (2004), "GrabCut: interactive foreground extraction using iterated graph
cuts". It differs in three things. The costs are those of whole mixtures, not of a pixel's likeliest
component. Foreground is learned first from the pixels that the surroundings explain worst. And
large images are cut at a small size; at the larger ones only a band about the border is cut again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, uniform_filter

from gmmseg.core.em import EMOptions
from gmmseg.core.estep import log_densities
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.parameters import MixtureParameters
from gmmseg.image.cut_grid import BACKGROUND, FOREGROUND, CutGrid
from gmmseg.smoothing.energy import potts_energy
from gmmseg.smoothing.mincut import CutGraph

MOST_ROUNDS = 10
LEAST_CHANGE = 1e-3  # of the unknown pixels: a smaller change is none
WORKING_SIZE = 2**15  # unknown pixels that are cut at once; more are cut at half the size first
BAND = 3  # in pixels: how far a border may move when the size doubles
LEAST_PIXELS = 20  # of a side, that a mixture can be learned from
PIXELS_PER_COMPONENT = 50
MOST_SAMPLES = 2**16  # pixels that a mixture is learned from
UNLIKELY = 0.01  # share of the background that is as unlikely as pixels taken for foreground
LEAST_STARTS = (0.3, 0.6, 0.9)  # share of the unknown pixels taken for foreground at first
NEIGHBOURHOOD = 3  # in pixels, that are asked how badly the background explains a pixel
LEAST_SHARE = 0.5  # that they count against the pixel itself; in noise they count alone
LEAST_EXTENT = 0.75  # of the box along each axis, that an object spans
STRAY = 0.005  # share of the foreground at either end that does not count for that
RIM = 0.05  # of each side: where the background lies if nothing is known of it
FIRST_FIT = EMOptions(tol=1e-3, max_iter=30, covariance_floor=1e-3, has_one_unit=True)
REFIT = EMOptions(tol=1e-3, max_iter=10, covariance_floor=1e-3, has_one_unit=True)

Mask = NDArray[np.bool_]
Sides = tuple[MixtureParameters, MixtureParameters]  # background and foreground


@dataclass(frozen=True)
class CutOptions:
    """How the two sides are learned, from what chance, and how much their border counts."""

    n_components: int
    smoothness: float
    rng: np.random.Generator
    n_jobs: int | None


@dataclass(frozen=True, eq=False)
class Cut:
    """Where the foreground is.

    Parameters
    ----------
    mask : ndarray of bool of shape (planes, rows, cols)
        True at foreground.
    sides : tuple of MixtureParameters
        Background and foreground.
    energies : tuple of float
        The energy after every round at the smallest size; it falls.
    """

    mask: Mask
    sides: Sides
    energies: tuple[float, ...]


def cut(grid: CutGrid, options: CutOptions) -> Cut:
    """Return the foreground, found at a small size and refined at larger ones."""
    if grid.unknown.sum() <= WORKING_SIZE or max(grid.factors()) == 1:
        return cut_from_starts(grid, options)
    coarse = cut(grid.halved(), options)
    return refined(grid, coarse, options)


def cut_from_starts(grid: CutGrid, options: CutOptions) -> Cut:
    """Return the first cut that reaches the sides of the box, or the one that comes nearest.

    A box is drawn around the object, so what fills only part of it is a part of the object.
    """
    best, widest = None, 0.0
    for guess in first_guesses(grid, options):
        found = cut_in_rounds(grid, guess, options)
        extent = extent_in_box(grid, found.mask)
        if best is None or extent > widest:
            best, widest = found, extent
        if extent >= LEAST_EXTENT:
            break
    assert best is not None
    return best


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


def cut_in_rounds(grid: CutGrid, guess: tuple[Sides, Mask], options: CutOptions) -> Cut:
    """Cut and learn in turns until the labels stay, or the energy falls no more."""
    field = grid.field(options.n_jobs)
    graph = CutGraph(field, grid.known, strength=options.smoothness)
    sides, mask = guess
    energies: list[float] = []
    for _ in range(MOST_ROUNDS):
        learned = learn_sides(grid, mask, sides, options) if energies else sides
        costs = costs_of(grid, learned, options)
        found = graph.solve(costs[0] - costs[1])
        energy = potts_energy(costs, field, found, strength=options.smoothness)
        if (energies and energy >= energies[-1]) or not is_divided(grid, found):
            break
        change = np.count_nonzero(found != mask)
        sides, mask = learned, found
        energies.append(energy)
        if change <= LEAST_CHANGE * grid.unknown.sum():
            break
    return Cut(mask, sides, tuple(energies))


def is_divided(grid: CutGrid, mask: Mask) -> bool:
    """Return whether both sides have enough pixels to learn from."""
    n_used, n_foreground = np.count_nonzero(grid.usable), np.count_nonzero(mask & grid.usable)
    return bool(min(n_foreground, n_used - n_foreground) >= LEAST_PIXELS)


def refined(grid: CutGrid, coarse: Cut, options: CutOptions) -> Cut:
    """Return a cut found at half size, its border cut again at the size of the grid."""
    mask = np.where(grid.unknown, grid.doubled(coarse.mask), grid.known == FOREGROUND)
    reach = 2 * BAND + 1
    band = maximum_filter(mask, reach) & maximum_filter(~mask, reach)
    known = np.where(grid.unknown & ~band, mask, grid.known).astype(np.int8)
    narrow = replace(grid, known=known)
    sides = learn_sides(grid, mask, coarse.sides, options)
    costs = costs_of(narrow, sides, options)
    graph = CutGraph(narrow.field(options.n_jobs), known, strength=options.smoothness)
    return Cut(graph.solve(costs[0] - costs[1]), sides, coarse.energies)


def costs_of(grid: CutGrid, sides: Sides, options: CutOptions) -> NDArray[np.float32]:
    """Return minus the log-density of both sides, (2, planes, rows, cols)."""
    return np.stack([costs_of_side(grid, side, options) for side in sides])


def costs_of_side(
    grid: CutGrid, side: MixtureParameters, options: CutOptions
) -> NDArray[np.float32]:
    """Return minus the log-density of every pixel; 0 where it is not in use."""
    cost = np.zeros(grid.known.shape, dtype=np.float32)
    cost[grid.usable] = -log_densities(grid.features[grid.usable], side, options.n_jobs)
    return cost


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


def learn_sides(grid: CutGrid, mask: Mask, before: Sides, options: CutOptions) -> Sides:
    """Return the mixtures of the two sides of a mask, learned on from those before."""
    return (
        learn(grid, grid.usable & ~mask, before[0], options),
        learn(grid, grid.usable & mask, before[1], options),
    )


def learn(
    grid: CutGrid,
    mask: Mask,
    before: MixtureParameters | None,
    options: CutOptions,
) -> MixtureParameters:
    """Return the mixture of the pixels in a mask."""
    X = grid.features[mask]
    if len(X) > MOST_SAMPLES:
        X = X[options.rng.integers(len(X), size=MOST_SAMPLES)]
    n_components = max(1, min(options.n_components, len(X) // PIXELS_PER_COMPONENT))
    start = Start(n_components=n_components, rng=options.rng, previous=before)
    how = FIRST_FIT if before is None else REFIT
    return fit_mixture(X, None, start, how, n_jobs=options.n_jobs)[0]
