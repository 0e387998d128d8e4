"""Laws of uniform noise: what belongs to no Gaussian does not pull at any."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, UniformNoise, expectation, maximization
from gmmseg.errors import GmmsegWarning
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

SEEDS = st.integers(0, 2**32 - 1)
CENTERS = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])


def blobs_with_outliers(rng, n_samples=1_000, share=0.1):
    """Return three round heaps of deviation 1 and, last, outliers all over a wide box."""
    n_outliers = round(share * n_samples)
    blobs = CENTERS[rng.integers(0, 3, n_samples - n_outliers)]
    outliers = rng.uniform(-30.0, 40.0, size=(n_outliers, 2))
    return np.concatenate([blobs + rng.normal(size=blobs.shape), outliers])


def fitted(X, weight=None, **options):
    options = {"n_components": 3, "noise": True, "random_state": 0, "tol": 0.0} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmsegWarning)  # results that may still be used
        return GaussianMixture(**{"max_iter": 20} | options).fit(X, sample_weight=weight)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@given(seed=SEEDS, holes=st.sampled_from([0.0, 0.2]), share=st.sampled_from([0.01, 0.3, 0.9]))
@settings(max_examples=10)
def test_no_step_of_em_makes_the_data_less_likely(covariance_type, seed, holes, share):
    rng = np.random.default_rng(seed)
    X = draw(rng, random_mixture(rng, spread=3.0), 60)
    noise = UniformNoise(share, X.min(axis=0), X.max(axis=0))
    is_missing = rng.random(X.shape) < holes
    is_missing[:, 0] &= ~is_missing[:, 1]
    X[is_missing] = np.nan
    now, weight = random_mixture(rng, covariance_type).with_noise(noise), rng.uniform(0.1, 3.0, 60)
    now, bounds = now.replaced(covariances=100.0 * now.covariances), []
    for _ in range(15):
        statistics = expectation(X, now, weight)
        bounds.append(statistics.mean_log_likelihood)
        # No more narrow than the noise can be told from.
        now = maximization(statistics, now, covariance_floor=1e-3)
        assert now.shares.sum() == pytest.approx(1.0, rel=1e-12)
    # The floor follows the samples that are no noise, so it may rise a little under a component.
    assert (np.diff(bounds) >= -1e-9 * np.maximum(1.0, np.abs(bounds[:-1]))).all() or (
        np.linalg.eigvalsh(spelled(now)).min() < 2e-3 * np.nanvar(X)
    )


def spelled(parameters):
    spelled_out = parameters.component_covariances
    return spelled_out if spelled_out.ndim == 3 else spelled_out[:, :, None] * np.eye(2)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_heaps_among_outliers_are_found_as_they_are(covariance_type, dtype):
    X = blobs_with_outliers(np.random.default_rng(3)).astype(dtype)
    mixture = fitted(X, covariance_type=covariance_type, max_iter=200, tol=1e-6)
    alone = fitted(X, covariance_type=covariance_type, noise=False, max_iter=500, tol=1e-6)

    def error(one):
        apart = np.linalg.norm(one.means_[:, None] - CENTERS, axis=2)
        variance = one.parameters_.component_variances
        return apart.min(axis=0).max(), np.abs(np.log(variance)).max()

    (place, spread), (place_alone, spread_alone) = error(mixture), error(alone)
    assert place < 0.3
    assert spread < 0.35
    assert max(place_alone / place, spread_alone / spread) > 4.0
    assert mixture.parameters_.noise.weight == pytest.approx(0.1, abs=0.03)
    assert mixture.weights_.sum() == pytest.approx(1.0 - mixture.parameters_.noise.weight)
    assert (mixture.predict(X)[-100:] == -1).mean() > 0.85
    assert (mixture.predict(X)[:-100] == -1).mean() < 0.03


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 2.0**20), (2.0**-40, 0.0), (2.0**40, 0.0)])
def test_the_box_moves_along_with_origin_and_unit(covariance_type, scale, shift):
    X = np.round(blobs_with_outliers(np.random.default_rng(5), 300) * 512.0) / 512.0
    here = fitted(X, covariance_type=covariance_type)
    there = fitted(scale * X + shift, covariance_type=covariance_type)
    assert_allclose(there.weights_, here.weights_, rtol=1e-7)
    assert_allclose((there.means_ - shift) / scale, here.means_, rtol=1e-7, atol=1e-7)
    assert_allclose(there.covariances_ / scale**2, here.covariances_, rtol=1e-6, atol=1e-8)
    noise, moved = here.parameters_.noise, there.parameters_.noise
    assert moved.weight == pytest.approx(noise.weight, rel=1e-7)
    assert_array_equal(moved.low, scale * noise.low + shift)
    assert_array_equal(moved.high, scale * noise.high + shift)
    assert_array_equal(there.predict(scale * X + shift), here.predict(X))


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_weight_is_repetition_and_blocks_add_up(rng, covariance_type):
    X, times = blobs_with_outliers(rng, 300), rng.integers(1, 4, size=300)
    weighted = fitted(X, times, covariance_type=covariance_type, means_init=CENTERS)
    repeated = fitted(X.repeat(times, axis=0), covariance_type=covariance_type, means_init=CENTERS)
    assert_allclose(weighted.parameters_.shares, repeated.parameters_.shares, rtol=1e-9)
    assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-8, atol=1e-9)
    parts = fitted([X[:100], X[100:]], times, covariance_type=covariance_type, means_init=CENTERS)
    assert_allclose(parts.parameters_.shares, weighted.parameters_.shares, rtol=1e-9)


def as_blocks(X, weight):
    return lambda: ((X[rows], weight[rows]) for rows in (slice(0, 300), slice(300, None)))


@pytest.mark.parametrize("n_components", [3, [1, 2]])
@pytest.mark.parametrize("with_holes", [False, True])
@pytest.mark.parametrize("is_before", [False, True])
def test_a_row_of_weight_zero_is_absent(rng, n_components, with_holes, is_before):
    X = blobs_with_outliers(rng)
    if with_holes:
        X[::7, 0] = np.nan
    strangers = np.array([[1e4, -1e5], [np.nan, 1e6]])
    parts = [strangers, X] if is_before else [X, strangers]
    both = np.concatenate(parts)
    weight = np.concatenate([[float(part is X)] * len(part) for part in parts])
    alone = fitted(X, n_components=n_components, tol=1e-3).parameters_
    found = fitted(both, weight, n_components=n_components, tol=1e-3).parameters_
    assert_array_equal(found.noise.low, alone.noise.low)
    assert_array_equal(found.noise.high, alone.noise.high)
    assert_allclose(found.noise.weight, alone.noise.weight, rtol=1e-6)
    assert_allclose(found.means, alone.means, rtol=1e-6)
    if n_components == 3:
        streamed = fitted(as_blocks(both, weight), tol=1e-3).parameters_
        assert_array_equal(streamed.noise.low, alone.noise.low)
        assert_array_equal(streamed.noise.high, alone.noise.high)


def test_a_block_of_weight_zero_alone_does_not_widen_the_box(rng):
    X, far = blobs_with_outliers(rng), np.full((5, 2), 1e5)
    found = fitted(lambda: iter([(far, np.zeros(5)), (X, np.ones(len(X)))])).parameters_
    assert_array_equal(found.noise.high, fitted(X).parameters_.noise.high)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_without_noise_weights_sum_to_one(rng, covariance_type):
    X = blobs_with_outliers(rng, 200)
    mixture = fitted(X, covariance_type=covariance_type, noise=False)
    assert mixture.parameters_.noise is None
    assert mixture.weights_.sum() == pytest.approx(1.0, rel=1e-12)
    assert_array_equal(mixture.parameters_.shares, mixture.weights_)
    assert mixture.predict_proba(X).shape == (200, 3)
    assert mixture.sample(50)[1].min() >= 0
