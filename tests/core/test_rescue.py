"""Claims about components that explain nothing of their own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import rescue
from gmmseg.core.parameters import MixtureParameters
from tests.mixtures import COVARIANCE_TYPES, SKLEARN_TYPES, random_mixture


def line(weights, means, variances):
    """Return a mixture of one feature."""
    return MixtureParameters(
        weights, np.array(means)[:, None], variances, covariance_type="spherical"
    )


def test_a_component_below_a_billionth_of_the_weight_is_starved():
    parameters = line([1 - 0.9e-9, 0.9e-9], [0.0, 1.0], [1.0, 1.0])
    assert rescue.find_redundant(parameters, set(), with_twins=False) == rescue.Redundant(
        1, "starved"
    )
    fed = line([1 - 1.1e-9, 1.1e-9], [0.0, 1.0], [1.0, 1.0])
    assert rescue.find_redundant(fed, set(), with_twins=False) is None


def test_a_component_is_tried_once():
    parameters = line([1.0, 0.0], [0.0, 1.0], [1.0, 1.0])
    assert rescue.find_redundant(parameters, {1}, with_twins=True) is None


@pytest.mark.parametrize(
    ("means", "variances", "is_twin"),
    [
        ([0.0, 0.0], [1.0, 1.0], True),
        ([0.0, 1e-7], [1.0, 1.0], True),
        ([0.0, 1e-5], [1.0, 1.0], False),
        ([0.0, -1e-5], [1.0, 1.0], False),
        ([0.0, 0.0], [1.0, 1.0 + 1e-5], False),
        ([0.0, 0.0], [1.0, 1.0 - 1e-5], False),
        ([0.0, 1e-5], [1e4, 1e4], True),  # in standard deviations, not in units
    ],
)
def test_twins_share_mean_and_variance_to_a_millionth(means, variances, is_twin):
    found = rescue.find_redundant(line([0.5, 0.5], means, variances), set(), with_twins=True)
    assert found == (rescue.Redundant(1, "duplicate", 0) if is_twin else None)


def test_twins_are_looked_for_only_when_asked():
    twins = line([0.5, 0.5], [0.0, 0.0], [1.0, 1.0])
    assert rescue.find_redundant(twins, set(), with_twins=False) is None


def test_twins_differ_if_one_feature_does():
    parameters = MixtureParameters(
        [0.5, 0.5], [[0.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]] * 2, covariance_type="diag"
    )
    assert rescue.find_redundant(parameters, set(), with_twins=True) is None


def test_two_crossing_components_are_no_twins():
    rising, falling = [[1.0, 0.9], [0.9, 1.0]], [[1.0, -0.9], [-0.9, 1.0]]
    cross = MixtureParameters([0.5, 0.5], [[0.0, 0.0]] * 2, [rising, falling])
    assert rescue.find_redundant(cross, set(), with_twins=True) is None


def test_a_component_of_weight_zero_is_nobodys_twin():
    parameters = line([0.5, 0.0, 0.5], [9.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    assert rescue.find_redundant(parameters, {1}, with_twins=True) is None


def test_switching_off_shares_the_weight_in_proportion():
    off = rescue.switch_off(line([0.5, 0.3, 0.2], [0.0, 1.0, 2.0], [1.0] * 3), 0)
    assert_allclose(off.weights, [0.0, 0.6, 0.4])


def test_switching_off_leaves_the_weight_to_the_heir():
    off = rescue.switch_off(line([0.5, 0.3, 0.2], [0.0, 1.0, 2.0], [1.0] * 3), 0, heir=2)
    assert_allclose(off.weights, [0.0, 0.3, 0.7])


def test_switching_on_puts_a_component_as_wide_as_the_others_on_average():
    off = line([0.75, 0.0, 0.25], [0.0, 9.0, 2.0], [1.0, 50.0, 5.0])
    on = rescue.switch_on(off, 1, np.array([7.0]), 0.0)
    assert_allclose(on.weights, [0.7425, 0.01, 0.2475])
    assert_array_equal(on.means.ravel(), [0.0, 7.0, 2.0])
    assert_allclose(on.covariances, [1.0, 2.0, 5.0])


# In the other families the mean of two covariances is of another volume or shape: room is made for
# the new component by a small change of all.
@pytest.mark.parametrize("covariance_type", [*SKLEARN_TYPES, "EII", "EEI", "VEI", "VEE", "VVE"])
def test_switching_off_and_on_leaves_the_other_components(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type)
    changed = rescue.switch_on(rescue.switch_off(parameters, 1), 1, np.array([4.0, 5.0]), 0.0)
    assert_array_equal(changed.means[[0, 2]], parameters.means[[0, 2]])
    others = [0, 2]
    assert_allclose(
        changed.component_variances[others], parameters.component_variances[others], rtol=1e-12
    )
    assert changed.weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_mixture_above_the_floor_is_returned_itself(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type)
    assert rescue.raise_to_floor(parameters, 1e-6) is parameters


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_mixture_below_the_floor_is_raised_to_it(rng, covariance_type):
    raised = rescue.raise_to_floor(random_mixture(rng, covariance_type), 1e3)
    assert_allclose(raised.component_variances, 1e3)
