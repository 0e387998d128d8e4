"""Law: responsibilities sum to one, and labels and scores follow from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, expectation
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

SEEDS = st.integers(0, 2**32 - 1)


def estimator(parameters):
    return GaussianMixture.from_parameters(
        parameters.weights,
        parameters.means,
        parameters.covariances,
        covariance_type=parameters.covariance_type,
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(
    seed=SEEDS,
    spread=st.sampled_from([0.0, 1.0, 100.0, 1e6]),
    covariance_type=st.sampled_from(COVARIANCE_TYPES),
)
@settings(max_examples=25)
def test_responsibilities_sum_to_one_wherever_the_samples_lie(dtype, seed, spread, covariance_type):
    rng = np.random.default_rng(seed)
    parameters = random_mixture(rng, covariance_type, n_components=4, spread=spread)
    X = (spread * rng.normal(size=(50, 2))).astype(dtype)
    resp = estimator(parameters).predict_proba(X)
    assert_allclose(resp.sum(axis=1), 1.0, rtol=4 * np.finfo(dtype).eps)
    assert (resp >= 0.0).all()


@given(seed=SEEDS, covariance_type=st.sampled_from(COVARIANCE_TYPES))
@settings(max_examples=15)
def test_the_responsibilities_of_a_table_sum_to_its_weight(seed, covariance_type):
    rng = np.random.default_rng(seed)
    parameters = random_mixture(rng, covariance_type)
    X, weight = draw(rng, parameters, 40), rng.uniform(size=40)
    assert expectation(X, parameters, weight).weight_sum == pytest.approx(weight.sum(), rel=1e-12)
    assert_allclose(
        expectation(X, parameters).resp_sum,
        estimator(parameters).predict_proba(X).sum(axis=0),
        rtol=1e-12,
    )


@given(seed=SEEDS, covariance_type=st.sampled_from(COVARIANCE_TYPES))
@settings(max_examples=15)
def test_the_log_likelihood_is_the_sum_of_the_scores(seed, covariance_type):
    rng = np.random.default_rng(seed)
    parameters = random_mixture(rng, covariance_type)
    X = draw(rng, parameters, 40)
    scores = estimator(parameters).score_samples(X)
    assert expectation(X, parameters).log_likelihood == pytest.approx(scores.sum(), rel=1e-12)


def test_the_density_integrates_to_one(rng):
    parameters = random_mixture(rng, "full", n_features=2, spread=1.0)
    axis = np.linspace(-15.0, 15.0, 301)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(estimator(parameters).score_samples(grid))
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-6)


def test_labels_are_the_largest_responsibility(rng):
    parameters = random_mixture(rng, "full", n_components=4)
    X = draw(rng, parameters, 300)
    mixture = estimator(parameters)
    assert_array_equal(mixture.predict(X), mixture.predict_proba(X).argmax(axis=1))
