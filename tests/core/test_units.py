"""Features in units that have nothing in common, as a rate beside an income: none is drowned."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg import GaussianMixture
from gmmseg.core.initialization import unlike_units

INCOME_AND_RATE = np.array([18_000.0, 0.2])


@pytest.fixture
def two_rates(rng):
    """Return incomes and rates, and whether the rate is the high one."""
    is_high = rng.random(1000) < 0.5
    rates = np.where(is_high, 0.7, 0.3) + rng.normal(scale=0.05, size=1000)
    return np.column_stack([rng.normal(50_000, 18_000, size=1000), rates]), is_high


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "EVV", "VVE", "EEV"])
def test_the_spread_of_a_rate_beside_an_income_is_that_of_the_rate(two_rates, covariance_type):
    X, is_high = two_rates
    mixture = GaussianMixture(1, covariance_type=covariance_type).fit(X[is_high])
    deviation = np.sqrt(mixture.parameters_.component_variances[0, 1])
    assert deviation == pytest.approx(X[is_high, 1].std(), rel=1e-6)


@pytest.mark.parametrize("init_params", ["k-means++", "hierarchical"])
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_groups_of_a_rate_beside_an_income_are_found(two_rates, covariance_type, init_params):
    X, is_high = two_rates
    mixture = GaussianMixture(
        2, covariance_type=covariance_type, init_params=init_params, random_state=0
    )
    found = mixture.fit_predict(X)
    assert max(np.mean(found == is_high), np.mean(found != is_high)) > 0.99


def test_the_number_of_groups_of_a_rate_beside_an_income_is_found(two_rates):
    X, _ = two_rates
    assert GaussianMixture("auto", random_state=0).fit(X).selection_.best.n_components == 2


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_a_fit_in_other_units_is_the_same(two_rates, covariance_type):
    X, _ = two_rates
    options = {"covariance_type": covariance_type, "random_state": 0, "tol": 1e-9}
    plain = GaussianMixture(2, **options).fit(X)
    scaled = GaussianMixture(2, **options).fit(X / INCOME_AND_RATE)
    order = plain.means_[:, 1].argsort(), scaled.means_[:, 1].argsort()
    assert_allclose(plain.means_[order[0]] / INCOME_AND_RATE, scaled.means_[order[1]], rtol=1e-3)


def test_units_are_told_apart_where_spreads_are_far_apart():
    X = np.array([[0.0, 0.0, 5.0, np.nan], [200.0, 2.0, 5.0, np.nan]])
    assert_array_equal(unlike_units(X), [100.0, 1.0, 1.0, 1.0])
    assert unlike_units(X[:, 1:3]) is None
    assert unlike_units(X / [10.0, 1.0, 1.0, 1.0]) is None
