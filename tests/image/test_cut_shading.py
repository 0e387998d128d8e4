"""Shading is taken out of the background of a cut, and nothing else is."""

import numpy as np
import pytest

from gmmseg.image.cut import Hints, cut_grid
from gmmseg.image.cut_shading import without_shading

ROWS, COLS = np.mgrid[:80, :100]
BOX = (30, 20, 70, 60)
OBJECT = (abs(ROWS - 40) < 12) & (abs(COLS - 50) < 12)


def grid_of(image, box=BOX):
    return cut_grid(
        np.asarray(image, dtype=np.float64)[..., np.newaxis], Hints(box, None, None), None
    )[0]


def flattened(grid):
    return without_shading(grid, np.random.default_rng(0), None)


@pytest.mark.parametrize("shading", [COLS, ROWS - 2 * COLS, np.hypot(ROWS, COLS) ** 2 / 60])
def test_a_quadratic_surface_is_taken_out_and_the_step_to_the_object_is_kept(shading, rng):
    grid = grid_of(shading + 30 * OBJECT + rng.normal(size=OBJECT.shape))
    flat = flattened(grid).features[0, ..., 0]
    inside = OBJECT[grid_rows(grid)]
    unit = flat[inside].mean() - flat[~inside].mean()
    assert unit > 0
    assert flat[~inside].std() < 0.06 * unit
    assert flat[inside].std() < 0.06 * unit


def grid_rows(grid):
    """Return the part of the scene that the box and its surroundings are, where the grid is."""
    rows, cols = grid.known.shape[1:]
    top, left = 20 - 16, 30 - 16
    return slice(top, top + rows), slice(left, left + cols)


@pytest.mark.parametrize(
    "ground",
    [np.zeros(ROWS.shape), 40.0 * (ROWS > 40), 40.0 * (COLS > 30), 20.0 * (ROWS // 8 % 2)],
    ids=["flat", "two grounds", "an edge beside the box", "stripes"],
)
def test_grounds_side_by_side_are_no_shading(ground, rng):
    grid = grid_of(ground + 30 * OBJECT + rng.normal(size=OBJECT.shape))
    assert flattened(grid) is grid


def test_a_surface_is_not_guessed_from_a_little_background(rng):
    shading = COLS + rng.normal(size=COLS.shape)
    small = grid_of(shading, box=(0, 0, 100, 76))
    assert flattened(small) is small


def test_pixels_that_are_not_used_stay_at_zero(rng):
    image = COLS + rng.normal(size=COLS.shape)
    image[30, 40] = np.nan
    grid = grid_of(image)
    flat = flattened(grid)
    assert flat is not grid
    assert (flat.features[~grid.usable] == 0).all()
