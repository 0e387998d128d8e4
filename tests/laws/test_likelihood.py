"""Law: the likelihood never falls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmmseg.core import GaussianMixture, MixtureParameters, expectation, maximization
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

SEEDS = st.integers(0, 2**32 - 1)
TOLERANCE = 1e-9
VARIANCE_TYPES = ["diag", "spherical", "EII", "EEI", "VEI", "EVI"]


def largest_fall(bounds):
    """Return the largest relative fall from one likelihood to the next."""
    bounds = np.asarray(bounds)
    return (-np.diff(bounds) / np.maximum(1.0, np.abs(bounds[:-1]))).max()


# The loop of EM has a guard that stops at a fall, so the law is stated without it.
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@given(
    seed=SEEDS, n_features=st.sampled_from([1, 2, 3]), floor=st.sampled_from([0.0, 1e-6, 0.05, 0.5])
)
@settings(max_examples=20)
def test_no_step_of_em_makes_the_data_less_likely(covariance_type, seed, n_features, floor):
    rng = np.random.default_rng(seed)
    if covariance_type not in VARIANCE_TYPES:
        # A matrix cannot hold eigenvalues 1e16 times apart, which a component of too few samples
        # has without a floor.
        floor = max(floor, 1e-6)
    truth = random_mixture(rng, "full", n_features=n_features, spread=3.0)
    start = random_mixture(rng, covariance_type, n_features=n_features)
    X, weight = draw(rng, truth, 60), rng.uniform(0.1, 3.0, size=60)
    # Wide enough to lie above any floor, as the law asks.
    now = MixtureParameters(
        start.weights, start.means, 100.0 * start.covariances, covariance_type=covariance_type
    )
    bounds = []
    for _ in range(15):
        statistics = expectation(X, now, weight)
        bounds.append(statistics.mean_log_likelihood)
        now = maximization(statistics, now, covariance_floor=floor)
    # The same, less far apart: what equal volumes make of a component at the floor.
    assert largest_fall(bounds) <= (TOLERANCE if floor != 1e-6 else 1e-8)
    assert bounds[-1] > bounds[0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@given(seed=SEEDS, n_components=st.integers(1, 5), dtype=st.sampled_from([np.float32, np.float64]))
@settings(max_examples=15)
def test_no_iteration_of_a_fit_makes_the_data_less_likely(
    covariance_type, seed, n_components, dtype
):
    rng = np.random.default_rng(seed)
    X = draw(rng, random_mixture(rng, spread=3.0), 80).astype(dtype)
    mixture = GaussianMixture(
        n_components, covariance_type=covariance_type, random_state=0, tol=0.0, max_iter=25
    ).fit(X)
    assert largest_fall([*mixture.lower_bounds_, mixture.score(X)]) <= (
        TOLERANCE if dtype == np.float64 else 1e-5
    )
