"""Claims about the tree of merged samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, hierarchical
from gmmseg.core.hierarchical import merge_tree
from gmmseg.core.initialization import label_source, subsample

SEEDS = st.integers(0, 2**32 - 1)


def sorted_rows(X):
    rows, times = np.unique(X, axis=0, return_counts=True)
    return rows, times.astype(float)


def naive_ward(points, share):
    """Return the merges of Ward's method, every sum of squares computed anew."""
    groups = {i: [i] for i in range(len(points))}

    def spread(members):
        mean = np.average(points[members], axis=0, weights=share[members])
        return (share[members] @ (points[members] - mean) ** 2).sum()

    merges = []
    while len(groups) > 1:
        pairs = [(a, b) for a in groups for b in groups if a < b]
        growth = [
            spread(groups[a] + groups[b]) - spread(groups[a]) - spread(groups[b]) for a, b in pairs
        ]
        a, b = pairs[int(np.argmin(growth))]
        groups[a] += groups.pop(b)
        merges.append((a, b))
    return merges


def naive_gaussian(points, share, labels, width):
    """Return the merges of the Gaussian criterion, every determinant computed anew."""
    groups = {g: np.flatnonzero(labels == g).tolist() for g in range(labels.max() + 1)}

    def cost(members):
        dev = points[members] - np.average(points[members], axis=0, weights=share[members])
        mass = share[members].sum()
        covariance = dev.T @ (share[members, None] * dev) / mass + width * np.eye(points.shape[1])
        return mass * np.log(np.linalg.det(covariance))

    merges = []
    while len(groups) > 1:
        pairs = [(a, b) for a in groups for b in groups if a < b]
        fall = [cost(groups[a] + groups[b]) - cost(groups[a]) - cost(groups[b]) for a, b in pairs]
        a, b = pairs[int(np.argmin(fall))]
        groups[a] += groups.pop(b)
        merges.append((a, b))
    return merges


@given(seed=SEEDS, n_features=st.integers(1, 3))
@settings(max_examples=10)
def test_merges_are_those_of_plain_loops(seed, n_features):
    rng = np.random.default_rng(seed)
    points, share = rng.normal(size=(15, n_features)), rng.dirichlet(np.ones(15))
    found = list(hierarchical._merged(hierarchical._WardGroups(points, share), 14))
    assert found == naive_ward(points, share)
    labels = np.r_[np.arange(6), rng.integers(0, 6, 9)]
    groups = hierarchical._GaussianGroups(points, share, labels)
    found = list(hierarchical._merged(groups, 5))
    assert found == naive_gaussian(points, share, labels, groups.width)


def test_three_heaps_are_three_groups_and_the_nearest_two_are_joined_first():
    X = np.array([[0.0], [0.1], [1.0], [1.1], [9.0], [9.1]])
    tree = merge_tree(X, np.ones(6))
    assert_array_equal(tree.labels(3), [0, 0, 1, 1, 2, 2])
    assert_array_equal(tree.labels(2), [0, 0, 0, 0, 1, 1])
    assert_array_equal(tree.labels(1), np.zeros(6))
    assert_array_equal(tree.labels(6), np.arange(6))
    assert_array_equal(tree.labels(99), np.arange(6))


@given(seed=SEEDS, n_rows=st.integers(1, 60), n_features=st.integers(1, 4))
@settings(max_examples=25)
def test_fewer_groups_are_unions_of_more(seed, n_rows, n_features):
    rng = np.random.default_rng(seed)
    tree = merge_tree(*sorted_rows(rng.integers(0, 5, size=(n_rows, n_features)).astype(float)))
    n = len(tree.rows)
    assert tree.merges.shape == (n - 1, 2)
    finer = tree.labels(n)
    for n_groups in range(n, 0, -1):
        labels = tree.labels(n_groups)
        assert_array_equal(np.unique(labels), np.arange(n_groups))
        assert len(np.unique(np.c_[finer, labels], axis=0)) == len(np.unique(finer))
        finer = labels


def test_long_groups_side_by_side_are_told_apart(rng):
    # Sums of squares would cut both in two.
    long = rng.normal(size=(400, 2)) * [10.0, 0.1] + np.repeat([[0.0, -2.0], [0.0, 2.0]], 200, 0)
    rows, weight = sorted_rows(long)
    agree = (merge_tree(rows, weight).labels(2) == (rows[:, 1] > 0.0)).mean()
    assert max(agree, 1.0 - agree) > 0.98


@pytest.mark.parametrize("scale", [1e-12, [1e-3, 1e6], 1e12])
def test_units_do_not_matter(rng, scale):
    rows, weight = sorted_rows(rng.normal(size=(150, 2)) + 5.0 * rng.integers(0, 2, (150, 1)))
    here, there = merge_tree(rows, weight), merge_tree(rows * scale, weight)
    for n_groups in (2, 3, 7):
        assert_array_equal(there.labels(n_groups), here.labels(n_groups))


def test_a_weight_is_a_repetition(rng):
    X = rng.normal(size=(60, 2))
    times = rng.integers(1, 4, size=60)
    weighted = merge_tree(*subsample(X, times.astype(float), rng))
    repeated = merge_tree(*subsample(X.repeat(times, axis=0), None, rng))
    assert_array_equal(weighted.labels(4), repeated.labels(4))
    assert_allclose(weighted.weight, repeated.weight)


def test_more_samples_than_a_tree_holds_are_thinned_out_by_weight(rng, monkeypatch):
    monkeypatch.setattr(hierarchical, "MOST_ROWS", 50)
    rows, weight = sorted_rows(rng.normal(size=(400, 2)))
    weight[7] = 100.0
    tree = merge_tree(rows, weight)
    assert len(tree.rows) <= 50
    assert tree.weight.sum() == pytest.approx(weight.sum())
    # 100 of 499 fall to the heavy row, in steps of 499 / 50.
    heavy = tree.weight[(tree.rows == rows[7]).all(axis=1)]
    assert heavy == pytest.approx([100.0], abs=499 / 50)


def test_the_tree_is_made_once_for_all_numbers_of_groups(rng, monkeypatch):
    calls = []

    def counted(X, weight):
        calls.append(len(X))
        return merge_tree(X, weight)

    monkeypatch.setattr("gmmseg.core.initialization.merge_tree", counted)
    source = label_source(rng.normal(size=(40, 2)), np.ones(40), method="hierarchical", rng=rng)
    assert [source(n)[2].max() + 1 for n in (1, 2, 5)] == [1, 2, 5]
    assert calls == [40]


def test_the_hierarchical_start_knows_no_chance(rng):
    X = rng.normal(size=(200, 2)) + 4.0 * rng.integers(0, 3, (200, 1))
    first, second = (
        GaussianMixture(3, init_params="hierarchical", random_state=seed, n_init=3).fit(X)
        for seed in (0, 1)
    )
    assert_array_equal(first.means_, second.means_)
