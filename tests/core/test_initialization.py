"""Claims about where EM begins."""

import re
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import initialization
from gmmseg.core.kernel_distances import gather_nearest
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import COVARIANCE_TYPES, SEARCHED_TYPES, draw, random_mixture


def heaps(rng, n_heaps=4, n_each=30):
    """Return well-separated heaps on a line of 2-D points, and the heap of each sample."""
    labels = np.repeat(np.arange(n_heaps), n_each)
    return rng.normal(size=(len(labels), 2)) + 50.0 * labels[:, None], labels


def test_nearest_center_is_the_naive_one_with_ties_to_the_first(rng):
    X, centers = rng.normal(size=(57, 3)), rng.normal(size=(5, 3))
    centers[4] = centers[1]
    assert_array_equal(initialization.nearest_center(X, centers), naive.nearest_center(X, centers))


def test_a_small_table_is_its_own_subsample_sorted_and_merged(rng):
    X = np.array([[2.0, 0.0], [1.0, 0.0], [2.0, 0.0], [9.0, 9.0]], np.float32)
    sample, weight = initialization.subsample(X, np.array([1.0, 2.0, 3.0, 0.0]), rng)
    assert_array_equal(sample, [[1.0, 0.0], [2.0, 0.0]])
    assert_array_equal(weight, [2.0, 4.0])
    assert sample.dtype == np.float64


@pytest.mark.parametrize("has_twins", [False, True])
def test_rows_are_merged_alike_whether_or_not_some_are_equal(rng, has_twins):
    rows = rng.integers(0, 3, size=(50, 5)).astype(float)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    if not has_twins:
        rows[:, 1] = rng.permutation(50)
    weight = rng.random(50)
    sample, merged = initialization.merged_rows(rows, weight)
    keys = [tuple(row) for row in np.nan_to_num(rows, nan=np.inf).tolist()]
    wanted = sorted(set(keys))
    assert (len(wanted) < 50) == has_twins
    assert_array_equal(np.nan_to_num(sample, nan=np.inf), wanted)
    wanted_weight = [weight[[other == key for other in keys]].sum() for key in wanted]
    assert_allclose(merged, wanted_weight, rtol=1e-14)


def test_a_large_table_is_cut_to_twenty_thousand_rows_of_positive_weight(rng):
    X = np.arange(50_000.0)[:, None]
    weight = np.ones(50_000)
    weight[::2] = 0.0
    sample, its_weight = initialization.subsample(X, weight, rng)
    assert len(sample) == len(its_weight) <= 20_000
    assert (sample % 2 == 1).all()
    assert its_weight.sum() == pytest.approx(25_000)


def test_a_large_table_without_weights_is_cut_to_at_most_twenty_thousand_rows(rng):
    sample, weight = initialization.subsample(np.arange(50_000.0)[:, None], None, rng)
    assert 15_000 < len(np.unique(sample)) == len(sample) <= 20_000
    assert weight.sum() == pytest.approx(50_000)


def test_rows_are_drawn_by_weight_across_blocks_and_never_without_weight(rng):
    weight = np.zeros(200_000)
    weight[::4] = 1.0
    weight[150_000] = 50_000.0
    sample, its_weight = initialization.subsample(np.arange(200_000.0)[:, None], weight, rng)
    assert (sample % 4 == 0).all()
    assert sample.max() > 150_000 > sample.min()
    assert its_weight[sample[:, 0] == 150_000] / its_weight.sum() == pytest.approx(0.5, abs=0.02)


def test_a_subsample_takes_the_same_memory_for_any_number_of_samples(rng):
    def peak(n_samples):
        X, weight = np.zeros((n_samples, 1), dtype=np.float32), np.ones(n_samples)
        tracemalloc.start()
        initialization.subsample(X, weight, rng)
        initialization.subsample(X, None, rng)
        _, size = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size

    assert peak(2_000_000) < 1.1 * peak(200_000)


def test_heavy_samples_are_drawn_in_proportion_to_their_weight(rng):
    X = np.arange(50_000.0)[:, None]
    weight = np.where(X[:, 0] == 7.0, 50_000.0, 1.0)
    sample, its_weight = initialization.subsample(X, weight, rng)
    assert its_weight[sample[:, 0] == 7.0] / its_weight.sum() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_k_means_plus_plus_finds_separate_heaps(seed):
    X, heap = heaps(np.random.default_rng(seed))
    labels = initialization.kmeans_labels(X, np.ones(len(X)), 4, np.random.default_rng(seed))
    assert len({(a, b) for a, b in zip(labels, heap, strict=True)}) == 4


def test_k_means_plus_plus_centers_are_samples_far_from_one_another(rng):
    X, _ = heaps(rng)
    centers = initialization.kmeans_plus_plus(X, np.ones(len(X)), 4, rng)
    assert all((center == X).all(axis=1).any() for center in centers)
    distances = np.linalg.norm(centers[:, None] - centers, axis=2)[np.triu_indices(4, 1)]
    assert distances.min() > 40.0


def test_k_means_plus_plus_gives_fewer_centers_when_fewer_samples_differ(rng):
    X = np.array([[0.0], [0.0], [1.0]])
    assert len(initialization.kmeans_plus_plus(X, np.ones(3), 7, rng)) == 2


def test_k_means_plus_plus_never_draws_a_sample_of_weight_zero(rng):
    X = np.arange(6.0)[:, None]
    weight = np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    for _ in range(20):
        centers = initialization.kmeans_plus_plus(X, weight, 6, rng)
        assert_array_equal(np.sort(centers.ravel()), [0.0, 3.0])


