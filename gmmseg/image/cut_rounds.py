"""Cut and learn in turns: the labels of least energy under two mixtures, then mixtures of these.

Rother, Kolmogorov, Blake (2004), "GrabCut: interactive foreground extraction using iterated graph
cuts". It differs in three things. The costs are those of whole mixtures, not of a pixel's likeliest
component. Foreground is learned first from the pixels that the surroundings explain worst. And
large images are cut at a small size; at the larger ones only a band about the border is cut again.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from gmmseg.core.em import EMOptions
from gmmseg.core.estep import log_densities
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.parameters import MixtureParameters
from gmmseg.image.cut_grid import FOREGROUND, CutGrid
from gmmseg.smoothing.energy import potts_energy
from gmmseg.smoothing.mincut import CutGraph

MOST_ROUNDS = 10
LEAST_CHANGE = 1e-3  # of the unknown pixels: a smaller change is none
BAND = 3  # in pixels: how far a border may move when the size doubles
LEAST_PIXELS = 20  # of a side, that a mixture can be learned from
LEAST_KEPT = 1 / 3  # of a foreground, when it is cut again at another size
PIXELS_PER_COMPONENT = 50
MOST_SAMPLES = 2**16  # pixels that a mixture is learned from
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
        The energy after every round; it falls.
    has_walls : bool
        Whether a border along the box counts.
    is_stable : bool
        False if it would dissolve, were it cut again at its size.
    """

    mask: Mask
    sides: Sides
    energies: tuple[float, ...]
    has_walls: bool = True
    is_stable: bool = True

    @property
    def energy(self) -> float:
        """The energy after the last round."""
        return self.energies[-1]


def cut_in_rounds(grid: CutGrid, guess: tuple[Sides, Mask], options: CutOptions) -> Cut:
    """Cut and learn in turns until the labels stay, or the energy falls no more.

    The first cut is kept even if it leaves a side empty: the guess it came from is no cut.
    """
    field = grid.field(options.n_jobs)
    graph = CutGraph(field, grid.known, strength=options.smoothness)
    sides, mask = guess
    energies: list[float] = []
    for _ in range(MOST_ROUNDS):
        learned = learn_sides(grid, mask, sides, options) if energies else sides
        costs = costs_of(grid, learned, options)
        found = graph.solve(costs[0] - costs[1])
        energy = potts_energy(costs, field, found, strength=options.smoothness)
        can_learn_on = is_divided(grid, found)
        if energies and (energy >= energies[-1] or not can_learn_on):
            break
        change = np.count_nonzero(found != mask)
        sides, mask = learned, found
        energies.append(energy)
        if change <= LEAST_CHANGE * grid.unknown.sum() or not can_learn_on:
            break
    return Cut(mask, sides, tuple(energies))


def is_divided(grid: CutGrid, mask: Mask) -> bool:
    """Return whether both sides have enough pixels to learn from."""
    n_used, n_foreground = np.count_nonzero(grid.usable), np.count_nonzero(mask & grid.usable)
    return bool(min(n_foreground, n_used - n_foreground) >= LEAST_PIXELS)


def refined(grid: CutGrid, coarse: Cut, options: CutOptions) -> Cut:
    """Return a cut found at half size, its border cut again at the size of the grid.

    Where that dissolves in the noise of this size, it stays as it is.
    """
    mask = np.where(grid.unknown, grid.doubled(coarse.mask), grid.known == FOREGROUND)
    reach = 2 * BAND + 1
    band = maximum_filter(mask, reach) & maximum_filter(~mask, reach)
    known = np.where(grid.unknown & ~band, mask, grid.known).astype(np.int8)
    if not coarse.has_walls:
        grid = grid.without_walls()
    sides = coarse.sides
    if mask[grid.usable].any() and not mask[grid.usable].all():
        sides = learn_sides(grid, mask, sides, options)
    field, costs = grid.field(options.n_jobs), costs_of(grid, sides, options)
    found = CutGraph(field, known, strength=options.smoothness).solve(costs[0] - costs[1])
    is_stable = not is_dissolved(mask, found)
    if not is_stable:
        found = mask
    energy = potts_energy(costs, field, found, strength=options.smoothness)
    is_stable = is_stable and coarse.is_stable
    return replace(coarse, mask=found, sides=sides, energies=(energy,), is_stable=is_stable)


def is_dissolved(before: Mask, after: Mask) -> bool:
    """Return whether little is left of a foreground."""
    return bool(np.count_nonzero(before & after) < LEAST_KEPT * np.count_nonzero(before))


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
