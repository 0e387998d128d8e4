"""Expansion moves lower the energy of many labels until no move lowers it further."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.smoothing.energy import potts_energy
from gmmseg.smoothing.expansion import _expanded, expand_labels
from gmmseg.smoothing.grid import contrast_field
from gmmseg.smoothing.mincut import min_cut


def problem(rng, shape, n_labels):
    features = rng.normal(size=(*shape, 1))
    field = contrast_field(features[0] if shape[0] == 1 else features, connectivity=2)
    return rng.exponential(size=(n_labels, *shape)), field


@given(seed=st.integers(0, 2**32 - 1), strength=st.floats(0.0, 5.0))
def test_energy_never_rises(seed, strength):
    rng = np.random.default_rng(seed)
    costs, field = problem(rng, (2, 5, 6), 4)
    start = rng.integers(0, 4, size=field.shape)
    labels = expand_labels(costs, field, strength=strength, labels=start)
    before = potts_energy(costs, field, start, strength=strength)
    assert potts_energy(costs, field, labels, strength=strength) <= before


@pytest.mark.parametrize("shape", [(1, 2, 4), (2, 2, 2)])
def test_no_label_can_lower_the_energy_by_taking_cells_over(shape, rng):
    for _ in range(4):
        costs, field = problem(rng, shape, 3)
        labels = expand_labels(costs, field, strength=0.7)
        energy = potts_energy(costs, field, labels, strength=0.7)
        for label, moves in itertools.product(range(3), itertools.product((0, 1), repeat=8)):
            other = np.where(np.reshape(moves, shape), label, labels)
            assert potts_energy(costs, field, other, strength=0.7) >= energy - 1e-5


def test_no_smallest_cut_lowers_the_energy_further(rng):
    costs, field = problem(rng, (1, 16, 16), 6)
    labels = expand_labels(costs, field, strength=0.5)
    energy = potts_energy(costs, field, labels, strength=0.5)
    for label in range(6):
        other = _expanded(costs, field, labels, label, strength=0.5)
        assert potts_energy(costs, field, other, strength=0.5) >= energy


def test_energy_is_near_the_least_of_all_maps(rng):
    for _ in range(3):
        costs, field = problem(rng, (1, 2, 4), 3)
        labels = expand_labels(costs, field, strength=0.7)
        least = min(
            potts_energy(costs, field, np.reshape(other, (1, 2, 4)), strength=0.7)
            for other in itertools.product(range(3), repeat=8)
        )
        assert potts_energy(costs, field, labels, strength=0.7) <= 1.05 * least


def test_labels_to_begin_with_are_kept_as_they_were(rng):
    costs, field = problem(rng, (1, 7, 7), 5)
    start = rng.integers(0, 5, size=field.shape)
    before = start.copy()
    assert (expand_labels(costs, field, labels=start) != start).any()
    assert_array_equal(start, before)


def test_two_labels_are_the_smallest_cut(rng):
    costs, field = problem(rng, (1, 12, 12), 2)
    assert_array_equal(expand_labels(costs, field), min_cut(*costs, field))


def test_without_strength_every_cell_takes_its_cheapest_label(rng):
    costs, field = problem(rng, (1, 7, 7), 5)
    assert_array_equal(expand_labels(costs, field, strength=0.0), costs.argmin(axis=0))


@pytest.mark.parametrize(
    ("costs", "labels", "message"),
    [
        (
            np.zeros((2, 3)),
            None,
            r"costs must have shape \(n_labels, \*\(1, 1, 2\)\), got \(2, 3\)",
        ),
        (np.full((2, 1, 1, 2), np.inf), None, "costs must be finite, got NaN or infinity"),
        (np.zeros((2, 1, 1, 2)), [[[0, 2]]], "labels must lie in 0…1, got 0 to 2"),
        (np.zeros((2, 1, 1, 2)), [[[0.0, 1.0]]], "labels must be whole numbers of shape"),
        (
            np.zeros((2, 1, 1, 2)),
            [[0], [0, 1]],
            (
                "labels must be whole numbers, got something else: setting an array element with a "
                "sequence"
            ),
        ),
        ("dear", None, "costs must be an array of numbers, got something else: could not convert"),
    ],
)
def test_what_does_not_fit_is_refused(costs, labels, message):
    field = contrast_field(np.zeros((1, 2, 1)))
    with pytest.raises(InputError, match=message):
        expand_labels(costs, field, labels=labels)


@pytest.mark.parametrize(
    ("costs", "labels", "options", "message"),
    [
        (
            np.zeros((2, 2)),
            [[[0, 1]]],
            {},
            "costs must have shape (n_labels, *(1, 1, 2)), got (2, 2)",
        ),
        (
            np.zeros((2, 1, 1, 2)),
            [[0, 1]],
            {},
            "labels must be whole numbers of shape (1, 1, 2), got int64 of shape (1, 2)",
        ),
        (np.zeros((2, 1, 1, 2)), [[[-1, 1]]], {}, "labels must lie in 0…1, got -1 to 1"),
        (
            np.full((2, 1, 1, 2), np.nan),
            [[[0, 1]]],
            {},
            "costs must not be NaN where their label is borne",
        ),
        (
            np.zeros((2, 1, 1, 2)),
            [[[0, 1]]],
            {"strength": -1.0},
            "strength must be a number of at least 0, got -1.0",
        ),
    ],
)
def test_energy_of_what_does_not_fit_is_refused(costs, labels, options, message):
    field = contrast_field(np.zeros((1, 2, 1)))
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        potts_energy(costs, field, labels, **options)


def test_impossible_label_costs_without_end_where_it_is_borne_alone():
    field, costs = contrast_field(np.zeros((1, 2, 1))), [[[[0.0, 0.0]]], [[[np.inf, 2.0]]]]
    assert potts_energy(costs, field, [[[0, 1]]]) == 2.0 + 1.0
    assert potts_energy(costs, field, [[[1, 1]]]) == np.inf
