"""Take out of an image the shading of its background: a ground that grows brighter to one side."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.em import EMOptions
from gmmseg.core.estep import log_densities
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.image.cut_grid import BACKGROUND, CutGrid

MOST_SAMPLES = 2**12  # pixels of the background that the surface is laid through
LEAST_SAMPLES = 500
LEAST_KNOWN = 0.1  # of the pixels: from less background the surface would have to be guessed
LEAST_GAIN = 0.5  # in log-density per pixel, of the background without the surface
LEAST_EXPLAINED = 0.6  # share of the variance of the background
ROBUST_ROUNDS = 5
N_COMPONENTS = 5
FIT = EMOptions(tol=1e-3, max_iter=30, covariance_floor=1e-3, has_one_unit=True)

Rows = NDArray[np.float64]


def without_shading(grid: CutGrid, rng: np.random.Generator, n_jobs: int | None) -> CutGrid:
    """Return the grid less the quadratic surface through its background, if that is shading.

    It is if the surface explains most of what differs there, and a mixture of what is left is far
    likelier: two grounds side by side are one mixture already, and are left as they are.
    """
    is_background = grid.usable & (grid.known == BACKGROUND)
    places = np.argwhere(is_background)
    if len(places) < max(LEAST_SAMPLES, LEAST_KNOWN * np.count_nonzero(grid.usable)):
        return grid
    if len(places) > MOST_SAMPLES:
        places = places[rng.integers(len(places), size=MOST_SAMPLES)]
    X = grid.features[tuple(places.T)].astype(np.float64)
    terms = np.stack(surface_terms(grid.known.shape, tuple(places.T)), axis=1)
    slopes = robust_slopes(terms, X)
    flat = X - terms @ slopes
    left = np.square(flat - flat.mean(axis=0)).sum()
    if left > (1 - LEAST_EXPLAINED) * np.square(X - X.mean(axis=0)).sum():
        return grid
    if likelihood(flat, rng, n_jobs) - likelihood(X, rng, n_jobs) < LEAST_GAIN:
        return grid
    features = grid.features.copy()
    everywhere = np.ogrid[tuple(slice(n) for n in grid.known.shape)]
    for term, slope in zip(surface_terms(grid.known.shape, everywhere), slopes, strict=True):
        features -= term[..., np.newaxis].astype(np.float32) * slope.astype(np.float32)
    features[~grid.usable] = 0
    return replace(grid, features=features)


def surface_terms(shape: tuple[int, ...], places: tuple[NDArray[Any], ...]) -> list[Rows]:
    """Return 1, the coordinates along the axes in -1…1, and their products, at some places."""
    axes = [2 * place / (n - 1) - 1.0 for place, n in zip(places, shape, strict=True) if n > 1]
    products = [a * b for a, b in itertools.combinations_with_replacement(axes, 2)]
    return [np.ones_like(axes[0]), *axes, *products]


def robust_slopes(terms: Rows, X: Rows) -> Rows:
    """Return what the terms are multiplied by; samples far off the surface count little."""
    weight = np.ones(len(X))
    slopes = np.zeros((terms.shape[1], X.shape[1]))
    for _ in range(ROBUST_ROUNDS):
        root = np.sqrt(weight)[:, np.newaxis]
        slopes[:] = np.linalg.lstsq(terms * root, X * root, rcond=None)[0]
        distance = np.linalg.norm(X - terms @ slopes, axis=1)
        usual = max(float(np.median(distance)), 1e-6)
        weight[:] = 1 / (1 + (distance / (2 * usual)) ** 2)
    return slopes


def likelihood(X: Rows, rng: np.random.Generator, n_jobs: int | None) -> float:
    """Return the mean log-density of samples under a mixture of their own."""
    X = X.astype(np.float32)
    mixture, _ = fit_mixture(X, None, Start(n_components=N_COMPONENTS, rng=rng), FIT, n_jobs=n_jobs)
    return float(log_densities(X, mixture, n_jobs).mean(dtype=np.float64))