class FixedChance:
    """A generator that draws what a test wants it to."""

    def choice(self, _n, _size, *, p):
        return np.flatnonzero(p)[:1]

    def random(self, _size):
        return np.array([0.005, 0.9])


def test_k_means_plus_plus_keeps_the_best_of_its_draws():
    # From 0, the draws fall on 1 and on 10: a center at 10 leaves 1 of 101, one at 1 leaves 81.
    X = np.array([[0.0], [1.0], [10.0]])
    centers = initialization.kmeans_plus_plus(X, np.ones(3), 2, FixedChance())
    assert_array_equal(centers, [[0.0], [10.0]])


def test_k_means_moves_centers_to_the_weighted_middle():
    # From any start, two centers settle on {0, 1} and {10}: the labels say so.
    X, weight = np.array([[0.0], [1.0], [10.0]]), np.array([3.0, 1.0, 1.0])
    labels = initialization.kmeans_labels(X, weight, 2, np.random.default_rng(0))
    assert labels[0] == labels[1] != labels[2]


def test_k_means_does_not_depend_on_the_origin(rng):
    X, _ = heaps(rng, n_each=10)
    near = initialization.kmeans_labels(X, np.ones(40), 3, np.random.default_rng(5))
    far = initialization.kmeans_labels(X + 1e9, np.ones(40), 3, np.random.default_rng(5))
    assert_array_equal(near, far)


@pytest.mark.parametrize("n_features", [1, 3, 50])
def test_the_middle_of_a_group_is_taken_over_the_entries_that_are_there(rng, n_features):
    X, weight = rng.normal(size=(40, n_features)), rng.random(40)
    X[rng.random(X.shape) < 0.2] = np.nan
    centers, labels = rng.normal(size=(4, n_features)), np.empty(40, dtype=np.intp)
    mass, sums = np.zeros((4, n_features)), np.zeros((4, n_features))
    is_empty = np.isnan(X).all(axis=1)
    X[is_empty] = 0.0
    gather_nearest(X, weight, centers, labels, mass, sums)
    assert_array_equal(labels, initialization.nearest_center(X, centers))
    for k in range(4):
        mine = labels == k
        assert_allclose(mass[k], weight[mine] @ ~np.isnan(X[mine]), rtol=1e-12)
        assert_allclose(sums[k], weight[mine] @ np.nan_to_num(X[mine]), rtol=1e-11, atol=1e-14)


def test_random_labels_are_nearest_to_as_many_samples(rng):
    X, _ = heaps(rng)
    labels = initialization.random_labels(X, np.ones(len(X)), 5, rng)
    assert_array_equal(np.unique(labels), np.arange(5))


def test_random_labels_of_few_samples_are_fewer(rng):
    labels = initialization.random_labels(np.zeros((2, 1)), np.ones(2), 5, rng)
    assert_array_equal(labels, [0, 0])


@pytest.mark.parametrize("covariance_type", sorted(set(COVARIANCE_TYPES) - set(SEARCHED_TYPES)))
def test_parameters_from_labels_are_means_and_covariances_of_the_groups(rng, covariance_type):
    X, labels = draw(rng, random_mixture(rng, "full"), 60), rng.integers(0, 3, size=60)
    weight = rng.uniform(0.5, 2.0, size=60)
    found = initialization.parameters_from_labels(
        X, weight, labels, 3, covariance_type=covariance_type
    )
    weights, means, covariances = naive.maximization(X, np.eye(3)[labels], weight)
    assert_allclose(found.weights, weights, rtol=1e-12)
    assert_allclose(found.means, means, rtol=1e-12)
    wanted = naive.in_family(covariance_type, weights, covariances)
    assert_allclose(found.covariances, wanted, rtol=1e-8)


def test_a_label_nobody_has_is_a_wide_component_of_weight_zero(rng):
    X = rng.normal(size=(20, 2))
    found = initialization.parameters_from_labels(
        X, np.ones(20), np.zeros(20, dtype=int), 2, covariance_type="diag"
    )
    assert_array_equal(found.weights, [1.0, 0.0])
    assert_allclose(found.means[1], X.mean(axis=0))
    assert_allclose(found.covariances[1], X.var(axis=0), rtol=1e-5)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_spread_parameters_are_equal_components_of_this_variance(covariance_type):
    found = initialization.spread_parameters(
        np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([4.0, 4.0]), covariance_type
    )
    assert_array_equal(found.weights, [0.5, 0.5])
    assert_array_equal(found.component_variances, np.full((2, 2), 4.0))


def test_an_unknown_method_is_refused_with_the_known_ones(rng):
    message = "init_params must be one of k-means++, random, hierarchical, got 'kmeans'"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        initialization.initial_parameters(
            np.zeros((3, 1)), np.ones(3), 1, covariance_type="full", method="kmeans", rng=rng
        )


def test_samples_with_missing_entries_are_merged_too_and_empty_ones_left_out(rng):
    nan = float("nan")
    X = np.array([[nan, 1.0], [2.0, nan], [nan, nan], [nan, 1.0], [2.0, 0.0]])
    sample, weight = initialization.subsample(X, None, rng)
    assert_array_equal(sample, [[2.0, 0.0], [2.0, nan], [nan, 1.0]])
    assert_array_equal(weight, [1.0, 1.0, 2.0])


@pytest.mark.parametrize("method", ["kmeans_labels", "random_labels"])
def test_heaps_with_missing_entries_are_found_by_what_is_there(rng, method):
    X, heap = heaps(rng)
    X[::4, 0] = X[1::4, 1] = float("nan")
    found = getattr(initialization, method)(X, np.ones(len(X)), 4, np.random.default_rng(3))
    for label in np.unique(found):  # a heap may be cut in two by chance, or two be one
        assert np.ptp(heap[found == label]) <= 2
