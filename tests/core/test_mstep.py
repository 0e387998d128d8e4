"""Claims about the M-step."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import SufficientStatistics, expectation, maximization
from gmmseg.core.covariance import family_named
from gmmseg.core.mstep import SMALLEST_VARIANCE, maximize, variance_floor
from gmmseg.core.noise import UniformNoise
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import COVARIANCE_TYPES, SEARCHED_TYPES, draw, random_mixture, spelled_out


@pytest.mark.parametrize("covariance_type", sorted(set(COVARIANCE_TYPES) - set(SEARCHED_TYPES)))
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_maximization_is_the_weighted_mean_and_covariance(rng, covariance_type, n_features):
    parameters = random_mixture(rng, covariance_type, n_features=n_features)
    X, weight = draw(rng, parameters, 60), rng.uniform(0.0, 2.0, size=60)
    found = maximization(expectation(X, parameters, weight), parameters, covariance_floor=0.0)
    log_prob = naive.log_prob(X, parameters.weights, parameters.means, spelled_out(parameters))
    weights, means, covariances = naive.maximization(X, naive.responsibilities(log_prob), weight)
    assert_allclose(found.weights, weights, rtol=1e-11)
    assert_allclose(found.means, means, rtol=1e-10, atol=1e-12)
    wanted = naive.in_family(covariance_type, weights, covariances)
    assert_allclose(found.covariances, wanted, rtol=1e-9, atol=1e-11)
    assert found.covariance_type == covariance_type


def test_the_floor_is_a_fraction_of_the_variance_of_each_feature():
    # Variances 4, 16 and 0, mean 20 / 3; what has no spread is taken to have the mean one.
    X = np.array([[-2.0, -4.0, 7.0], [2.0, 4.0, 7.0]])
    wide = MixtureParameters([1.0], [[0.0, 0.0, 0.0]], [[9.0, 9.0, 9.0]], covariance_type="diag")
    statistics = expectation(X, wide)
    assert_allclose(variance_floor(statistics, 0.3), [1.2, 4.8, 2.0], rtol=1e-12)
    assert_allclose(variance_floor(statistics, 0.3, has_one_unit=True), [2.0] * 3, rtol=1e-12)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_units_of_single_features_change_nothing_but_the_units(rng, covariance_type):
    if not family_named(covariance_type).has_any_units:
        return
    parameters = random_mixture(rng, covariance_type, n_features=3)
    X = draw(rng, parameters, 4)  # so few that the floor counts
    unit = np.array([1e6, 1.0, 1e-5])
    is_full = family_named(covariance_type).scatter_kind == "full"
    square = np.outer(unit, unit) if is_full else unit**2
    there = MixtureParameters(
        parameters.weights,
        parameters.means * unit,
        parameters.covariances * square,
        covariance_type=covariance_type,
    )
    found = maximization(expectation(X, parameters), parameters, covariance_floor=0.01)
    moved = maximization(expectation(X * unit, there), there, covariance_floor=0.01)
    assert_allclose(moved.means / unit, found.means, rtol=1e-9)
    assert_allclose(moved.covariances / square, found.covariances, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_variance_falls_below_the_floor(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type)
    statistics = expectation(np.array([[0.0, 0.0], [0.0, 2.0]]), parameters)
    found = maximization(statistics, parameters, covariance_floor=0.2)
    # The feature variances are 0 and 1: the floor is 0.1.
    lowest = np.linalg.eigvalsh(spelled_out(found)).min()
    assert lowest == pytest.approx(0.1, rel=1e-9) or lowest > 0.1


def test_the_floor_of_constant_data_is_what_rounding_leaves_at_their_distance():
    at = MixtureParameters([1.0], [[1e4]], [1.0], covariance_type="spherical")
    # eps * 1e4 = 2.220446e-12
    assert variance_floor(expectation([[1e4]], at), 0.0) == pytest.approx(
        4.930381e-24, rel=1e-6, abs=0.0
    )
    zero = MixtureParameters([1.0], [[0.0]], [1.0], covariance_type="spherical")
    assert variance_floor(expectation([[0.0]], zero), 0.0) == SMALLEST_VARIANCE


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_a_component_without_samples_keeps_mean_and_covariance(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_components=2)
    off = MixtureParameters(
        [1.0, 0.0], parameters.means, parameters.covariances, covariance_type=covariance_type
    )
    found = maximization(expectation(draw(rng, off, 40), off), off)
    assert_array_equal(found.weights, [1.0, 0.0])
    assert_array_equal(found.means[1], off.means[1])
    assert_allclose(found.covariances[1], off.covariances[1], rtol=1e-14)


def test_a_component_without_samples_does_not_widen_the_tied_covariance(rng):
    parameters = random_mixture(rng, "tied", n_components=2)
    off = MixtureParameters(
        [1.0, 0.0], parameters.means, 100 * parameters.covariances, covariance_type="tied"
    )
    X = draw(rng, parameters, 40)
    found = maximization(expectation(X, off), off)
    assert_allclose(found.covariances, np.cov(X.T, bias=True), rtol=1e-10)


def test_statistics_without_samples_are_refused(rng):
    parameters = random_mixture(rng)
    message = "^the statistics hold no sample; add those of at least one before the M-step$"
    with pytest.raises(InputError, match=message):
        maximization(SufficientStatistics.zero(parameters), parameters)


def test_maximize_takes_the_floor_in_squared_units(rng):
    parameters = random_mixture(rng, "diag")
    statistics = expectation(draw(rng, parameters, 50), parameters)
    assert maximize(statistics, parameters, 7.0).covariances.min() == 7.0


@pytest.mark.parametrize("floor", [-1.0, np.nan])
def test_a_floor_below_zero_is_refused(rng, floor):
    parameters = random_mixture(rng)
    statistics = expectation(rng.normal(size=(9, 2)), parameters)
    message = rf"^covariance_floor must be a number of at least 0, got {floor}$"
    with pytest.raises(InputError, match=message):
        maximization(statistics, parameters, covariance_floor=floor)


def test_statistics_of_another_kind_of_mixture_are_refused(rng):
    statistics = expectation(rng.normal(size=(9, 2)), random_mixture(rng, "diag"))
    message = (
        r"^statistics must be those of the mixture, with dev2_sum of shape \(3, 2, 2\), "
        r"got \(3, 2\); run the E-step with the same parameters$"
    )
    with pytest.raises(InputError, match=message):
        maximization(statistics, random_mixture(rng, "full"))


FIXED = [
    names
    for size in (1, 2, 3)
    for names in itertools.combinations(["weights", "means", "covariances"], size)
]


@pytest.mark.parametrize("fixed", FIXED, ids="-".join)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_what_is_fixed_stays_and_the_rest_is_the_likeliest_beside_it(rng, covariance_type, fixed):
    now = random_mixture(rng, covariance_type).with_noise(UniformNoise(0.1, [-9, -9], [9, 9]))
    now = now.replaced(covariances=100.0 * now.covariances)
    X, before, bounds = draw(rng, random_mixture(rng), 60), now, []
    for _ in range(6):
        statistics = expectation(X, now)
        bounds.append(statistics.mean_log_likelihood)
        now = maximize(statistics, now, 1e-6, fixed=fixed)
    assert (np.diff(bounds) >= -1e-9).all()
    for name in ("weights", "means", "covariances"):
        is_same = np.array_equal(getattr(now, name), getattr(before, name))
        assert is_same == (name in fixed)
    assert (now.noise is before.noise) == ("weights" in fixed)


def test_the_scatter_is_about_fixed_means_by_hand():
    # About 0, samples 1 and 3 have the mean square 5; about their own mean, 1.
    start = MixtureParameters([1.0], [[0.0]], [[1.0]], covariance_type="diag")
    statistics = expectation([[1.0], [3.0]], start)
    assert_allclose(maximize(statistics, start, 0.0, fixed=["means"]).covariances, [[5.0]])
    assert_allclose(maximize(statistics, start, 0.0).covariances, [[1.0]])
