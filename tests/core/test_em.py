"""Claims about the loop: when it stops, and what it writes down."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import expectation, maximization
from gmmseg.core.em import EMOptions, FitEvent, FitRecord, run_em
from gmmseg.core.parameters import MixtureParameters
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture


def fitted(X, start, *, find_worst=None, **options):
    return run_em(partial(expectation, X), start, EMOptions(**options), find_worst=find_worst)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_em_is_expectation_and_maximization_in_turn(rng, covariance_type):
    truth, start = random_mixture(rng, covariance_type), random_mixture(rng, covariance_type)
    X = draw(rng, truth, 80)
    found, record = fitted(X, start, tol=0.0, max_iter=7)
    bounds = []
    for _ in range(7):
        statistics = expectation(X, start)
        bounds.append(statistics.mean_log_likelihood)
        start = maximization(statistics, start)
    assert_allclose(found.weights, start.weights, rtol=1e-9)
    assert_allclose(found.means, start.means, rtol=1e-9)
    assert_allclose(found.covariances, start.covariances, rtol=1e-9)
    assert_allclose(record.lower_bounds, bounds, rtol=1e-12)


def test_the_first_bound_is_the_score_of_the_start(rng):
    start = random_mixture(rng)
    X = draw(rng, start, 50)
    _, record = fitted(X, start)
    assert record.lower_bounds[0] == expectation(X, start).mean_log_likelihood


def test_it_stops_when_the_likelihood_changes_by_less_than_tol(rng):
    start = random_mixture(rng)
    X = draw(rng, start, 200)
    _, record = fitted(X, start, tol=0.01)
    changes = np.diff(record.lower_bounds)
    assert changes[-1] < 0.01
    assert (changes[:-1] >= 0.01).all()
    assert record.is_converged
    assert record.stop_reason == "the mean log-likelihood changed by less than tol=0.01"
    assert record.events == ()


@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_it_stops_after_max_iter_iterations(rng, max_iter):
    start = random_mixture(rng)
    _, record = fitted(draw(rng, start, 200), start, tol=0.0, max_iter=max_iter)
    assert record.n_iter == len(record.lower_bounds) == max_iter
    assert not record.is_converged
    assert record.stop_reason == f"max_iter={max_iter} was reached"


def test_converging_in_the_last_iteration_allowed_is_converging():
    start = MixtureParameters([1.0], [[0.0]], [1.0], covariance_type="spherical")
    _, record = fitted([[-1.0], [1.0]], start, max_iter=2)
    assert (record.is_converged, record.n_iter) == (True, 2)


def test_it_stops_at_a_fall_and_gives_back_the_mixture_before():
    start = MixtureParameters([1.0], [[0.0]], [1.0], covariance_type="spherical")
    samples = iter([[[0.0], [2.0]], [[0.5], [1.5]], [[50.0], [90.0]]])
    found, record = run_em(lambda p: expectation(next(samples), p), start, EMOptions(tol=0.0))
    # The third E-step falls: what stays is the mixture that the second one saw, of variance 1.
    assert_array_equal(found.means, [[1.0]])
    assert_array_equal(found.covariances, [1.0])
    assert record.is_converged
    assert record.stop_reason == "the likelihood reached the limit of floating-point precision"
    assert record.n_iter == 2


def test_a_start_below_the_floor_is_raised_before_the_first_bound(rng):
    X = rng.normal(size=(50, 1))
    needle = MixtureParameters([1.0], [[0.0]], [1e-9], covariance_type="spherical")
    found, record = fitted(X, needle, covariance_floor=0.5, tol=0.0, max_iter=3)
    raised = MixtureParameters([1.0], [[0.0]], [0.5 * X.var()], covariance_type="spherical")
    assert record.lower_bounds[0] == pytest.approx(expectation(X, raised).mean_log_likelihood)
    assert found.covariances[0] == pytest.approx(X.var())


@pytest.fixture
def far_start():
    """Two components at the origin, one of them far from all samples of `two_heaps`."""
    return MixtureParameters([0.5, 0.5], [[5.0], [1e6]], [[30.0], [1.0]], covariance_type="diag")


@pytest.fixture
def two_heaps(rng):
    return np.concatenate([rng.normal(0.0, 1.0, (80, 1)), rng.normal(20.0, 1.0, (20, 1))])


def test_without_a_place_to_try_a_starved_component_is_dropped(two_heaps, far_start):
    found, record = fitted(two_heaps, far_start)
    assert record.events == (FitEvent(1, 1, "starved", "dropped"),)
    assert_array_equal(found.weights, [1.0, 0.0])
    assert_allclose(found.means[0], two_heaps.mean())


def test_a_starved_component_is_tried_where_the_data_are_explained_worst(two_heaps, far_start):
    places = []

    def find_worst(parameters):
        places.append(parameters)
        return np.array([20.0])

    found, record = fitted(two_heaps, far_start, find_worst=find_worst, tol=1e-6)
    _, without = fitted(two_heaps, far_start, tol=1e-6)
    assert record.events == (FitEvent(1, 1, "starved", "re-seeded"),)
    assert len(places) == 1
    assert places[0].weights[1] == 0.0
    assert_allclose(np.sort(found.means.ravel()), [0.0, 20.0], atol=0.6)
    assert record.lower_bounds[-1] > without.lower_bounds[-1] + 1.0


def test_a_component_at_a_new_place_gets_an_iteration_before_the_fit_may_end(two_heaps, far_start):
    # Any change is below this tol: after the start only the new place keeps the loop going.
    _, record = fitted(two_heaps, far_start, find_worst=lambda _: np.array([20.0]), tol=1e3)
    assert record.events == (FitEvent(1, 1, "starved", "re-seeded"),)
    assert record.n_iter == 3


def test_a_trial_that_explains_no_more_is_dropped(two_heaps):
    start = MixtureParameters(
        [1.0, 0.0], [[two_heaps.mean()], [0.0]], [two_heaps.var()] * 2, covariance_type="spherical"
    )
    found, record = fitted(two_heaps, start, find_worst=lambda _: np.array([-1e6]))
    assert record.events == (FitEvent(1, 1, "starved", "dropped"),)
    assert_array_equal(found.weights, [1.0, 0.0])


def test_a_trial_that_only_the_m_step_made_better_is_dropped(two_heaps, far_start):
    # One M-step gains more than the 1 % of weight costs that this trial wastes on an empty place.
    found, record = fitted(two_heaps, far_start, find_worst=lambda _: np.array([-1e6]))
    assert_array_equal(found.weights, [1.0, 0.0])
    assert record.events == (FitEvent(1, 1, "starved", "dropped"),)


def test_the_likelihood_rises_across_a_rescue(two_heaps, far_start):
    _, record = fitted(two_heaps, far_start, find_worst=lambda _: np.array([20.0]), tol=1e-6)
    assert (np.diff(record.lower_bounds) > -1e-9).all()


def test_twins_are_found_once_the_likelihood_stands_still(two_heaps):
    twins = MixtureParameters([0.5, 0.5], [[5.0]] * 2, [[30.0]] * 2, covariance_type="diag")
    found, record = fitted(two_heaps, twins, find_worst=lambda _: np.array([20.0]), tol=1e-6)
    assert [(e.component, e.reason, e.action) for e in record.events] == [
        (1, "duplicate", "re-seeded")
    ]
    assert_allclose(np.sort(found.means.ravel()), [0.0, 20.0], atol=0.6)


def test_a_dropped_twin_leaves_its_weight_to_the_other(two_heaps):
    three = MixtureParameters(
        [0.8, 0.1, 0.1], [[0.0], [20.0], [20.0]], [[1.0]] * 3, covariance_type="diag"
    )
    found, record = fitted(two_heaps, three, tol=1e-6)
    assert [(e.component, e.reason, e.action) for e in record.events] == [
        (2, "duplicate", "dropped")
    ]
    assert_allclose(found.weights, [0.8, 0.2, 0.0], atol=1e-6)


def test_a_component_that_starves_in_the_last_iteration_is_written_down(two_heaps, far_start):
    found, record = fitted(two_heaps, far_start, max_iter=1)
    assert found.weights[1] == 0.0
    assert record.events == (FitEvent(1, 1, "starved", "dropped"),)


def test_the_record_counts_its_iterations():
    assert FitRecord((-3.0, -2.0), is_converged=True, stop_reason="").n_iter == 2


def test_em_leaves_its_arguments_alone(rng):
    start = random_mixture(rng)
    X = draw(rng, start, 50)
    before = X.copy(), start.weights.copy(), start.means.copy(), start.covariances.copy()
    fitted(X, start)
    for array, copy in zip((X, start.weights, start.means, start.covariances), before, strict=True):
        assert_array_equal(array, copy)


@pytest.mark.parametrize("option", [{"has_labels": True}, {"fixed": frozenset({"means"})}])
@pytest.mark.parametrize("max_iter", [1, 50])
def test_with_labels_or_fixed_parts_every_component_stays_as_it_is(
    two_heaps, far_start, option, max_iter
):
    options = EMOptions(max_iter=max_iter, fixed=option.get("fixed", frozenset()))
    found, record = run_em(
        partial(expectation, two_heaps),
        far_start,
        options,
        find_worst=lambda _: np.array([20.0]),
        has_labels=option.get("has_labels", False),
    )
    assert record.events == ()
    assert_array_equal(found.means[1], far_start.means[1])
    assert_array_equal(found.weights, [1.0, 0.0])


def test_a_fixed_covariance_is_not_raised_to_the_floor(rng):
    X = rng.normal(size=(50, 1))
    needle = MixtureParameters([1.0], [[0.0]], [1e-9], covariance_type="spherical")
    found, _ = fitted(X, needle, covariance_floor=0.5, fixed=frozenset({"covariances"}))
    assert_array_equal(found.covariances, [1e-9])
    assert_allclose(found.means[0], X.mean())


def test_where_nothing_is_free_the_first_bound_is_the_last(rng):
    start = random_mixture(rng)
    X = draw(rng, start, 50)
    everything = frozenset({"weights", "means", "covariances"})
    found, record = fitted(X, start, fixed=everything)
    assert record.is_converged
    assert record.lower_bounds == (expectation(X, start).mean_log_likelihood,) * 2
    assert_array_equal(found.means, start.means)
