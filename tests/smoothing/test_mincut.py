"""A smallest cut has the least energy of all maps of two labels."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_flow

from gmmseg.errors import InputError
from gmmseg.smoothing.energy import potts_energy
from gmmseg.smoothing.grid import GridField, contrast_field
from gmmseg.smoothing.mincut import CutGraph, min_cut
from tests import naive

SHAPES = [(1, 3, 3), (2, 2, 2), (1, 1, 5), (3, 1, 2)]


def problem(rng, shape, connectivity=2):
    """Return costs of both labels and a field on a grid, with chance in all of them."""
    features = rng.normal(size=(*shape, 2))
    field = contrast_field(features[0] if shape[0] == 1 else features, connectivity=connectivity)
    return rng.exponential(size=(2, *shape)), field


def all_labels(shape, n_labels=2):
    for labels in itertools.product(range(n_labels), repeat=int(np.prod(shape))):
        yield np.reshape(labels, shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", [0.0, 0.3, 3.0])
def test_no_other_map_of_labels_has_less_energy(shape, strength, rng):
    for _ in range(5):
        costs, field = problem(rng, shape)
        found = potts_energy(
            costs, field, min_cut(*costs, field, strength=strength), strength=strength
        )
        least = min(
            potts_energy(costs, field, labels, strength=strength) for labels in all_labels(shape)
        )
        assert found == pytest.approx(least, abs=1e-5)


@given(seed=st.integers(0, 2**32 - 1), strength=st.floats(0.01, 10.0))
def test_labels_are_those_of_the_naive_twin(seed, strength):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), int(rng.integers(1, 6)), int(rng.integers(1, 6)))
    costs, field = problem(rng, shape)
    labels = min_cut(*costs, field, strength=strength)
    assert_array_equal(labels, naive.min_cut(*costs, field, strength))


@pytest.mark.parametrize("shape", [(1, 20, 30), (5, 8, 9)])
def test_energy_is_the_largest_flow_that_scipy_finds(shape, rng):
    costs, field = problem(rng, shape)
    costs, weights = (costs * 1000).astype(int), (field.weights * 1000).astype(int)
    whole = GridField(field.offsets, weights.astype(np.float32))
    number = np.arange(np.prod(shape)).reshape(shape)
    source, sink = number.size, number.size + 1
    edges = [(source, i, c) for i, c in enumerate(costs[0].flat)]
    edges += [(i, sink, c) for i, c in enumerate(costs[1].flat)]
    for (here, there), weight in naive.edges_of(whole).items():
        edges += [(number[here], number[there], weight), (number[there], number[here], weight)]
    rows, cols, capacities = zip(*edges, strict=True)
    n = number.size + 2
    graph = coo_array((np.array(capacities, dtype=np.int32), (rows, cols)), shape=(n, n)).tocsr()
    labels = min_cut(*costs, whole)
    assert labels.any()
    assert not labels.all()
    assert potts_energy(costs, whole, labels) == maximum_flow(graph, source, sink).flow_value


def test_energy_is_that_of_the_naive_twin(rng):
    costs, field = problem(rng, (2, 3, 4))
    labels = rng.integers(0, 2, size=field.shape)
    assert potts_energy(costs, field, labels, strength=0.7) == pytest.approx(
        naive.potts_energy(costs, field, labels, 0.7)
    )


def test_a_graph_that_was_solved_before_gives_the_cut_of_a_new_one(rng):
    _, field = problem(rng, (1, 20, 20))
    graph = CutGraph(field, strength=2.0)
    for _ in range(4):
        gain = rng.normal(size=field.shape)
        assert_array_equal(graph.solve(gain), CutGraph(field, strength=2.0).solve(gain))


def test_the_same_cut_costs_nothing_the_second_time(rng):
    costs, field = problem(rng, (1, 10, 10))
    graph = CutGraph(field)
    labels = graph.solve(costs[0] - costs[1])
    residual = graph._flow.residual.copy()
    assert_array_equal(graph.solve(costs[0] - costs[1]), labels)
    assert_array_equal(graph._flow.residual, residual)


def test_infinite_costs_make_labels_certain_and_act_on_neighbours():
    field = contrast_field(np.zeros((1, 4, 1)))
    # 1 costs 0.9 more in each of the two cells between, the border only 1.
    cost_0, cost_1 = [[[np.inf, 0.0, 0.0, np.inf]]], [[[0.0, 0.4, 0.4, 0.0]]]
    assert_array_equal(min_cut(cost_0, cost_1, field), [[[1, 1, 1, 1]]])
    assert_array_equal(min_cut(cost_0, cost_1, field, strength=0.1), [[[1, 0, 0, 1]]])
    cost_1[0][0][3], cost_0[0][0][3] = np.inf, 0.0
    assert_array_equal(min_cut(cost_0, cost_1, field, strength=2.0), [[[1, 0, 0, 0]]])


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_labels_do_not_depend_on_the_unit_of_costs(unit, rng):
    costs, field = problem(rng, (1, 12, 12))
    field = GridField(field.offsets, field.weights * np.float32(unit))
    expected = min_cut(*costs, GridField(field.offsets, field.weights / np.float32(unit)))
    assert_array_equal(min_cut(*costs * unit, field), expected)


def test_a_field_without_weight_leaves_the_cheaper_label_to_every_cell(rng):
    costs, field = problem(rng, (1, 6, 6))
    nothing = GridField(field.offsets, field.weights * 0)
    assert_array_equal(min_cut(*costs, nothing), costs[1] < costs[0])


@pytest.mark.parametrize("margin", [1e-5, 1e-3])
def test_what_costs_a_little_less_than_a_border_is_borne(margin):
    field = contrast_field(np.zeros((1, 2, 1)))
    for cost, wanted in [(1.0 - margin, [[[1, 1]]]), (1.0 + margin, [[[1, 0]]])]:
        assert_array_equal(min_cut([[[5.0, 0.0]]], [[[0.0, cost]]], field), wanted)


def test_a_difference_too_small_to_count_decides_between_equals():
    field = contrast_field(np.zeros((1, 3, 1)))
    for gain in (-1e-9, 1e-9):
        labels = CutGraph(field).solve(np.full((1, 1, 3), gain))
        assert_array_equal(labels, np.full((1, 1, 3), gain > 0))


def test_of_equal_cuts_that_with_fewest_1s_is_taken():
    field = contrast_field(np.zeros((1, 3, 1)))
    assert_array_equal(min_cut(np.ones((1, 1, 3)), np.ones((1, 1, 3)), field), [[[0, 0, 0]]])


def test_transposing_the_grid_transposes_the_labels(rng):
    features, costs = rng.normal(size=(9, 14, 2)), rng.normal(size=(2, 1, 9, 14))
    labels = min_cut(*costs, contrast_field(features, connectivity=2))
    turned = contrast_field(features.swapaxes(0, 1), connectivity=2)
    assert_array_equal(min_cut(*costs.swapaxes(2, 3), turned), labels.swapaxes(1, 2))


@pytest.mark.parametrize(
    ("cost_0", "message"),
    [
        (np.zeros((3, 3)), r"cost_0 must have the shape \(1, 2, 2\) of the field, got \(3, 3\)"),
        ([[[0, np.nan], [0, 0]]], "must not be NaN, nor both infinite in one cell"),
        ([[[0, np.inf], [0, 0]]], "must not be NaN, nor both infinite in one cell"),
    ],
)
def test_costs_that_do_not_fit_are_refused(cost_0, message):
    field = contrast_field(np.zeros((2, 2, 1)))
    with pytest.raises(InputError, match=message):
        min_cut(cost_0, [[[0, np.inf], [0, 0]]], field)


@pytest.mark.parametrize(
    ("gain", "message"),
    [
        (np.zeros((2, 2)), "gain must have the shape (1, 2, 2) of the field, got (2, 2)"),
        ([[[0, np.nan], [0, 0]]], "gain must not be NaN; give 0 where no label costs more"),
    ],
)
def test_gains_that_do_not_fit_are_refused(gain, message):
    graph = CutGraph(contrast_field(np.zeros((2, 2, 1))))
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        graph.solve(gain)
    assert_array_equal(graph.solve(np.ones((1, 2, 2))), [[[1, 1], [1, 1]]])


def test_known_labels_and_strength_are_checked():
    field = contrast_field(np.zeros((2, 2, 1)))
    with pytest.raises(InputError, match=r"known must have the shape \(1, 2, 2\) of the field"):
        CutGraph(field, np.zeros((2, 2)))
    message = "^known must be whole numbers: 0 and 1, and -1 where nothing is known$"
    for known in (np.full((1, 2, 2), 2), np.full((1, 2, 2), -2), np.full((1, 2, 2), 0.5)):
        with pytest.raises(InputError, match=message):
            CutGraph(field, known)
    with pytest.raises(InputError, match="strength must be a number of at least 0, got -1"):
        CutGraph(field, strength=-1)
