"""Information criteria, checked by hand."""

import numpy as np
import pytest

from gmmseg.core import GaussianMixture, criteria


@pytest.fixture
def two():
    """Two components at -1 and 1, so that 0 belongs to both and 50 to one."""
    return GaussianMixture.from_parameters(
        [0.5, 0.5], [[-1.0], [1.0]], [1.0, 1.0], covariance_type="spherical"
    )


def test_criteria_are_their_formulas():
    assert criteria.bic(-10.0, 3, np.e**2) == pytest.approx(20.0 + 6.0)
    assert criteria.aic(-10.0, 3) == 26.0
    assert criteria.icl(26.0, 1.5) == 29.0


def test_a_sample_between_two_components_is_unsure_by_log_2(two):
    entropy = criteria.assignment_entropy(np.array([[0.0], [50.0]]), two.parameters_)
    assert entropy == pytest.approx(np.log(2.0))


def test_entropy_counts_a_sample_as_often_as_its_weight(two):
    X, weight = np.array([[0.0], [0.3], [50.0]]), np.array([3.0, 0.0, 2.0])
    entropy = criteria.assignment_entropy(X, two.parameters_, weight)
    assert entropy == pytest.approx(3 * np.log(2.0))


def test_entropy_of_many_samples_is_that_of_their_blocks(two, rng, monkeypatch):
    X = rng.normal(size=(1_000, 1))
    whole = criteria.assignment_entropy(X, two.parameters_)
    monkeypatch.setattr(criteria, "BLOCK_SIZE", 130)
    assert criteria.assignment_entropy(X, two.parameters_) == pytest.approx(whole, rel=1e-12)


def test_icl_is_bic_where_the_components_lie_apart_and_more_where_they_overlap(two, rng):
    apart = np.repeat([[-30.0], [30.0]], 20, axis=0)
    assert two.icl(apart) == pytest.approx(two.bic(apart))
    overlapping = rng.normal(size=(40, 1))
    entropy = criteria.assignment_entropy(overlapping, two.parameters_)
    assert two.icl(overlapping) == pytest.approx(two.bic(overlapping) + 2.0 * entropy)
    assert entropy > 1.0


def test_icl_prefers_the_number_of_groups_that_lie_apart(rng):
    X = np.concatenate([rng.normal(size=(300, 1)), rng.normal(size=(300, 1)) + 12.0])
    scores = [GaussianMixture(k, random_state=0).fit(X).icl(X) for k in (1, 2, 3)]
    assert int(np.argmin(scores)) == 1
