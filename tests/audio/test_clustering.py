import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.clustering import independent_sights, merge_clusters
from gmmseg.audio.clustering_blocks import cluster_windows
from gmmseg.audio.clustering_number import cluster_speakers, odd_one_out
from gmmseg.audio.plda import PLDA
from tests import naive


def plda_of(n_dims, phi):
    eye = np.eye(n_dims)
    return PLDA(np.zeros(n_dims), eye, np.zeros(n_dims), eye, np.full(n_dims, phi))


def voices(rng, *, n_speakers=3, n_windows=60, n_dims=8, phi=9.0):
    """Return windows of speakers in turns of five, how much each counts, and who speaks."""
    means = np.sqrt(phi) * rng.normal(size=(n_speakers, n_dims))
    truth = np.arange(n_windows) // 5 % n_speakers
    return means[truth] + rng.normal(size=(n_windows, n_dims)), np.ones(n_windows), truth


def renumbered(labels):
    """Return labels as numbers by first appearance."""
    seen = list(dict.fromkeys(labels))
    return [seen.index(label) for label in labels]


def test_more_windows_are_worth_more_but_each_less_and_in_the_end_nothing():
    sights = independent_sights([1.0, 32.0, 1024.0, 1e9])
    assert_allclose(sights, [0.4, 1.6, 3.0, 3.0])


def test_hours_of_the_same_do_not_make_two_voices_of_two_moods():
    plda, far = plda_of(8, 9.0), np.eye(2, 8)

    def number(distance, count):
        found = merge_clusters(distance * far, np.full(2, count), plda, threshold=-1.5)
        return int(found.max()) + 1

    distances = np.linspace(0.0, 8.0, 81)
    after_minutes = [number(distance, 200.0) for distance in distances]
    assert set(after_minutes) == {1, 2}
    assert [number(distance, 20_000.0) for distance in distances] == after_minutes
    assert [number(distance, 20.0) for distance in distances] != after_minutes


@pytest.mark.parametrize("limits", [{}, {"most": 2}, {"most": 5}])
def test_merging_agrees_with_plain_loops(rng, limits):
    X, counts, _ = voices(rng, n_windows=25, phi=3.0)
    counts = rng.uniform(0.2, 1.0, size=25)
    plda = plda_of(8, 3.0)
    found = merge_clusters(X, counts, plda, threshold=-1.0, **limits)
    expected = naive.merged_clusters(
        X, counts, plda, threshold=-1.0, sights=independent_sights, **limits
    )
    assert_array_equal(found, expected)


def test_speakers_that_differ_are_found_and_counted(rng):
    X, counts, truth = voices(rng)
    found = merge_clusters(X, counts, plda_of(8, 9.0), threshold=-2.0)
    assert_array_equal(found, truth)


def test_the_order_of_windows_does_not_matter(rng):
    X, counts, _ = voices(rng, phi=2.0)
    order = rng.permutation(len(X))
    plda = plda_of(8, 2.0)
    whole = merge_clusters(X, counts, plda, threshold=0.0)
    shuffled = merge_clusters(X[order], counts[order], plda, threshold=0.0)
    assert renumbered(whole[order]) == list(shuffled)


def test_one_voice_is_one_cluster(rng):
    X, counts, _ = voices(rng, n_speakers=1)
    assert_array_equal(merge_clusters(X, counts, plda_of(8, 9.0), threshold=-2.0), np.zeros(60))


def test_blocks_find_what_the_whole_finds(rng):
    X, counts, truth = voices(rng, n_windows=120)
    found = cluster_windows(X, counts, plda_of(8, 9.0), threshold=-2.0, n_in_block=25)
    assert_array_equal(found, truth)


def test_one_block_is_the_whole(rng):
    X, counts, _ = voices(rng, phi=1.0)
    plda = plda_of(8, 1.0)
    whole = merge_clusters(X, counts, plda, threshold=0.0)
    assert_array_equal(cluster_windows(X, counts, plda, threshold=0.0, n_in_block=60), whole)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
def test_a_number_that_is_given_is_found(rng, number):
    X, counts, _ = voices(rng)
    found = cluster_speakers(X, counts, plda_of(8, 9.0), least=number, most=number)
    assert_array_equal(np.unique(found), np.arange(number))


def test_more_speakers_than_windows_are_as_many_as_windows(rng):
    X, counts, _ = voices(rng, n_windows=3)
    assert set(cluster_speakers(X, counts, plda_of(8, 9.0), least=9)) == {0, 1, 2}


def test_who_is_not_heard_takes_little_from_who_is(rng):
    X, counts, _ = voices(rng, n_speakers=1)
    found = cluster_speakers(X, counts, plda_of(8, 9.0), least=2, most=2)
    assert np.bincount(found).min() == 1


def test_the_odd_one_out_is_the_farthest_window(rng):
    X = 0.1 * rng.normal(size=(20, 4))
    X[13] += 5.0
    labels = np.zeros(20, dtype=np.intp)
    assert odd_one_out(X, np.ones(20), labels, plda_of(4, 9.0)) == 13
