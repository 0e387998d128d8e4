"""Laws of adaptation: no data is the prior, endless data is the data."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters, SufficientStatistics, expectation
from gmmseg.core.adaptation import adapted, standard_deviations_off, warn_if_far
from gmmseg.core.mstep import maximize
from gmmseg.core.noise import UniformNoise
from gmmseg.errors import GmmsegWarning, InputError
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture


def test_sixteen_samples_against_a_prior_of_sixteen_meet_in_the_middle():
    prior = MixtureParameters([1.0], [[0.0]], [[1.0]], covariance_type="diag")
    statistics = expectation(np.full((16, 1), 2.0), prior)
    moved = adapted(prior, statistics, relevance_factor=16.0, floor=0.0)
    assert_allclose(moved.means, [[1.0]])
    # Half of (2 - 0)**2 and half of the variance 1, less the square of the new mean.
    assert_allclose(moved.covariances, [[1.5]])


def test_adapted_parameters_follow_the_equations_of_reynolds(rng):
    prior = random_mixture(rng, "diag")
    X = draw(rng, random_mixture(rng, "diag"), 60)
    statistics = expectation(X, prior)
    moved = adapted(prior, statistics, relevance_factor=7.0, floor=0.0)
    posterior = GaussianMixture.from_parameters(
        prior.weights, prior.means, prior.covariances, covariance_type="diag"
    ).predict_proba(X)
    count = posterior.sum(axis=0)
    pull = (count / (count + 7.0))[:, None]
    first, second = posterior.T @ X / count[:, None], posterior.T @ X**2 / count[:, None]
    means = pull * first + (1 - pull) * prior.means
    squares = pull * second + (1 - pull) * (prior.covariances + prior.means**2)
    weights = pull[:, 0] * count / 60 + (1 - pull[:, 0]) * prior.weights
    assert_allclose(moved.means, means, rtol=1e-9)
    assert_allclose(moved.covariances, squares - means**2, rtol=1e-7)
    assert_allclose(moved.weights, weights / weights.sum(), rtol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_data_leaves_the_prior(rng, covariance_type):
    prior = random_mixture(rng, covariance_type)
    assert adapted(prior, SufficientStatistics.zero(prior), floor=0.0) is prior
    X = rng.normal(size=(20, 2))
    nearly = adapted(prior, expectation(X, prior), relevance_factor=1e12, floor=0.0)
    assert_allclose(nearly.means, prior.means, atol=1e-9)
    assert_allclose(nearly.covariances, prior.covariances, atol=1e-9)
    assert_allclose(nearly.weights, prior.weights, atol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_endless_data_leave_nothing_of_the_prior(rng, covariance_type):
    prior = random_mixture(rng, covariance_type)
    statistics = expectation(draw(rng, prior, 200), prior)
    data = maximize(statistics, prior, 0.0)
    for moved in (
        adapted(prior, statistics.scale(1e12), floor=0.0),
        adapted(prior, statistics, relevance_factor=0.0, floor=0.0),
    ):
        assert_allclose(moved.means, data.means, rtol=1e-7)
        assert_allclose(moved.covariances, data.covariances, rtol=1e-7, atol=1e-9)
        assert_allclose(moved.weights, data.weights, rtol=1e-7)


def test_a_component_that_explains_nothing_stays_where_it_is():
    prior = MixtureParameters([0.5, 0.5], [[0.0], [1e3]], [[1.0], [2.0]], covariance_type="diag")
    moved = adapted(prior, expectation(np.ones((50, 1)), prior), floor=0.0)
    assert_array_equal(moved.means[1], prior.means[1])
    assert_allclose(moved.covariances[1], prior.covariances[1])
    assert 0.3 < moved.weights[1] < 0.5


def test_adapt_returns_a_new_mixture_and_leaves_the_old_one(rng):
    X = rng.normal(size=(200, 2))
    before = GaussianMixture(2, random_state=0, covariance_type="diag").fit(X)
    means = before.means_.copy()
    moved = before.adapt(X + 1.0, sample_weight=np.full(200, 2.0))
    assert_array_equal(before.means_, means)
    assert moved.get_params() == before.get_params()
    assert (moved.means_ > means).all()
    assert moved.record_.stop_reason == "adapted to new samples"
    assert moved.score(X + 1.0) > before.score(X + 1.0)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_samples_of_the_mixture_are_one_standard_deviation_off(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, spread=20.0)
    X = draw(rng, parameters, 4_000)
    X[::5, 0] = np.nan
    off = standard_deviations_off(expectation(X, parameters), parameters)
    assert_allclose(off, 1.0, atol=0.06)


def test_samples_in_another_unit_are_adapted_to_with_a_warning(rng):
    X = np.array([20.0, 50.0]) + rng.normal(size=(300, 2))
    mixture = GaussianMixture(1, random_state=0).fit(X)
    off = (2.2 - 1.0) * 50.0
    message = (
        r"the new samples lie \d\d\.\d standard deviations from the mixture in feature 1 "
        r"\(root mean square\); see whether they are of the same kind and unit"
    )
    with pytest.warns(GmmsegWarning, match=f"^{message}$"):
        moved = mixture.adapt(X * [1.0, 2.2])
    assert 0.9 * off < moved.means_[0, 1] - 50.0 < off


def test_the_feature_that_is_far_is_told_by_its_name():
    message = "the new samples lie 7.5 standard deviations from the mixture in feature 'weight' "
    with pytest.warns(GmmsegWarning, match=f"^{re.escape(message)}"):
        warn_if_far(np.array([1.0, 7.5]), ("height", "weight"))


def test_samples_of_another_time_are_adapted_to_without_a_warning(rng):
    X = rng.normal(size=(300, 2))
    GaussianMixture(2, random_state=0).fit(X).adapt(2.0 * X + 2.0)


def test_samples_that_are_all_noise_are_adapted_to_without_a_warning():
    noise = UniformNoise(1.0, [0.0], [1e6])
    off = MixtureParameters([0.0], [[0.0]], [[1.0]], covariance_type="diag", noise=noise)
    assert standard_deviations_off(expectation([[1e6]], off), off) == 0.0


def test_a_negative_relevance_factor_is_refused(rng):
    mixture = GaussianMixture().fit(rng.normal(size=(9, 1)))
    message = "relevance_factor must be a number of at least 0, got -1"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        mixture.adapt([[0.0]], relevance_factor=-1)
