"""Claims about the halves of the E-step: together they are the whole."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.estep import weighted_statistics
from gmmseg.core.halves import joint_log_densities, statistics_given
from gmmseg.core.noise import noise_around
from gmmseg.core.statistics import SufficientStatistics
from tests import naive
from tests.mixtures import draw, random_mixture, spelled_out

TOLERANCE = {np.float32: 1e-4, np.float64: 1e-10}
# Each compiles for seconds: one of every way through the kernels.
CASES = [
    ("full", 3, np.float32),
    ("tied", 3, np.float64),
    ("diag", 10, np.float64),
    ("diag", 3, np.float64),
]


def case(rng, covariance_type, n_features, dtype, n_samples=2345):
    parameters = random_mixture(rng, covariance_type, n_features=n_features)
    return parameters, draw(rng, parameters, n_samples).astype(dtype)


@pytest.mark.parametrize(("covariance_type", "n_features", "dtype"), CASES)
def test_joint_is_the_naive_log_prob_in_the_dtype_of_the_samples(
    rng, covariance_type, n_features, dtype
):
    parameters, X = case(rng, covariance_type, n_features, dtype, n_samples=101)
    joint = joint_log_densities(X, parameters)
    wanted = naive.log_prob(X, parameters.weights, parameters.means, spelled_out(parameters))
    assert joint.dtype == dtype
    assert_allclose(joint, wanted.T, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize(("covariance_type", "n_features", "dtype"), CASES)
def test_posterior_of_the_joint_gives_the_statistics_of_the_e_step(
    rng, covariance_type, n_features, dtype
):
    parameters, X = case(rng, covariance_type, n_features, dtype)
    joint = joint_log_densities(X, parameters)
    resp = np.exp(joint - joint.max(axis=0))
    found = statistics_given(X, (resp / resp.sum(axis=0)).astype(dtype), parameters)
    wanted = weighted_statistics(X, parameters)
    for name in ("resp_sum", "dev_sum", "dev2_sum"):
        atol = TOLERANCE[dtype] * np.abs(getattr(wanted, name)).max()
        assert_allclose(getattr(found, name), getattr(wanted, name), atol=atol)
    assert np.isnan(found.log_likelihood)


def test_sure_labels_give_the_moments_of_each_group(rng):
    parameters, X = case(rng, "full", 3, np.float64)
    labels = rng.integers(0, 3, len(X))
    found = statistics_given(X, np.eye(3)[:, labels].copy(), parameters)
    for k in range(3):
        group = X[labels == k]
        assert_allclose(found.new_means()[k], group.mean(axis=0), rtol=1e-10)
        assert_allclose(found.new_scatter()[k], np.cov(group.T, bias=True), rtol=1e-10)


def test_noise_is_the_last_row(rng):
    parameters, X = case(rng, "diag", 3, np.float64, n_samples=500)
    parameters = parameters.with_noise(noise_around(X))
    joint = joint_log_densities(X, parameters)
    resp = np.exp(joint - joint.max(axis=0))
    found = statistics_given(X, resp / resp.sum(axis=0), parameters)
    wanted: SufficientStatistics = weighted_statistics(X, parameters)
    assert joint.shape == (4, 500)
    assert_allclose(found.noise_sum, wanted.noise_sum, rtol=1e-8)
    assert_allclose(found.resp_sum, wanted.resp_sum, rtol=1e-8)


def test_number_of_threads_does_not_matter(rng):
    parameters, X = case(rng, "full", 3, np.float32, n_samples=20_000)
    joint = [joint_log_densities(X, parameters, n_jobs) for n_jobs in (1, 3)]
    assert_array_equal(*joint)
    sums = [statistics_given(X, joint[0], parameters, n_jobs).dev2_sum for n_jobs in (1, 3)]
    assert_array_equal(*sums)
