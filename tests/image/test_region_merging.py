import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.region_merging import Stop, _Merging, merge_regions, region_statistics
from gmmseg.image.superpixels import Borders

CHAIN = np.array([[0, 1], [1, 2], [2, 3]])


def chain(strengths=(0.1, 0.1, 0.1)):
    """Return the borders of four regions in a row, each 10 pixels long."""
    return Borders(CHAIN, np.full(3, 10.0), 10.0 * np.array(strengths))


def four_regions(rng, means):
    """Return samples around four means, 50 each, and their labels."""
    labels = np.repeat(np.arange(1, 5, dtype=np.int32), 50)
    return rng.normal(size=(200, 2)) + np.array(means)[labels - 1, None], labels


def test_statistics_are_plain_sums_about_the_mean_of_all(rng):
    X, labels = four_regions(rng, [0, 1, 2, 3])
    statistics = region_statistics(X, labels)
    for k in range(4):
        own = X[labels == k + 1]
        assert statistics.resp_sum[k] == len(own)
        assert_allclose(statistics.new_means()[k], own.mean(axis=0))
        assert_allclose(statistics.new_scatter()[k], np.cov(own.T, bias=True))


def test_merged_regions_have_the_statistics_of_their_samples(rng):
    X, labels = four_regions(rng, [1e6, 1e6 + 1, 1e6 + 9, 1e6 + 20])
    merging = _Merging(region_statistics(X, labels), chain())
    merging.merge_cheapest()
    direct = region_statistics(X, np.where(labels == 2, 1, labels).astype(np.int32))
    assert merging.n_regions == 3
    assert_array_equal(merging.roots(), [0, 0, 2, 3])
    assert_allclose(merging._sums[0][0], direct.resp_sum[0])
    assert_allclose(merging._sums[1][0], direct.dev_sum[0], rtol=1e-9)
    assert_allclose(merging._sums[2][0], direct.dev2_sum[0], rtol=1e-9)
    assert_allclose(merging._gaussians.means[0], X[labels <= 2].mean(axis=0))


def test_merging_again_costs_what_it_costs_from_the_start(rng):
    X, labels = four_regions(rng, [0, 1, 9, 20])
    merging = _Merging(region_statistics(X, labels), chain((0.0, 0.1, 0.2)))
    merging.merge_cheapest()
    joined = np.array([0, 1, 1, 2, 3], dtype=np.int32)[labels]
    borders = Borders(np.array([[0, 1], [1, 2]]), np.full(2, 10.0), np.array([1.0, 2.0]))
    again = _Merging(region_statistics(X, joined), borders)
    again._edge_weight = merging._edge_weight  # relative to the borders at the start
    again._costs.clear()
    again._heap.clear()
    for region in range(2):
        again._reckon(region, [region + 1])
    assert_allclose(sorted(merging._costs.values()), sorted(again._costs.values()))


def test_the_most_alike_neighbours_merge_first(rng):
    statistics = region_statistics(*four_regions(rng, [0, 40, 41, 90]))
    assert_array_equal(merge_regions(statistics, chain(), Stop(n_regions=3)), [0, 1, 1, 2])


def test_among_alike_regions_the_weakest_edge_goes_first(rng):
    X = np.tile(rng.normal(size=(50, 2)), (4, 1))
    statistics = region_statistics(X, np.repeat(np.arange(1, 5, dtype=np.int32), 50))
    borders = chain((0.3, 0.2, 0.1))
    assert_array_equal(merge_regions(statistics, borders, Stop(n_regions=3)), [0, 1, 2, 2])
    assert_array_equal(merge_regions(statistics, borders, Stop(n_regions=2)), [0, 1, 1, 1])


def test_among_equal_pairs_the_smaller_region_goes_first():
    sizes = [40, 40, 5, 40]
    labels = np.repeat(np.arange(1, 5, dtype=np.int32), sizes)
    statistics = region_statistics(np.zeros((125, 1)), labels)
    merged = merge_regions(statistics, chain((0.1, 0.1, 0.3)), Stop(n_regions=3))
    assert_array_equal(merged, [0, 1, 1, 2])


def test_borders_with_a_common_neighbour_are_joined_by_length():
    # 0 and 1 merge first; with 2 they then share 10 + 30 pixels, whose strength is 0.8 on average.
    statistics = region_statistics(np.zeros((90, 1)), np.repeat(np.int32([1, 2, 3]), 30))
    lengths, strengths = np.array([5.0, 10.0, 30.0]), np.array([0.0, 0.2, 1.0])
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    merging = _Merging(statistics, Borders(pairs, lengths, lengths * strengths))
    merging.merge_cheapest()
    size = (30 / 5000) ** 0.15
    assert_allclose(merging.cheapest_cost(), merging._edge_weight * 0.8 * size)


def test_merging_stops_before_the_cost(rng):
    statistics = region_statistics(*four_regions(rng, [0, 0.1, 90, 90.1]))
    assert_array_equal(merge_regions(statistics, chain(), Stop(cost=3.0)), [0, 0, 1, 1])
    assert_array_equal(merge_regions(statistics, chain(), Stop(cost=1e-9)), [0, 1, 2, 3])
    assert_array_equal(merge_regions(statistics, chain(), Stop()), [0, 0, 0, 0])


def test_regions_that_do_not_touch_never_merge():
    statistics = region_statistics(np.zeros((4, 1)), np.array([1, 1, 2, 3], dtype=np.int32))
    apart = Borders(np.array([[0, 2]]), np.ones(1), np.ones(1))
    assert_array_equal(merge_regions(statistics, apart, Stop()), [0, 1, 0])


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_even_and_far_regions_give_finite_costs(scale):
    X = scale * np.repeat([[1.0, 2.0], [3.0, 3.0], [3.0, 3.0]], 5, axis=0)
    labels = np.repeat(np.arange(1, 4, dtype=np.int32), 5)
    borders = Borders(np.array([[0, 1], [1, 2]]), np.ones(2), np.zeros(2))
    merging = _Merging(region_statistics(X, labels), borders)
    assert np.isfinite(list(merging._costs.values())).all()


def test_merging_changes_none_of_its_inputs(rng):
    statistics = region_statistics(*four_regions(rng, [0, 1, 2, 3]))
    before = statistics.dev2_sum.copy()
    merge_regions(statistics, chain(), Stop())
    assert_array_equal(statistics.dev2_sum, before)
