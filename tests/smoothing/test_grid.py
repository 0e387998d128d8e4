import itertools
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.smoothing.grid import (
    GridField,
    contrast_field,
    flat_steps,
    flat_weights,
    half_neighbourhood,
    ranges_of_lines,
)
from tests import naive

SHAPES = [(4, 5), (1, 6), (3, 4, 5)]


def as_volume(array, shape):
    return array.reshape((1,) * (3 - len(shape)) + tuple(shape) + array.shape[len(shape) :])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_agree_with_their_naive_twin(rng, shape, connectivity, dtype):
    features = rng.normal(size=(*shape, 2)).astype(dtype)
    inside = rng.random(shape) < 0.8
    spacing = (2.0, 1.0, 3.0)[: len(shape)]
    field = contrast_field(features, inside=inside, connectivity=connectivity, spacing=spacing)
    wanted = naive.contrast_weights(
        as_volume(features, shape),
        as_volume(inside, shape),
        field.offsets,
        np.array([1.0] * (3 - len(shape)) + list(spacing)),
    )
    assert field.weights.dtype == np.float32
    assert_allclose(field.weights, wanted, rtol=2e-5)


@pytest.mark.parametrize(
    ("n_axes", "connectivity", "n_neighbours"),
    [(2, 1, 4), (2, 2, 8), (3, 1, 6), (3, 2, 18), (3, 3, 26)],
)
def test_half_the_neighbours_and_their_opposites_are_all(n_axes, connectivity, n_neighbours):
    half = half_neighbourhood(n_axes, connectivity)
    every = {tuple(step) for step in np.concatenate([half, -half])}
    assert len(every) == n_neighbours == 2 * len(half)
    assert all(np.abs(step).max() == 1 for step in every)
    assert all(0 < np.count_nonzero(step) <= connectivity for step in every)


def test_neighbours_along_one_axis_come_first():
    assert_array_equal(
        np.count_nonzero(half_neighbourhood(3, 3), axis=1), [1] * 3 + [2] * 6 + [3] * 4
    )


def test_equal_neighbours_are_coupled_by_one_and_different_ones_by_less():
    # Two steps, of 0 and of 9: the mean square is 81 / 2, so the second weighs exp(-1).
    field = contrast_field([[[0.0], [0.0], [9.0]]])
    assert_allclose(field.weights[0, 0, 0], [1.0, np.exp(-1.0), 0.0], rtol=1e-6)


def test_nothing_couples_across_the_border_or_with_cells_outside(rng):
    inside = np.ones((4, 5), dtype=bool)
    inside[1, 2] = False
    field = contrast_field(rng.normal(size=(4, 5, 1)), inside=inside, connectivity=2)
    pairs = naive.neighbours(field.offsets, field.weights)
    assert len(pairs) == 4 * 4 + 3 * 5 + 2 * 3 * 4 - 8
    assert all((0, 1, 2) not in pair[:2] for pair in pairs)


def test_what_cells_outside_look_like_does_not_matter(rng):
    features, inside = rng.normal(size=(6, 7, 2)), rng.random((6, 7)) < 0.7
    other = np.where(inside[..., None], features, np.nan)
    found, same = (contrast_field(each, inside=inside) for each in (features, other))
    assert_array_equal(found.weights, same.weights)


def test_weights_do_not_depend_on_the_unit_of_the_features(rng):
    features = rng.normal(size=(6, 7, 2))
    weights = contrast_field(features).weights
    for unit in (1e-12, 1e12):
        assert_allclose(contrast_field(unit * features).weights, weights, rtol=1e-5)


def test_distance_and_spacing_divide_the_weights():
    flat = contrast_field(np.zeros((3, 3, 3, 1)), connectivity=3, spacing=(3.0, 1.0, 1.0))
    for offset, weights in zip(flat.offsets, flat.weights, strict=True):
        distance = np.sqrt((np.array([3.0, 1.0, 1.0]) ** 2 * offset**2).sum())
        assert_allclose(weights[weights > 0], 1 / distance, rtol=1e-6)


