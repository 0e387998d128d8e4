"""Claims about stepwise EM: what a block changes, what is forgotten, what stays."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, expectation
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.stepwise import learned
from gmmseg.errors import InputError
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

NAN = float("nan")


def record(weight_sum):
    return FitRecord((), is_converged=False, stop_reason="", weight_sum=weight_sum)


def after(parameters, block, *, seen, rate=1.0, **options):
    statistics = expectation(block, parameters)
    options = EMOptions(**{"covariance_floor": 0.0} | options)
    return learned(parameters, record(seen), statistics, options, forgetting_rate=rate)


def test_the_share_of_a_block_by_hand():
    one = GaussianMixture.from_parameters([1.0], [[0.0]], [[[1.0]]]).parameters_
    # 12 samples after 4 others are 3/4 of all; the mean goes there at rate 1, variance 1 each:
    # 1 + 3/4 * 1/4 * 8 ** 2 = 13 less the spread that the block does not have, 3/4.
    found, _ = after(one, np.full((12, 1), 8.0), seen=4.0)
    assert_allclose(found.means, [[6.0]])
    assert_allclose(found.covariances, [[[0.25 + 12.0]]])
    # Half the rate in the logarithm: the square root of 3/4.
    found, _ = after(one, np.full((12, 1), 8.0), seen=4.0, rate=0.5)
    assert_allclose(found.means, [[8.0 * np.sqrt(0.75)]])


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_after_endless_samples_a_block_changes_nothing(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type)
    found, _ = after(parameters, rng.normal(size=(10, 2)) + 50.0, seen=1e18)
    assert_allclose(found.weights, parameters.weights, rtol=1e-9)
    assert_allclose(found.means, parameters.means, rtol=1e-9)
    assert_allclose(found.component_covariances, parameters.component_covariances, rtol=1e-6)


def test_a_mixture_that_has_seen_nothing_takes_one_step_of_em(rng):
    parameters = random_mixture(rng)
    X = draw(rng, parameters, 100)
    given = GaussianMixture.from_parameters(
        parameters.weights, parameters.means, parameters.covariances
    ).partial_fit(X)
    step = GaussianMixture(
        3,
        max_iter=1,
        tol=0.0,
        weights_init=parameters.weights,
        means_init=parameters.means,
        precisions_init=parameters.precisions,
    ).fit(X)
    assert_allclose(given.means_, step.means_, rtol=1e-9)
    assert_allclose(given.covariances_, step.covariances_, rtol=1e-9)


def test_what_is_fixed_stays(rng):
    parameters = random_mixture(rng)
    for name in ("weights", "means", "covariances"):
        found, _ = after(parameters, rng.normal(size=(50, 2)), seen=50.0, fixed=frozenset([name]))
        for part in ("weights", "means", "covariances"):
            is_same = np.array_equal(getattr(found, part), getattr(parameters, part))
            assert is_same == (part == name)


def test_the_record_tells_of_the_last_block_and_counts_them_all(rng):
    parameters = random_mixture(rng)
    X = draw(rng, parameters, 30)
    _, told = after(parameters, X, seen=70.0)
    assert told.weight_sum == pytest.approx(100.0)
    assert told.lower_bounds == (expectation(X, parameters).mean_log_likelihood,)
    assert not told.is_converged
    assert told.stop_reason == "learned from a block of samples"


def test_a_million_blocks_leave_no_longer_a_record_than_one(rng):
    stream = GaussianMixture(2, random_state=0)
    for _ in range(5):
        stream.partial_fit(rng.normal(size=(50, 2)))
    assert (stream.n_iter_, len(stream.lower_bounds_)) == (1, 1)
    assert stream.record_.weight_sum == pytest.approx(250.0)


def test_the_first_block_is_a_fit(rng):
    X = draw(rng, random_mixture(rng), 100)
    one = GaussianMixture(3, random_state=0).partial_fit(X)
    other = GaussianMixture(3, random_state=0).fit(X)
    assert_array_equal(one.means_, other.means_)


def test_weight_is_repetition_in_a_block_too(rng):
    X, times = rng.normal(size=(40, 2)), rng.integers(0, 4, size=40)
    one, other = (GaussianMixture(2, random_state=0).fit(X) for _ in range(2))
    one.partial_fit(X + 1.0, sample_weight=times)
    other.partial_fit((X + 1.0).repeat(times, axis=0))
    assert_allclose(one.means_, other.means_, rtol=1e-9)
    assert_allclose(one.covariances_, other.covariances_, rtol=1e-9)
    assert one.record_.weight_sum == pytest.approx(other.record_.weight_sum)


def test_rows_that_miss_all_count_for_nothing_in_a_block(rng):
    X = rng.normal(size=(40, 2))
    one, other = (GaussianMixture(2, random_state=0).fit(X) for _ in range(2))
    one.partial_fit(np.concatenate([X, np.full((30, 2), NAN)]) + 1.0)
    other.partial_fit(X + 1.0)
    assert_allclose(one.means_, other.means_, rtol=1e-9)
    assert one.record_.weight_sum == other.record_.weight_sum == 80.0


def test_the_noise_goes_on_learning_its_weight(rng):
    X = np.concatenate([rng.normal(size=(300, 2)), rng.uniform(-20.0, 20.0, size=(30, 2))])
    stream = GaussianMixture(1, noise=True, random_state=0, forgetting_rate=1.0).fit(X)
    for _ in range(10):
        stream.partial_fit(rng.normal(size=(300, 2)))
    noise = stream.parameters_.noise
    assert noise.weight < 0.03
    assert stream.weights_.sum() + noise.weight == pytest.approx(1.0, abs=1e-12)
    assert_allclose(stream.covariances_[0], np.eye(2), atol=0.15)


def test_a_prior_acts_in_the_first_block_and_fades_as_its_samples_do():
    first, rest = np.array([[-1.0], [1.0]]), np.zeros((98, 1))
    stream = GaussianMixture(covariance_prior=2.0, forgetting_rate=1.0).partial_fit(first)
    assert_allclose(stream.covariances_, [[[1.0]]])  # its own variance 1, the prior's 1
    stream.partial_fit(rest)
    assert_allclose(stream.covariances_, [[[0.02]]])


def test_another_number_of_features_is_refused(rng):
    stream = GaussianMixture(1).partial_fit(rng.normal(size=(9, 2)))
    with pytest.raises(ValueError, match="X has 3 features, but GaussianMixture is expecting 2"):
        stream.partial_fit(rng.normal(size=(9, 3)))


@pytest.mark.parametrize("rate", [0.5, 0.0, 1.01])
def test_a_rate_at_which_chance_does_not_average_out_is_refused(rate):
    message = rf"^forgetting_rate must be above 0\.5 and at most 1, got {rate}$"
    with pytest.raises(InputError, match=message):
        GaussianMixture(forgetting_rate=rate).partial_fit([[0.0], [1.0]])


def test_adapting_keeps_count_of_the_samples(rng):
    X = rng.normal(size=(40, 2))
    assert GaussianMixture(1).fit(X).adapt(X[:10]).record_.weight_sum == pytest.approx(50.0)
