"""Claims about drawn samples."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.sampling import draw_samples
from tests.mixtures import COVARIANCE_TYPES, random_mixture, spelled_out


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_many_draws_have_the_moments_of_their_component(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type)
    X, labels = draw_samples(parameters, 200_000, np.random.RandomState(1))
    counts = np.bincount(labels)
    assert_allclose(counts / 200_000, parameters.weights, atol=0.005)
    for k, covariance in enumerate(spelled_out(parameters)):
        mine = X[labels == k]
        # Five standard errors.
        allowed = 5.0 * np.sqrt(covariance.max() / counts[k])
        assert_allclose(mine.mean(axis=0), parameters.means[k], atol=allowed)
        allowed = 8.0 * covariance.max() / np.sqrt(counts[k])
        assert_allclose(np.cov(mine.T, bias=True), covariance, atol=allowed)


def test_samples_come_one_component_after_the_other(rng):
    X, labels = draw_samples(random_mixture(rng), 50, np.random.RandomState(0))
    assert X.shape == (50, 2)
    assert_array_equal(labels, np.sort(labels))


def test_the_same_generator_state_draws_the_same_samples(rng):
    parameters = random_mixture(rng)
    one, other = (draw_samples(parameters, 20, np.random.RandomState(3)) for _ in range(2))
    assert_array_equal(one[0], other[0])
    assert_array_equal(one[1], other[1])