def test_unit_of_the_spacing_does_not_matter(rng):
    features = rng.normal(size=(3, 4, 5, 1))
    one, other = (contrast_field(features, spacing=s) for s in ((2, 1, 1), (0.5, 0.25, 0.25)))
    assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("connectivity", [1, 2])
def test_transposed_grid_has_the_transposed_weights(rng, connectivity):
    features, inside = rng.normal(size=(8, 6, 2)), rng.random((8, 6)) < 0.8
    field = contrast_field(features, inside=inside, connectivity=connectivity)
    turned = contrast_field(np.swapaxes(features, 0, 1), inside=inside.T, connectivity=connectivity)

    def as_set(field, *, is_turned):
        order = (0, 2, 1) if is_turned else (0, 1, 2)
        pairs = naive.neighbours(field.offsets, field.weights)
        return {
            (frozenset(tuple(int(cell[axis]) for axis in order) for cell in pair[:2]), pair[2])
            for pair in pairs
        }

    assert as_set(turned, is_turned=True) == as_set(field, is_turned=False)


def test_number_of_threads_does_not_matter(rng):
    features = rng.normal(size=(60, 70, 3)).astype(np.float32)
    one, many = (contrast_field(features, n_jobs=n_jobs).weights for n_jobs in (1, 4))
    assert_array_equal(one, many)


def test_constant_picture_and_single_cell_are_coupled_fully_or_not_at_all():
    assert (contrast_field(np.full((3, 3, 1), 5.0)).weights[0, 0, :, :2] == 1).all()
    assert (contrast_field(np.zeros((1, 1, 1))).weights == 0).all()


def test_steps_in_one_row_lead_to_the_neighbours(rng):
    field = contrast_field(rng.normal(size=(3, 4, 5, 1)), connectivity=3)
    cells = np.arange(60).reshape(3, 4, 5)
    for offset, step in zip(field.offsets, flat_steps(field), strict=True):
        assert cells[tuple(np.array([1, 2, 2]) + offset)] == cells[1, 2, 2] + step
    assert_array_equal(flat_weights(field)[2], field.weights[2].ravel())


def test_no_step_leads_back_in_one_row():
    assert flat_steps(contrast_field(np.zeros((3, 1, 5, 1)), connectivity=3)).min() == 0
    assert flat_steps(contrast_field(np.zeros((3, 2, 5, 1)), connectivity=3)).min() == 1


def test_features_of_any_kind_of_number_give_the_same_field(rng):
    features = rng.integers(0, 256, size=(5, 6, 3))
    weights = contrast_field(features.astype(np.float64)).weights
    for kind in (np.uint8, np.int64, np.float16):
        assert_array_equal(contrast_field(features.astype(kind)).weights, weights)
    assert_array_equal(contrast_field(features.tolist()).weights, weights)


def test_field_of_lists_is_that_of_arrays(rng):
    field = contrast_field(rng.normal(size=(3, 4, 2)), connectivity=2)
    same = GridField(field.offsets.tolist(), field.weights.tolist())
    assert_array_equal(same.offsets, field.offsets)
    assert_array_equal(same.weights, field.weights)
    assert (same.offsets.dtype, same.weights.dtype) == (np.intp, np.float32)


