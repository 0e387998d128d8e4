"""Claims about the priors over weights, checked by integration and by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import beta, dirichlet

from gmmseg.core.weight_priors import WEIGHT_PRIORS, weight_prior_named
from gmmseg.errors import InputError

COUNTS = np.array([5.0, 0.0, 2.5])
DISTRIBUTION, PROCESS = WEIGHT_PRIORS["dirichlet_distribution"], WEIGHT_PRIORS["dirichlet_process"]


def expectation_under(density, function):
    return quad(lambda p: density.pdf(p) * function(p), 0.0, 1.0)[0]


@pytest.mark.parametrize("prior", WEIGHT_PRIORS.values(), ids=WEIGHT_PRIORS)
def test_without_samples_the_posterior_is_the_prior(prior):
    posterior = prior.posterior(np.zeros(4), 0.7)
    assert prior.divergence(posterior, 0.7) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("prior", WEIGHT_PRIORS.values(), ids=WEIGHT_PRIORS)
def test_a_posterior_has_the_shape_it_says(prior):
    assert prior.posterior(COUNTS, 0.7).shape == prior.shape(3)


@pytest.mark.parametrize("prior", WEIGHT_PRIORS.values(), ids=WEIGHT_PRIORS)
def test_endless_samples_leave_no_doubt_about_the_weights(prior):
    counts = 1e9 * np.array([0.5, 0.2, 0.3])
    posterior = prior.posterior(counts, 0.7)
    assert_allclose(prior.mean(posterior), [0.5, 0.2, 0.3], rtol=1e-6)
    assert_allclose(np.exp(prior.expected_log(posterior)), [0.5, 0.2, 0.3], rtol=1e-6)


@pytest.mark.parametrize("prior", WEIGHT_PRIORS.values(), ids=WEIGHT_PRIORS)
def test_samples_move_the_posterior_away_from_the_prior(prior):
    divergences = [
        prior.divergence(prior.posterior(times * COUNTS, 0.7), 0.7) for times in (0, 1, 2, 4)
    ]
    assert (np.diff(divergences) > 0.0).all()


def test_a_dirichlet_distribution_counts_the_samples_of_each():
    posterior = DISTRIBUTION.posterior(COUNTS, 0.5)
    assert_allclose(posterior, [5.5, 0.5, 3.0])
    assert_allclose(DISTRIBUTION.mean(posterior), [5.5 / 9, 0.5 / 9, 3 / 9])


def test_a_dirichlet_process_counts_the_samples_of_each_and_of_all_after_it():
    posterior = PROCESS.posterior(COUNTS, 0.5)
    assert_allclose(posterior, [[6.0, 1.0, 3.5], [3.0, 3.0, 0.5]])
    # Shares 6/9, 1/4 and 7/8, each of what is left.
    pieces = np.array([2 / 3, 1 / 3 * 1 / 4, 1 / 3 * 3 / 4 * 7 / 8])
    assert_allclose(PROCESS.mean(posterior), pieces / pieces.sum())


def test_the_expected_logarithms_of_a_dirichlet_distribution_are_integrals():
    posterior = DISTRIBUTION.posterior(np.array([2.0, 5.0]), 0.5)
    density = beta(*posterior)  # two weights: the first is a Beta variable
    wanted = [
        expectation_under(density, np.log),
        expectation_under(density, lambda p: np.log1p(-p)),
    ]
    assert_allclose(DISTRIBUTION.expected_log(posterior), wanted, rtol=1e-6)


def test_the_expected_logarithms_of_a_dirichlet_process_are_sums_of_integrals():
    posterior = PROCESS.posterior(COUNTS, 0.5)
    taken, left = (
        [expectation_under(beta(*pair), log) for pair in posterior.T]
        for log in (np.log, lambda p: np.log1p(-p))
    )
    wanted = [taken[0], left[0] + taken[1], left[0] + left[1] + taken[2]]
    assert_allclose(PROCESS.expected_log(posterior), wanted, rtol=1e-6)


def test_the_divergence_of_a_dirichlet_distribution_is_an_integral():
    posterior = DISTRIBUTION.posterior(np.array([2.0, 5.0]), 1.5)
    now, before = dirichlet(posterior), dirichlet([1.5, 1.5])
    wanted = expectation_under(
        beta(*posterior), lambda p: now.logpdf([p, 1 - p]) - before.logpdf([p, 1 - p])
    )
    assert DISTRIBUTION.divergence(posterior, 1.5) == pytest.approx(wanted, rel=1e-6)


def test_the_divergence_of_a_dirichlet_process_is_a_sum_of_integrals():
    posterior = PROCESS.posterior(COUNTS, 1.5)
    wanted = sum(
        expectation_under(
            beta(*pair), lambda p, pair=pair: beta(*pair).logpdf(p) - beta(1.0, 1.5).logpdf(p)
        )
        for pair in posterior.T
    )
    assert PROCESS.divergence(posterior, 1.5) == pytest.approx(wanted, rel=1e-6)


def test_an_unknown_prior_is_refused_with_the_names_there_are():
    message = (
        "^weight_concentration_prior_type must be one of dirichlet_process, "
        "dirichlet_distribution, got 'uniform'$"
    )
    with pytest.raises(InputError, match=message):
        weight_prior_named("uniform")
