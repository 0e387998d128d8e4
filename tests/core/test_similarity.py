"""Similarity: which components are near, which pair one merges first, and what it costs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters, Similarity
from gmmseg.core.merging import reduced
from tests.mixtures import COVARIANCE_TYPES, random_mixture


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_matrices_are_symmetric_and_each_component_is_itself(rng, covariance_type):
    similarity = Similarity.of(random_mixture(rng, covariance_type, n_components=4))
    for name, itself in [
        ("bhattacharyya", 0),
        ("symmetric_kl", 0),
        ("merge_cost", 0),
        ("overlap", 1),
    ]:
        matrix = getattr(similarity, name)
        assert_array_equal(matrix, matrix.T)
        assert_array_equal(np.diag(matrix), [itself] * 4)
        apart = matrix[~np.eye(4, dtype=bool)]
        assert ((apart > 0) & np.isfinite(apart)).all()
    assert (similarity.overlap <= 1).all()


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_order_of_components_does_not_matter(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_components=4)
    order = np.array([2, 0, 3, 1])
    one, other = Similarity.of(parameters), Similarity.of(parameters.subset(order))
    for name in ("bhattacharyya", "symmetric_kl", "merge_cost", "overlap"):
        expected = getattr(one, name)[np.ix_(order, order)]
        assert_allclose(getattr(other, name), expected, atol=1e-12)
    assert sorted(order[list(other.nearest_pair)]) == sorted(one.nearest_pair)


def test_overlap_bounds_the_error_of_whoever_tells_two_components_apart():
    pair = MixtureParameters([0.5, 0.5], [[-1.0], [1.0]], [1.0, 1.0], covariance_type="spherical")
    bound = 0.5 * Similarity.of(pair).overlap[0, 1]
    # By a table of the normal distribution half of it lies beyond 1 in 15.87 % of the cases.
    assert_allclose(bound, 0.5 * np.exp(-0.5))
    assert 0.1587 < bound < 0.32


def test_the_nearest_pair_is_near_and_in_use():
    means = [[0.0], [5.0], [5.1], [9.0], [10.0]]
    mixture = GaussianMixture.from_parameters(
        [0.3, 0.3, 0.0, 0.2, 0.2], means, np.ones(5), covariance_type="spherical"
    )
    assert mixture.similarity().nearest_pair == (3, 4)
    assert mixture.similarity().merge_cost[2].tolist() == [0.0] * 5


@pytest.mark.parametrize("weights", [[1.0], [0.0, 1.0]])
def test_one_component_has_no_nearest_pair(weights):
    n = len(weights)
    one = MixtureParameters(weights, np.zeros((n, 1)), np.ones(n), covariance_type="spherical")
    assert Similarity.of(one).nearest_pair is None


def test_merges_name_every_component_until_one_is_left(rng):
    parameters = random_mixture(rng, n_components=5)
    similarity = Similarity.of(parameters)
    merges = similarity.merges
    assert len(merges) == 4
    assert sorted(merges[-1].first + merges[-1].second) == [0, 1, 2, 3, 4]
    apart = similarity.merge_cost + np.diag([np.inf] * 5)
    assert_allclose(merges[0].cost, apart.min())
    assert apart[merges[0].first[0], merges[0].second[0]] == apart.min()
    for n_components in (4, 3, 2):
        step = Similarity.of(reduced(parameters, n_components)).merges[0]
        assert_allclose(step.cost, merges[5 - n_components].cost)