@pytest.mark.parametrize(
    ("offsets", "weights", "message"),
    [
        ([0, 0, 1], [[[[1, 0]]]], "offsets must have shape (n_offsets, 3), got (3,)"),
        (np.ones((0, 3)), [[[[1, 0]]]], "offsets must have shape (n_offsets, 3), got (0, 3)"),
        *(
            (
                offsets,
                np.zeros((len(offsets), 1, 1, 3)),
                (
                    "offsets must be different steps (plane, row, col) of -1, 0 or 1, the first "
                    f"that is not 0 being 1, got {written}"
                ),
            )
            for offsets, written in [
                ([[0, 0, 2]], "[[0.0, 0.0, 2.0]]"),
                ([[0, 0, 0]], "[[0.0, 0.0, 0.0]]"),
                ([[0, -1, 1]], "[[0.0, -1.0, 1.0]]"),
                ([[0, 0, np.nan]], "[[0.0, 0.0, nan]]"),
                ([[0, 0, 1], [0, 0, 1]], "[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]"),
            ]
        ),
        (
            [[0, 0, 1]],
            [[1, 0]],
            (
                "weights must have shape (n_offsets, planes, rows, cols) with n_offsets = 1, got "
                "(1, 2)"
            ),
        ),
        (
            [[0, 0, 1]],
            np.zeros((1, 1, 0, 2)),
            (
                "weights must have shape (n_offsets, planes, rows, cols) with n_offsets = 1, got "
                "(1, 1, 0, 2)"
            ),
        ),
        ([[0, 0, 1]], [[[[-1, 0]]]], "weights must be finite and at least 0, got -1.0 to 0.0"),
        ([[0, 0, 1]], [[[[np.nan, 0]]]], "weights must be finite and at least 0, got nan to nan"),
        ([[0, 0, 1]], [[[[np.inf, 0]]]], "weights must be finite and at least 0, got 0.0 to inf"),
        (
            [[0, 0, 1]],
            [[[[0, 1]]]],
            "weights of the offset [0, 0, 1] must be 0 where it leads beyond the edge of the grid",
        ),
        (
            [[0, 0, 1], [0, 1, -1]],
            [[[[1, 0], [1, 0]]], [[[1, 1], [0, 0]]]],
            "weights of the offset [0, 1, -1] must be 0 where it leads beyond the edge of the grid",
        ),
    ],
)
def test_what_makes_no_field_is_named(offsets, weights, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        GridField(offsets, weights)


@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (7, 9)])
def test_ranges_cover_all_lines_once(shape):
    ranges = ranges_of_lines(shape)
    lines = list(itertools.chain.from_iterable(range(*each) for each in ranges))
    assert lines == list(range(shape[0] * shape[1]))


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        (np.zeros((3, 4)), {}, r"features must have shape .*, got \(3, 4\)"),
        (np.zeros((0, 4, 1)), {}, r"features must have shape .*, got \(0, 4, 1\)"),
        (
            np.zeros((3, 4, 1)),
            {"inside": np.ones((4, 3), bool)},
            r"inside must have the shape \(3, 4\) of the grid, got \(4, 3\)",
        ),
        (
            np.zeros((3, 4, 1)),
            {"connectivity": 3},
            "connectivity must be at most 2 on this grid, got 3",
        ),
        (
            np.zeros((3, 4, 1)),
            {"connectivity": 0},
            "connectivity must be a whole number of at least 1, got 0",
        ),
        (
            np.zeros((3, 4, 1)),
            {"spacing": (1.0, 0.0)},
            r"spacing must be 2 lengths above 0, one for each axis, got \(1.0, 0.0\)",
        ),
        (
            np.zeros((3, 4, 1)),
            {"spacing": (1.0,)},
            r"spacing must be 2 lengths above 0, one for each axis, got \(1.0,\)",
        ),
        (
            np.where(np.eye(3, 4) > 0, np.nan, 1.0)[..., None],
            {"inside": np.arange(12).reshape(3, 4) > 0},
            (
                r"^features must be finite in cells in use, got NaN or infinity in 2 of 11; "
                r"leave them out with inside$"
            ),
        ),
        (
            np.full((1, 2, 1), np.inf),
            {"inside": [[True, False]], "mean_square": -1.0},
            "mean_square must be a number of at least 0, got -1.0",
        ),
        (
            1e25 * np.arange(12.0).reshape(3, 4, 1),
            {},
            (
                "^features of neighbours must differ by less than 1e19, got more; divide them by a "
                "constant$"
            ),
        ),
        (
            "grey",
            {},
            (
                "^features must be an array of numbers, got something else: could not convert "
                "string to float: 'grey'$"
            ),
        ),
    ],
)
def test_what_cannot_be_used_is_named(features, options, message):
    with pytest.raises(InputError, match=message):
        contrast_field(features, **options)
