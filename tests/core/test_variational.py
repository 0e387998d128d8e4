"""Claims about one step of variational Bayes: term by term, step by step, and at its limits."""

from dataclasses import replace

import numpy as np
import pytest
import sklearn.mixture
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gmmseg.core import MixtureParameters, SufficientStatistics, expectation, maximization
from gmmseg.core.covariance import family_named
from gmmseg.core.estep import responsibilities
from gmmseg.core.variational import Prior, lower_bound, updated_posterior
from gmmseg.core.variational_prior import covariance_shape
from gmmseg.core.weight_priors import WEIGHT_PRIORS
from tests import naive
from tests.mixtures import draw, random_covariances, random_mixture, spelled_out

COVARIANCE_TYPES = ["full", "tied", "diag", "spherical"]
WEIGHT_TYPES = sorted(WEIGHT_PRIORS)
SEEDS = st.integers(0, 2**32 - 1)


def random_prior(rng, covariance_type, weight_type, n_features=2):
    full = random_covariances(rng, 1, n_features)
    shape = covariance_shape(family_named(covariance_type), n_features)
    return Prior(
        covariance_type=covariance_type,
        weight_type=weight_type,
        weight_concentration=rng.uniform(0.1, 3.0),
        mean=rng.normal(size=n_features),
        mean_precision=rng.uniform(0.1, 3.0),
        covariance=naive.in_family(covariance_type, [1.0], full).reshape(shape),
        degrees_of_freedom=n_features - 1 + rng.uniform(0.1, 3.0),
    )


def matrix_of(prior):
    """Return the covariance of a prior as a matrix."""
    return np.diag(prior.scatter) if prior.scatter.ndim == 1 else prior.scatter


def wisharts_of(posterior):
    """Return the scale of each Wishart posterior."""
    covariances = spelled_out(posterior.mean_mixture)
    return [
        np.linalg.inv(dof * covariance)
        for dof, covariance in zip(posterior.degrees_of_freedom, covariances, strict=True)
    ]


def naive_log_rho(X, posterior):
    """Return the unnormalised log-responsibilities (Bishop 2006, 10.46)."""
    columns = [
        naive.expected_log_gauss(X, *parameters)
        for parameters in zip(
            posterior.means,
            posterior.mean_precision,
            wisharts_of(posterior),
            posterior.degrees_of_freedom,
            strict=True,
        )
    ]
    log_weights = posterior.prior.weights.expected_log(posterior.weight_concentration)
    return log_weights + np.column_stack(columns)


def naive_bound(X, sample_weight, posterior, resp=None):
    """Return the lower bound term by term (Bishop 2006, 10.71 to 10.77).

    Its responsibilities are those of the posterior unless others are given.
    """
    prior, log_rho = posterior.prior, naive_log_rho(X, posterior)
    resp = naive.responsibilities(log_rho) if resp is None else resp
    data = sample_weight @ (resp * (log_rho - np.log(np.maximum(resp, 1e-300)))).sum(axis=1)
    before = (
        prior.mean,
        prior.mean_precision,
        np.linalg.inv(matrix_of(prior)),
        prior.degrees_of_freedom,
    )
    of_components = sum(
        naive.normal_wishart_divergence(*parameters, before)
        for parameters in zip(
            posterior.means,
            posterior.mean_precision,
            wisharts_of(posterior),
            posterior.degrees_of_freedom,
            strict=True,
        )
    )
    of_weights = prior.weights.divergence(
        posterior.weight_concentration, prior.weight_concentration
    )
    return data - of_components - of_weights


def scene(rng, covariance_type, weight_type, n_features=2):
    """Return weighted samples and a posterior that comes of them."""
    X = draw(rng, random_mixture(rng, "full", n_features=n_features, spread=3.0), 60)
    weight = rng.uniform(0.1, 3.0, size=60)
    start = random_mixture(rng, covariance_type, n_components=4, n_features=n_features)
    prior = random_prior(rng, covariance_type, weight_type, n_features)
    return X, weight, updated_posterior(prior, expectation(X, start, weight))


@pytest.mark.parametrize("n_features", [1, 3])
@pytest.mark.parametrize("weight_type", WEIGHT_TYPES)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_bound_is_that_of_its_terms(rng, covariance_type, weight_type, n_features):
    X, weight, posterior = scene(rng, covariance_type, weight_type, n_features)
    statistics = expectation(X, posterior.expected_mixture, weight)
    wanted = naive_bound(X, weight, posterior)
    assert lower_bound(posterior, statistics) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_e_step_is_that_of_the_expected_log_densities(rng, covariance_type):
    X, _, posterior = scene(rng, covariance_type, "dirichlet_process")
    wanted = naive.responsibilities(naive_log_rho(X, posterior))
    assert_allclose(responsibilities(X, posterior.expected_mixture), wanted, atol=1e-12)


@pytest.mark.parametrize("weight_type", WEIGHT_TYPES)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@given(seed=SEEDS, n_features=st.integers(1, 3))
@settings(max_examples=15)
def test_no_step_lowers_the_bound(covariance_type, weight_type, seed, n_features):
    rng = np.random.default_rng(seed)
    X, weight, posterior = scene(rng, covariance_type, weight_type, n_features)
    bounds = []
    for _ in range(12):
        statistics = expectation(X, posterior.expected_mixture, weight)
        bounds.append(lower_bound(posterior, statistics))
        posterior = updated_posterior(posterior.prior, statistics)
    assert (np.diff(bounds) >= -1e-9 * np.abs(bounds[:-1])).all()
    assert bounds[-1] > bounds[0]


