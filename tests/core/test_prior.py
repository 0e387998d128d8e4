"""Claims about the prior over covariances."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import invwishart

from gmmseg.core import GaussianMixture, expectation
from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.prior import CovariancePrior, prior_of_data
from gmmseg.errors import InputError
from tests.mixtures import COVARIANCE_TYPES, SKLEARN_TYPES, draw, random_mixture, spelled_out


def test_a_prior_of_two_samples_against_two_by_hand():
    # Samples -1 and 3: mean 1, variance 4. Two samples of variance 10 beside them make 7.
    start = MixtureParameters([1.0], [[0.0]], [[1.0]], covariance_type="diag")
    statistics = expectation([[-1.0], [3.0]], start)
    found = maximize(statistics, start, 0.0, prior=CovariancePrior(2.0, np.array([10.0])))
    assert_allclose(found.means, [[1.0]])
    assert_allclose(found.covariances, [[7.0]])


def test_it_is_as_wide_as_equal_parts_of_the_data():
    # Variances 4 and 16 and two components in two features: half of them each.
    X = np.array([[-2.0, -4.0], [2.0, 4.0]])
    start = MixtureParameters([0.5, 0.5], np.zeros((2, 2)), np.ones(2), covariance_type="spherical")
    prior = prior_of_data(expectation(X, start), 5.0, 1e-6)
    assert prior.strength == 5.0
    assert_allclose(prior.variance, [2.0, 8.0])
    assert_allclose(prior_of_data(expectation(X, start), 5.0, 3.0).variance, [3.0, 8.0])


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_its_density_is_that_of_the_inverse_wishart_but_for_a_constant(rng, covariance_type):
    strength, variance = 6.0, np.array([0.5, 2.0])
    prior = CovariancePrior(strength, variance)

    def by_scipy(parameters):
        # A density of |S|**(-(df + d + 1) / 2) exp(-trace(scale inverse(S)) / 2).
        law = invwishart(df=strength - 2 - 1, scale=strength * np.diag(variance))
        return sum(law.logpdf(matrix) for matrix in spelled_out(parameters))

    one, other = (random_mixture(rng, covariance_type) for _ in range(2))
    assert prior.log_density(one) - prior.log_density(other) == pytest.approx(
        by_scipy(one) - by_scipy(other), rel=1e-9
    )


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_step_of_em_makes_the_posterior_less(rng, covariance_type):
    for n_features, strength in ((1, 0.5), (2, 5.0), (3, 40.0)):
        X = draw(rng, random_mixture(rng, n_features=n_features, spread=3.0), 60)
        now = random_mixture(rng, covariance_type, n_features=n_features)
        now = now.replaced(covariances=100.0 * now.covariances)
        first = expectation(X, now)
        floor = variance_floor(first, 1e-6)
        prior, bounds = prior_of_data(first, strength, floor), []
        for _ in range(15):
            statistics = expectation(X, now)
            bounds.append((statistics.log_likelihood + prior.log_density(now)) / 60)
            now = maximize(statistics, now, floor, prior=prior)
        falls = -np.diff(bounds) / np.maximum(1.0, np.abs(bounds[:-1]))
        assert falls.max() <= 1e-9
        assert bounds[-1] > bounds[0]


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_bounds_of_a_fit_are_of_the_posterior_and_never_fall(rng, covariance_type):
    X = draw(rng, random_mixture(rng, spread=3.0), 80)
    options = {"covariance_type": covariance_type, "random_state": 0, "tol": 0.0, "max_iter": 20}
    mixture = GaussianMixture(3, covariance_prior=5, **options).fit(X)
    assert (np.diff(mixture.lower_bounds_) >= -1e-9).all()
    prior = prior_of_data(expectation(X, mixture.parameters_), 5.0, 0.0)
    last = mixture.score(X) + prior.log_density(mixture.parameters_) / 80
    assert last >= mixture.lower_bound_ - 1e-9
    assert last == pytest.approx(mixture.lower_bound_, abs=0.1)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_prior_of_no_sample_is_none(rng, covariance_type):
    X = draw(rng, random_mixture(rng, spread=3.0), 80)
    options = {"covariance_type": covariance_type, "random_state": 0, "tol": 0.0, "max_iter": 8}
    with_it, without = (
        GaussianMixture(3, covariance_prior=strength, **options).fit(X) for strength in (0.0, None)
    )
    assert_array_equal(with_it.covariances_, without.covariances_)
    nearly = GaussianMixture(3, covariance_prior=1e-9, **options).fit(X)
    assert_allclose(nearly.means_, without.means_, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_an_endless_prior_is_all_that_counts(rng, covariance_type):
    X = draw(rng, random_mixture(rng, spread=3.0), 80) * [1.0, 3.0]
    mixture = GaussianMixture(
        3, covariance_type=covariance_type, covariance_prior=1e9, random_state=0, tol=0.0
    ).fit(X)
    prior = X.var(axis=0) / 3.0  # of three components in two features
    if covariance_type in ("spherical", "EII"):
        prior = np.full(2, prior.mean())
    wanted = np.broadcast_to(np.diag(prior), (3, 2, 2))
    assert_allclose(spelled_out(mixture.parameters_), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e12])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_change_of_unit_scales_what_it_leads_to(rng, covariance_type, scale):
    X = draw(rng, random_mixture(rng, spread=3.0), 80)
    options = {"covariance_type": covariance_type, "random_state": 0, "tol": 0.0, "max_iter": 8}
    here, there = (GaussianMixture(3, covariance_prior=5, **options).fit(Y) for Y in (X, scale * X))
    assert_allclose(there.means_ / scale, here.means_, rtol=1e-8)
    assert_allclose(there.covariances_ / scale**2, here.covariances_, rtol=1e-7, atol=1e-9)


def test_it_keeps_ten_components_of_thirty_samples_from_collapsing(rng):
    X, fresh = rng.normal(size=(2, 30, 5))
    options = {"random_state": 0, "max_iter": 200, "tol": 1e-6}
    steady = GaussianMixture(10, covariance_prior=7, **options).fit(X)
    collapsed = GaussianMixture(10, **options).fit(X)
    unit = np.sqrt(1e-6 * X.var(axis=0))
    used = collapsed.weights_ > 0.0
    in_floors = collapsed.covariances_[used] / np.outer(unit, unit)
    assert np.linalg.eigvalsh(in_floors).min() == pytest.approx(1.0, rel=1e-3)
    smallest = np.linalg.eigvalsh(steady.covariances_).min()
    assert smallest > 0.05 * X.var(axis=0).mean() / 10 ** (2 / 5)
    assert steady.score(fresh) > -10.0
    assert collapsed.score(fresh) < -50.0


def test_the_prior_holds_with_noise_and_missing_entries(rng):
    X = draw(rng, random_mixture(rng, spread=3.0), 80)
    X[rng.random(X.shape) < 0.2] = np.nan
    mixture = GaussianMixture(3, covariance_prior=5, noise=True, random_state=0, tol=0.0)
    mixture.fit(X)
    assert (np.diff(mixture.lower_bounds_) >= -1e-9).all()
    assert np.isfinite(mixture.covariances_).all()


@pytest.mark.parametrize("strength", [-1, float("nan"), float("inf"), "strong"])
def test_what_is_no_number_of_samples_is_refused(strength):
    message = f"covariance_prior must be a number of at least 0, got {strength!r}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        GaussianMixture(covariance_prior=strength).fit([[0.0], [1.0]])


def test_the_prior_counts_samples_whatever_the_unit_of_their_weights(rng):
    X = rng.normal(size=(40, 2))
    options = {"n_components": 2, "random_state": 0, "max_iter": 5, "tol": 0.0}
    huge = 2.0**40
    with_huge_weights = GaussianMixture(**options, covariance_prior=5.0 * huge).fit(
        X, sample_weight=np.full(40, huge)
    )
    plain = GaussianMixture(**options, covariance_prior=5.0).fit(X)
    assert_allclose(with_huge_weights.covariances_, plain.covariances_, rtol=1e-9)
