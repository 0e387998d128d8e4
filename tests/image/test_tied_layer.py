"""Claims about one mixture for all places: its peak, who is strange, weights, shares."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.estep import log_densities
from gmmseg.errors import InputError
from gmmseg.image.tied_layer import TiedLayer, best_number


def two_kinds(rng, n_rows):
    """Return features of places of two kinds, of different units."""
    rows = rng.normal(size=(n_rows, 3)) + 6.0 * rng.integers(0, 2, size=(n_rows, 1))
    return (rows * [1.0, 100.0, 0.01]).astype(np.float32)


@pytest.fixture
def layer(rng):
    return TiedLayer.learn(two_kinds(rng, 4000), 2, count=4000.0, seed=0)


def test_one_normal_place_in_a_thousand_lies_at_the_peak(layer):
    rows = two_kinds(np.random.default_rng(0), 4000)  # those it has learned
    scaled = ((rows - layer.mean) / layer.deviation).astype(np.float32)
    assert (log_densities(scaled, layer.parameters) > layer.peak).sum() == 4
    assert (layer.distances(rows[np.newaxis]) == 0.0).sum() == 4


def test_places_between_two_kinds_and_beyond_them_are_strange(layer):
    places = [[0, 0, 0], [6, 600, 0.06], [3, 300, 0.03], [12, 1200, 0.12]]
    distances = layer.distances(np.array([places], dtype=np.float32))[0]
    assert distances[:2].max() < 4.0
    assert distances[2:].min() > 15.0


def test_shares_sum_to_one_and_name_the_strange_feature(layer):
    features = np.zeros((1, 3, 3), dtype=np.float32)
    features[0, 1, 1] = -900.0
    shares = layer.contributions(features, np.array([[False, True, False]]))
    assert_allclose(shares.sum(), 1.0)
    assert shares.argmax() == 1


def test_places_of_weight_three_count_as_three(layer, rng):
    image = two_kinds(rng, 40).reshape(4, 10, 3)
    weighted = layer.adapted(image, weight=3.0)
    repeated = layer.adapted(np.concatenate([image] * 3))
    assert weighted.count == repeated.count == 4120.0
    assert_allclose(weighted.parameters.means, repeated.parameters.means, rtol=1e-6)
    covariances = repeated.parameters.covariances
    assert_allclose(weighted.parameters.covariances, covariances, rtol=1e-6, atol=1e-9)
    assert not np.allclose(layer.adapted(image).parameters.covariances, covariances, rtol=1e-3)


def test_as_many_components_are_chosen_as_there_are_kinds_of_places(rng):
    groups = np.arange(4000) % 5
    assert best_number(two_kinds(rng, 4000), groups, 0) == 2
    assert best_number(rng.normal(size=(4000, 2)).astype(np.float32), groups, 0) == 1


def test_without_images_to_leave_out_one_component_is_enough(rng):
    rows = two_kinds(rng, 400)
    assert best_number(rows, np.zeros(400, dtype=np.intp), 0) == 1


def test_a_feature_that_never_varies_has_the_usual_deviation(rng):
    rows = rng.normal(size=(500, 2)).astype(np.float32)
    rows[:, 1] = 5.0
    layer = TiedLayer.learn(rows, 1, count=500.0, seed=0)
    new = np.array([[[0.0, 5.0], [0.0, 5.0 + 20.0]]], dtype=np.float32)
    assert_array_equal(layer.distances(new)[0] > 30.0, [False, True])


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            "mean",
            lambda a: a[1:],
            "mean and deviation of a layer must be 3 numbers each, got shapes (2,) and (3,)",
        ),
        ("peak_and_count", lambda a: a * np.nan, "the numbers of a layer must be finite"),
        (
            "deviation",
            lambda a: a * [1, 1, 0],
            "the deviations of a layer must be above 0, got 0",
        ),
        (
            "peak_and_count",
            lambda a: [a[0], -2.0],
            "a layer must have seen 0 places or more, got -2",
        ),
    ],
)
def test_arrays_that_are_no_layer_are_refused(layer, name, change, words):
    arrays = layer.arrays()
    TiedLayer.of_arrays(arrays)
    with pytest.raises(InputError, match=f"^{re.escape(words)}$"):
        TiedLayer.of_arrays(arrays | {name: np.array(change(arrays[name]))})