PARTS = ["weight_concentration", "means", "mean_precision", "covariances", "degrees_of_freedom"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("weight_type", WEIGHT_TYPES)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_posterior_of_the_family_has_a_higher_bound_than_the_update(
    rng, covariance_type, weight_type, part
):
    X, weight, posterior = scene(rng, covariance_type, weight_type)
    statistics = expectation(X, posterior.expected_mixture, weight)
    resp = responsibilities(X, posterior.expected_mixture)
    updated = updated_posterior(posterior.prior, statistics)
    best = naive_bound(X, weight, updated, resp)
    for factor in (0.99, 1.01):
        moved = replace(updated, **{part: factor * getattr(updated, part)})
        assert naive_bound(X, weight, moved, resp) < best - 1e-6


def test_a_component_without_samples_gets_the_prior_back(rng):
    prior = random_prior(rng, "full", "dirichlet_process")
    start = random_mixture(rng, "full")
    posterior = updated_posterior(prior, SufficientStatistics.zero(start))
    assert posterior.divergence == pytest.approx(0.0, abs=1e-9)
    assert_allclose(posterior.means, np.tile(prior.mean, (3, 1)))
    wanted = prior.covariance / prior.degrees_of_freedom
    assert_allclose(posterior.covariances, np.tile(wanted, (3, 1, 1)))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_endless_data_give_the_mixture_of_largest_likelihood(rng, covariance_type):
    start = random_mixture(rng, covariance_type)
    statistics = expectation(draw(rng, start, 200), start).scale(1e9)
    likeliest = maximization(statistics, start, covariance_floor=0.0)
    prior = random_prior(rng, covariance_type, "dirichlet_distribution")
    posterior = updated_posterior(prior, statistics)
    for mixture in (posterior.mean_mixture, posterior.expected_mixture):
        assert_allclose(mixture.means, likeliest.means, rtol=1e-6)
        assert_allclose(mixture.weights, likeliest.weights, rtol=1e-6)
        assert_allclose(mixture.covariances, likeliest.covariances, rtol=1e-6)


def test_one_sample_by_hand():
    # Prior: mean 0 that counts as one sample, inverse scale 2, one degree of freedom. One sample
    # at 2: mean (0 + 2) / 2 = 1, inverse scale 2 + 2**2 / 2 = 4, two degrees of freedom.
    one = MixtureParameters([1.0], [[0.0]], [[[1.0]]])
    prior = Prior(
        covariance_type="full",
        weight_type="dirichlet_distribution",
        weight_concentration=1.0,
        mean=np.zeros(1),
        mean_precision=1.0,
        covariance=np.array([[2.0]]),
        degrees_of_freedom=1.0,
    )
    posterior = updated_posterior(prior, expectation([[2.0]], one))
    assert_allclose(posterior.means, [[1.0]])
    assert_allclose(posterior.mean_precision, [2.0])
    assert_allclose(posterior.degrees_of_freedom, [2.0])
    assert_allclose(posterior.covariances, [[[4.0 / 2.0]]])
    assert_allclose(posterior.counts, [1.0])
    # With one component and no doubt about labels, the bound is the log-evidence itself: a
    # Student density of one degree of freedom at 2, of squared scale 2 * (1 + 1) / 1 = 4.
    evidence = -np.log(np.pi * 2.0 * (1.0 + 2.0**2 / 4.0))
    statistics = expectation([[2.0]], posterior.expected_mixture)
    assert lower_bound(posterior, statistics) == pytest.approx(evidence, rel=1e-12)


@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("weight_type", WEIGHT_TYPES)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_twenty_steps_end_where_those_of_scikit_learn_do(
    rng, covariance_type, weight_type, n_features
):
    X = draw(rng, random_mixture(rng, "full", n_features=n_features, spread=3.0), 300)
    start = random_mixture(rng, covariance_type, n_components=4, n_features=n_features)
    prior = random_prior(rng, covariance_type, weight_type, n_features)
    theirs = sklearn.mixture.BayesianGaussianMixture(
        n_components=4,
        covariance_type=covariance_type,
        reg_covar=0.0,
        weight_concentration_prior_type=weight_type,
        weight_concentration_prior=prior.weight_concentration,
        mean_precision_prior=prior.mean_precision,
        mean_prior=prior.mean,
        degrees_of_freedom_prior=prior.degrees_of_freedom,
        covariance_prior=prior.covariance if prior.covariance.ndim else float(prior.covariance),
    )
    # The same responsibilities are the same start.
    theirs._check_parameters(X)
    theirs._initialize(X, responsibilities(X, start))
    ours = updated_posterior(prior, expectation(X, start))
    for _ in range(20):
        theirs._m_step(X, theirs._e_step(X)[1])
        ours = updated_posterior(prior, expectation(X, ours.expected_mixture))
    theirs._set_parameters(theirs._get_parameters())
    assert_allclose(ours.means, theirs.means_, rtol=1e-9, atol=1e-9)
    assert_allclose(ours.mean_mixture.weights, theirs.weights_, atol=1e-9)
    assert_allclose(ours.covariances, theirs.covariances_, rtol=1e-9, atol=1e-9)
    assert_allclose(ours.mean_precision, theirs.mean_precision_, rtol=1e-9)
    assert_allclose(ours.degrees_of_freedom, np.broadcast_to(theirs.degrees_of_freedom_, 4))
    assert_allclose(ours.weight_concentration, np.array(theirs.weight_concentration_), rtol=1e-9)
    assert_allclose(
        responsibilities(X, ours.expected_mixture), np.exp(theirs._e_step(X)[1]), atol=1e-9
    )
