"""Claims about SufficientStatistics: plain sums that add up."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import SufficientStatistics, expectation
from gmmseg.core.mstep import maximize
from gmmseg.core.noise import UniformNoise
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

SUMS = ("resp_sum", "dev_sum", "dev2_sum", "log_likelihood")


@pytest.fixture(params=COVARIANCE_TYPES)
def parameters(request, rng):
    return random_mixture(rng, request.param)


def test_the_statistics_of_two_sets_are_those_of_both_together(rng, parameters):
    X = draw(rng, parameters, 90)
    both, whole = (
        expectation(X[:40], parameters) + expectation(X[40:], parameters),
        expectation(X, parameters),
    )
    for name in SUMS:
        assert_allclose(getattr(both, name), getattr(whole, name), rtol=1e-12, atol=1e-12)


def test_adding_nothing_changes_nothing(rng, parameters):
    some = expectation(draw(rng, parameters, 30), parameters)
    same = some + SufficientStatistics.zero(parameters)
    for name in SUMS:
        assert_array_equal(getattr(same, name), getattr(some, name))


def test_half_and_half_is_the_whole(rng, parameters):
    some = expectation(draw(rng, parameters, 30), parameters)
    same = some.scale(0.5) + some.scale(0.5)
    for name in SUMS:
        assert_array_equal(getattr(same, name), getattr(some, name))


def test_scaling_is_weighting_every_sample(rng, parameters):
    X = draw(rng, parameters, 30)
    scaled = expectation(X, parameters).scale(3.0)
    weighted = expectation(X, parameters, sample_weight=np.full(30, 3.0))
    for name in SUMS:
        assert_allclose(getattr(scaled, name), getattr(weighted, name), rtol=1e-12, atol=1e-12)


REFUSAL = (
    "^only statistics about the same means can be added, got statistics about other means "
    "or of another family; run both E-steps with the same parameters$"
)


def test_statistics_about_other_means_are_refused(rng):
    one, other = random_mixture(rng), random_mixture(rng)
    with pytest.raises(InputError, match=REFUSAL):
        SufficientStatistics.zero(one) + SufficientStatistics.zero(other)


def test_statistics_of_another_family_are_refused():
    full = random_mixture(np.random.default_rng(1), "full")
    diag = random_mixture(np.random.default_rng(1), "diag")
    assert_array_equal(full.means, diag.means)
    with pytest.raises(InputError, match=REFUSAL):
        SufficientStatistics.zero(full) + SufficientStatistics.zero(diag)


def test_statistics_and_a_number_do_not_add(rng):
    with pytest.raises(TypeError, match="unsupported operand"):
        SufficientStatistics.zero(random_mixture(rng)) + 1


def test_total_mean_and_variance_are_those_of_all_samples(rng, parameters):
    X = draw(rng, parameters, 70) + 1e6
    weight = rng.integers(0, 4, size=70)
    shifted = random_mixture(np.random.default_rng(0), parameters.covariance_type)
    statistics = expectation(X, shifted, sample_weight=weight)
    repeated = X.repeat(weight, axis=0)
    assert statistics.weight_sum == pytest.approx(weight.sum(), rel=1e-12)
    assert_allclose(statistics.total_mean(), repeated.mean(axis=0), rtol=1e-12)
    # The means of this mixture are 1e6 away from the samples: six digits of the square are lost.
    assert_allclose(statistics.total_variance(), repeated.var(axis=0), rtol=0.05)


def test_total_variance_about_near_means_has_all_digits(rng, parameters):
    X = draw(rng, parameters, 70)
    statistics = expectation(X, parameters)
    assert_allclose(statistics.total_mean(), X.mean(axis=0), rtol=1e-11)
    assert_allclose(statistics.total_variance(), X.var(axis=0), rtol=1e-11)


def test_new_means_and_scatter_by_hand():
    # Samples 1 and 3 about the old mean 0: mean 2, variance 1.
    statistics = SufficientStatistics(
        np.zeros((1, 1)), np.array([2.0]), np.array([[4.0]]), np.array([[10.0]]), -3.0
    )
    assert_array_equal(statistics.new_means(), [[2.0]])
    assert_array_equal(statistics.new_scatter(), [[1.0]])
    assert statistics.mean_log_likelihood == -1.5


def test_a_component_without_samples_keeps_its_mean_and_has_no_scatter(parameters):
    nothing = SufficientStatistics.zero(parameters)
    assert_array_equal(nothing.new_means(), parameters.means)
    assert_array_equal(nothing.new_scatter(), np.zeros_like(nothing.dev2_sum))
    assert nothing.weight_sum == 0.0


def test_sum_adds_statistics_up(rng):
    parameters = random_mixture(rng)
    X = rng.normal(size=(30, 2))
    parts = [expectation(part, parameters) for part in (X[:10], X[10:12], X[12:])]
    assert_allclose(sum(parts).dev2_sum, expectation(X, parameters).dev2_sum, rtol=1e-10)


def test_statistics_cannot_be_counted_less_than_not_at_all(rng):
    statistics = SufficientStatistics.zero(random_mixture(rng))
    with pytest.raises(InputError, match=r"^factor must be a number of at least 0, got -1$"):
        statistics.scale(-1)


def test_a_mixture_is_the_m_step_of_its_own_statistics(parameters):
    own = SufficientStatistics.of_parameters(parameters, 40.0)
    assert own.weight_sum == pytest.approx(40.0)
    again = maximize(own, parameters, 0.0)
    assert_allclose(again.weights, parameters.weights, rtol=1e-12)
    assert_allclose(again.means, parameters.means, rtol=1e-12)
    wanted = parameters.component_covariances
    assert_allclose(again.component_covariances, wanted, rtol=1e-5, atol=1e-6)


def test_the_statistics_of_a_mixture_know_its_noise(rng):
    noise = UniformNoise(0.25, [0.0, 0.0], [1.0, 1.0])
    own = SufficientStatistics.of_parameters(random_mixture(rng).with_noise(noise), 40.0)
    assert own.noise_sum == pytest.approx(10.0)
    assert own.weight_sum == pytest.approx(40.0)


def test_scatter_about_any_means_is_that_of_the_samples(rng, parameters):
    X, means = draw(rng, parameters, 60), rng.normal(size=(3, 2))
    one = MixtureParameters([1.0], [[0.3, -0.2]], [np.eye(2)])
    dev = X - means[0]
    found = expectation(X, one).scatter_about(means[:1])
    assert_allclose(found, [dev.T @ dev / 60.0], rtol=1e-12)
    diag = MixtureParameters([1.0], [[0.3, -0.2]], [[1.0, 1.0]], covariance_type="diag")
    found = expectation(X, diag).scatter_about(means[:1])
    assert_allclose(found, [(dev**2).mean(axis=0)], rtol=1e-12)


def test_scatter_about_the_new_means_is_the_new_scatter_and_the_least(rng, parameters):
    statistics = expectation(draw(rng, parameters, 60), parameters)
    least = statistics.scatter_about(statistics.new_means())
    assert_array_equal(least, statistics.new_scatter())
    # Elsewhere it grows by the square of the way there.
    way = np.array([3.0, -1.0])
    apart = np.outer(way, way) if least.ndim == 3 else way**2
    moved = statistics.scatter_about(statistics.new_means() + way)
    assert_allclose(moved - least, np.broadcast_to(apart, least.shape), atol=1e-9)
