"""Laws of units: origin, scale, rotation and precision of the features do not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters, expectation
from tests.mixtures import CONSTRAINED_TYPES, COVARIANCE_TYPES, draw, random_mixture

SEEDS = st.integers(0, 2**32 - 1)
# Samples in steps of 2**-9 keep all their digits in float32 when 2**14 is added.
STEP = 2.0**-9


def samples(rng, n_samples=200, *, spread=4.0, n_features=2):
    truth = random_mixture(rng, "full", n_features=n_features, spread=spread)
    return np.round(draw(rng, truth, n_samples) / STEP) * STEP


def fitted(X, **options):
    options = {"n_components": 3, "random_state": 0, "tol": 0.0, "max_iter": 15} | options
    return GaussianMixture(**options).fit(X)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(
    "case",
    [(np.float64, 1e3, 1e-8), (np.float64, 2.0**20, 1e-8), (np.float32, 1e4, 1e-4)],
    ids=["float64 by 1e3", "float64 by 1e6", "float32 by 1e4"],
)
def test_a_shift_moves_the_means_and_nothing_else(rng, covariance_type, case):
    dtype, shift, rtol = case
    if dtype == np.float32 and covariance_type in CONSTRAINED_TYPES:
        rtol = 1e-3  # they take more than these 15 iterations, and rounding shifts their pace
    X = samples(rng).astype(dtype)
    shift = np.array([shift, -shift], dtype)
    here, there = (fitted(Y, covariance_type=covariance_type) for Y in (X, X + shift))
    assert_array_equal((X + shift) - shift, X)
    assert_allclose(there.means_ - shift, here.means_, rtol=rtol, atol=rtol)
    assert_allclose(there.weights_, here.weights_, rtol=rtol)
    assert_allclose(there.covariances_, here.covariances_, rtol=rtol, atol=rtol)
    # Not their number: in float32 rounding alone decides where a plateau ends.
    assert there.lower_bound_ == pytest.approx(here.lower_bound_, rel=rtol)
    assert_allclose(there.predict_proba(X + shift), here.predict_proba(X), atol=10 * rtol)
    assert_allclose(there.score_samples(X + shift), here.score_samples(X), rtol=10 * rtol)


@given(
    seed=SEEDS,
    covariance_type=st.sampled_from(COVARIANCE_TYPES),
    exponent=st.integers(-3, 6),
)
@settings(max_examples=25)
def test_statistics_about_the_means_do_not_know_the_origin(seed, covariance_type, exponent):
    rng = np.random.default_rng(seed)
    parameters = random_mixture(rng, covariance_type)
    means = np.round(parameters.means / STEP) * STEP
    X = np.round(draw(rng, parameters, 50) / STEP) * STEP
    shift = np.round(10.0**exponent / STEP) * STEP
    here, there = (
        expectation(
            X + c,
            MixtureParameters(
                parameters.weights,
                means + c,
                parameters.covariances,
                covariance_type=covariance_type,
            ),
        )
        for c in (0.0, shift)
    )
    assert_allclose(there.resp_sum, here.resp_sum, rtol=1e-8)
    assert_allclose(there.dev_sum, here.dev_sum, rtol=1e-8, atol=1e-8)
    assert_allclose(there.dev2_sum, here.dev2_sum, rtol=1e-8, atol=1e-8)
    assert there.log_likelihood == pytest.approx(here.log_likelihood, rel=1e-8)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("scale", [1e-12, 0.3, 1e12])
def test_a_change_of_unit_scales_the_mixture(rng, covariance_type, scale):
    X = samples(rng)
    here = fitted(X, covariance_type=covariance_type)
    there = fitted(scale * X, covariance_type=covariance_type)
    assert_allclose(there.weights_, here.weights_, rtol=1e-8)
    assert_allclose(there.means_ / scale, here.means_, rtol=1e-8)
    assert_allclose(there.covariances_ / scale**2, here.covariances_, rtol=1e-7, atol=1e-9)
    # A density per unit: twice the unit in two features is four times less.
    shifted = np.array(there.lower_bounds_) + 2.0 * np.log(scale)
    assert_allclose(shifted, here.lower_bounds_, rtol=1e-8)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_each_feature_may_have_its_own_unit(rng, covariance_type):
    X, start = samples(rng), random_mixture(rng, covariance_type)
    unit = np.array([1e-5, 2e7])

    def mixture(unit):
        per_unit = 1.0 / (unit if covariance_type == "diag" else np.outer(unit, unit) ** 0.5)
        return fitted(
            X * unit,
            covariance_type=covariance_type,
            covariance_floor=0.0,
            weights_init=start.weights,
            means_init=start.means * unit,
            precisions_init=start.precisions * per_unit**2
            if covariance_type == "diag"
            else start.precisions / np.outer(unit, unit),
        )

    here, there = mixture(np.ones(2)), mixture(unit)
    assert_allclose(there.weights_, here.weights_, rtol=1e-8)
    assert_allclose(there.means_ / unit, here.means_, rtol=1e-8)
    squares = unit**2 if covariance_type == "diag" else np.outer(unit, unit)
    assert_allclose(there.covariances_ / squares, here.covariances_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "spherical"])
@given(seed=SEEDS)
@settings(max_examples=15)
def test_a_rotation_turns_the_mixture(covariance_type, seed):
    rng = np.random.default_rng(seed)
    X, start = samples(rng, 100), random_mixture(rng, covariance_type)
    means, width = X[rng.choice(100, 3, replace=False)], 10.0  # so that no component starves
    angle = rng.uniform(0.0, 2.0 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    is_round = covariance_type == "spherical"

    def mixture(turn):
        precisions = start.precisions if is_round else turn @ start.precisions @ turn.T
        return fitted(
            X @ turn.T,
            covariance_type=covariance_type,
            max_iter=8,
            weights_init=start.weights,
            means_init=means @ turn.T,
            precisions_init=precisions / width,
        )

    here, there = mixture(np.eye(2)), mixture(turn)
    assert_allclose(there.weights_, here.weights_, rtol=1e-7)
    assert_allclose(there.means_, here.means_ @ turn.T, rtol=1e-7, atol=1e-7)
    turned = here.covariances_ if is_round else turn @ here.covariances_ @ turn.T
    assert_allclose(there.covariances_, turned, rtol=1e-7, atol=1e-7)
    assert_allclose(there.lower_bounds_, here.lower_bounds_, rtol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_single_precision_agrees_to_a_thousandth_of_a_standard_deviation(
    rng, covariance_type, shift
):
    X = (samples(rng, 3_000) + shift).astype(np.float32)
    single = fitted(X, covariance_type=covariance_type)
    double = fitted(X.astype(np.float64), covariance_type=covariance_type)
    deviation = np.sqrt(double.parameters_.component_variances)
    assert (np.abs(single.means_ - double.means_) <= 1e-3 * deviation).all()
    assert_allclose(single.parameters_.component_variances, deviation**2, rtol=2e-3)
    assert_allclose(single.weights_, double.weights_, atol=1e-3)


@pytest.mark.parametrize("n_features", [2, 10])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_single_precision_log_probabilities_are_right_to_a_thousandth_far_from_the_origin(
    rng, covariance_type, n_features
):
    near = random_mixture(rng, covariance_type, n_features=n_features)
    far = GaussianMixture.from_parameters(
        near.weights, near.means + 1e4, near.covariances, covariance_type=covariance_type
    )
    X = (draw(rng, near, 500) + 1e4).astype(np.float32)
    single, double = far.score_samples(X), far.score_samples(X.astype(np.float64))
    assert_allclose(single, double, atol=1e-3)
    resp = far.predict_proba(X.astype(np.float64))
    assert_allclose(far.predict_proba(X), resp, atol=1e-3)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_single_precision_statistics_are_about_the_exact_means(rng, covariance_type):
    # Two heaps a million standard deviations apart: single precision rounds their means by a tenth
    # of a standard deviation. The samples lie on a grid that it holds exactly, so that all error
    # there is would come from the means.
    near = random_mixture(rng, covariance_type, n_components=2)
    deviation, grid = 2.0**-20, 2.0**-22
    parameters = MixtureParameters(
        near.weights,
        [[0.1, 0.2], [1.3, -0.9]],
        near.covariances * deviation**2,
        covariance_type=covariance_type,
    )
    X = np.round((draw(rng, parameters, 500) + deviation) / grid) * grid
    single, double = expectation(X.astype(np.float32), parameters), expectation(X, parameters)
    assert_array_equal(X.astype(np.float32), X)
    assert_allclose(single.resp_sum, double.resp_sum, rtol=1e-6)
    assert_allclose(single.dev_sum / deviation, double.dev_sum / deviation, rtol=1e-4)
    squared = deviation**2
    assert_allclose(single.dev2_sum / squared, double.dev2_sum / squared, rtol=1e-4, atol=0.01)
