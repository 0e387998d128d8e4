"""Claims about Gaussians per place: sums add up, distances by hand, hostile places."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.errors import InputError
from gmmseg.image.aligned_layer import AlignedLayer
from gmmseg.image.place_sums import PlaceSums


def sums_of(grids):
    sums = PlaceSums.none(grids[0])
    for features in grids:
        sums = sums.with_image(features)
    return sums


def test_sums_give_mean_and_variance_of_every_place(rng):
    grids = rng.normal(size=(9, 4, 5, 3)).astype(np.float32) + 100
    statistics = sums_of(grids).statistics
    assert_allclose(statistics.new_means().reshape(4, 5, 3), grids.mean(axis=0), rtol=1e-5)
    assert_allclose(statistics.new_scatter().reshape(4, 5, 3), grids.var(axis=0), atol=1e-3)


def test_within_covariance_is_that_about_the_means_of_the_places(rng):
    grids = rng.normal(size=(9, 4, 5, 3)).astype(np.float32)
    dev = (grids - grids.mean(axis=0)).reshape(-1, 3)
    assert_allclose(sums_of(grids).within(), dev.T @ dev / len(dev), atol=1e-6)


def test_sums_of_parts_are_those_of_the_whole(rng):
    grids = rng.normal(size=(6, 2, 3, 2)).astype(np.float32)
    origin = PlaceSums.none(grids[0])
    first = origin.with_image(grids[0]).with_image(grids[1])
    rest = origin
    for features in grids[2:]:
        rest = rest.with_image(features)
    both, whole = first + rest, sums_of(grids)
    assert_allclose(both.statistics.dev2_sum, whole.statistics.dev2_sum)
    assert_allclose(both.cross, whole.cross)


def test_what_is_usual_elsewhere_is_strange_here(rng):
    place = np.array([0.0, 5.0])[np.newaxis, :, np.newaxis]
    grids = (place + 0.1 * rng.normal(size=(30, 4, 2, 1))).astype(np.float32)
    layer = AlignedLayer(sums_of(grids))
    distances = layer.distances(np.full((4, 2, 1), 5.0, dtype=np.float32))
    assert distances[:, 0].min() > 1000
    assert distances[:, 1].max() < 20


def test_distances_of_normal_images_average_to_the_number_of_features(rng):
    grids = rng.normal(size=(400, 3, 3, 4)).astype(np.float32) * [1, 10, 0.1, 3]
    layer = AlignedLayer(sums_of(grids.astype(np.float32)))
    new = rng.normal(size=(200, 3, 3, 4)) * [1, 10, 0.1, 3]
    mean = np.mean([layer.distances(one.astype(np.float32)).mean() for one in new])
    assert abs(mean - 4) < 0.2


def test_the_error_of_a_mean_of_few_images_counts_by_hand():
    # One feature that was 0 and 2 at both places: mean 1, variance 1; a mean of two is off by 1/2.
    layer = AlignedLayer(sums_of(np.array([0.0, 2.0]).repeat(2).reshape(2, 1, 2, 1)))
    assert_allclose(layer.distances(np.full((1, 2, 1), 4.0)), [[6.0, 6.0]], rtol=1e-6)


@pytest.mark.parametrize("n_times", [2, 5, 50])
def test_the_error_of_the_mean_falls_as_one_over_the_number_of_images(rng, n_times):
    grids = rng.normal(size=(4, 3, 5, 3)).astype(np.float32)
    # Equal variances at all places, so that no place is drawn towards the others.
    grids = (grids - grids.mean(axis=0)) / grids.std(axis=0)
    once, often = (
        AlignedLayer(sums_of(grids)),
        AlignedLayer(sums_of(np.tile(grids, (n_times, 1, 1, 1)))),
    )
    new = rng.normal(size=(3, 5, 3)).astype(np.float32)
    ratio = (1.0 + 1.0 / 4.0) / (1.0 + 1.0 / (4.0 * n_times))
    assert_allclose(often.distances(new), ratio * once.distances(new), rtol=1e-4)


def test_shrinking_correlations_leaves_the_sum_of_variances_and_single_features_alone(rng):
    grids = (rng.normal(size=(40, 3, 4, 3)) @ rng.normal(size=(3, 3))).astype(np.float32)
    layer = AlignedLayer(sums_of(grids))
    values, _ = layer._spectrum
    assert_allclose(values.sum(), 3.0, rtol=1e-6)
    one = AlignedLayer(layer.sums.of_features(slice(0, 1)))
    new = rng.normal(size=(3, 4, 1)).astype(np.float32)
    dev = (new.reshape(-1, 1) - one.mean) / one.deviation
    assert_allclose(one.distances(new).ravel(), dev[:, 0] ** 2, rtol=1e-5)


def test_an_image_of_weight_three_counts_as_three(rng):
    grids = rng.normal(size=(5, 3, 4, 2)).astype(np.float32)
    weighted = AlignedLayer(sums_of(grids[:4])).adapted(grids[4], weight=3.0)
    repeated = AlignedLayer(sums_of(grids[[0, 1, 2, 3, 4, 4, 4]]))
    new = rng.normal(size=(3, 4, 2)).astype(np.float32)
    assert_allclose(weighted.distances(new), repeated.distances(new), rtol=1e-5)


@pytest.mark.parametrize("n_images", [1, 2, 5])
def test_identical_images_have_finite_distances(n_images):
    layer = AlignedLayer(sums_of(np.full((n_images, 3, 3, 2), 7.0, dtype=np.float32)))
    same = layer.distances(np.full((3, 3, 2), 7.0, dtype=np.float32))
    other = layer.distances(np.full((3, 3, 2), 8.0, dtype=np.float32))
    assert np.isfinite(other).all()
    assert same.max() < other.min()


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("shape_and_count", lambda a: a * [1, 2, 1], "a layer of 3 x 8 places has 12 of them"),
        ("shape_and_count", lambda a: a * [-1, -1, 1], "a layer of -3 x -4 places has 12 of them"),
        (
            "shape_and_count",
            lambda a: a * [1, 1, 0],
            "a layer must have seen 1 image or more, got 0",
        ),
        (
            "dev_sum",
            lambda a: a[1:],
            "the sums of a layer must have shape (12, 2), got (11, 2) and (12, 2)",
        ),
        ("dev2_sum", lambda a: a * np.inf, "the sums of a layer must be finite"),
        (
            "cross",
            lambda a: a[1:],
            "the products of a layer must be symmetric, of 2 features, got shape (1, 2)",
        ),
        (
            "cross",
            lambda a: np.tril(a + 1.0),
            "the products of a layer must be symmetric, of 2 features, got shape (2, 2)",
        ),
    ],
)
def test_arrays_that_are_no_layer_are_refused(rng, name, change, words):
    arrays = AlignedLayer(sums_of(rng.normal(size=(3, 3, 4, 2)).astype(np.float32))).arrays()
    AlignedLayer.of_arrays(arrays)
    with pytest.raises(InputError, match=f"^{re.escape(words)}$"):
        AlignedLayer.of_arrays(arrays | {name: change(arrays[name])})


def test_another_size_is_refused(rng):
    layer = AlignedLayer(sums_of(rng.normal(size=(3, 4, 4, 2)).astype(np.float32)))
    with pytest.raises(InputError, match=r"image has 5 x 4 places, .* 4 x 4; resize it"):
        layer.distances(np.zeros((5, 4, 2), dtype=np.float32))
