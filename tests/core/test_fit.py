"""Claims about a whole fit: starts given, starts found, the best of several."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.data import TableData
from gmmseg.core.em import EMOptions
from gmmseg.core.fit import Start, fit_data, fit_mixture
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

ONE_STEP = EMOptions(max_iter=1, covariance_floor=0.0)


@pytest.fixture
def X(rng):
    return draw(rng, random_mixture(rng, spread=5.0), 200)


def fitted(X, options=None, *, seed=0, weight=None, **start):
    start = Start(rng=np.random.default_rng(seed), **{"n_components": 3, **start})
    return fit_mixture(X, weight, start, options or EMOptions())


def first_bound(X, **start):
    return fitted(X, ONE_STEP, **start)[1].lower_bounds[0]


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_start_given_in_full_is_where_em_begins(rng, X, covariance_type):
    given = random_mixture(rng, covariance_type)
    bound = first_bound(
        X,
        covariance_type=covariance_type,
        weights=given.weights,
        means=given.means,
        precisions=given.precisions,
    )
    assert bound == pytest.approx(first_bound(X, previous=given), rel=1e-12)


def test_given_means_alone_keep_their_order(rng):
    X = np.concatenate([rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 20.0])
    for means in ([[0.0, 0.0], [20.0, 20.0]], [[20.0, 20.0], [0.0, 0.0]]):
        found, _ = fitted(X, n_components=2, means=means)
        assert_allclose(found.means, means, atol=0.6)


def test_given_weights_alone_take_the_place_of_those_found(X):
    even = first_bound(X, weights=[1 / 3] * 3)
    odd = first_bound(X, weights=[0.98, 0.01, 0.01])
    assert odd < even - 0.1


def test_given_precisions_alone_take_the_place_of_those_found(X):
    wide = first_bound(X, precisions=[1e-4] * 3, covariance_type="spherical")
    found = first_bound(X, covariance_type="spherical")
    assert wide < found - 1.0


def test_a_start_given_in_full_ignores_the_seed(rng, X):
    given = random_mixture(rng)
    start = {"weights": given.weights, "means": given.means, "precisions": given.precisions}
    one, other = (fitted(X, seed=seed, n_init=3, **start)[0] for seed in (1, 2))
    assert_array_equal(one.means, other.means)


def test_several_starts_keep_the_most_likely_result(X):
    options = EMOptions(max_iter=3)
    rng = np.random.default_rng(4)
    single = [
        fit_mixture(X, None, Start(n_components=3, rng=rng, method="random"), options)[1]
        for _ in range(4)
    ]
    bounds = [record.lower_bounds[-1] for record in single]
    assert max(bounds) > min(bounds) + 1e-6
    best = fitted(X, options, seed=4, method="random", n_init=4)[1]
    assert best.lower_bounds[-1] >= max(bounds) - 1e-9


def test_going_on_from_the_last_solution_goes_on(X):
    options = EMOptions(tol=0.0, max_iter=4)
    half, record = fitted(X, options)
    whole, _ = fitted(X, EMOptions(tol=0.0, max_iter=8))
    rest, more = fitted(X, options, previous=half)
    assert_allclose(rest.means, whole.means, rtol=1e-9)
    assert more.lower_bounds[0] > record.lower_bounds[-1] - 1e-12


def test_more_components_than_distinct_samples_are_dropped_and_said_so():
    X = np.repeat([[0.0], [1.0], [5.0]], [4, 3, 2], axis=0)
    found, record = fitted(X, n_components=5)
    assert_allclose(np.sort(found.weights), [0.0, 0.0, 2 / 9, 3 / 9, 4 / 9], atol=1e-9)
    assert {event.action for event in record.events} == {"dropped"}
    assert {event.component for event in record.events} == set(np.flatnonzero(found.weights == 0))


def test_a_component_far_from_all_samples_is_re_seeded_and_pays(rng):
    X = np.concatenate([rng.normal(size=(80, 2)), rng.normal(size=(40, 2)) + 15.0])
    start = MixtureParameters([0.5, 0.5], [[5.0, 5.0], [1e5, 1e5]], [np.eye(2)] * 2)
    alone = MixtureParameters([1.0], [[5.0, 5.0]], [np.eye(2)])
    found, record = fitted(X, previous=start)
    _, without = fitted(X, previous=alone)
    assert [(e.component, e.reason, e.action) for e in record.events] == [
        (1, "starved", "re-seeded")
    ]
    assert record.lower_bounds[-1] > without.lower_bounds[-1] + 1.0
    assert_allclose(np.sort(found.means[:, 0]), [0.0, 15.0], atol=0.7)


def crossing():
    """Return two mirrored heaps that cross at the origin, and the mixture that made them."""
    X = np.random.default_rng(0).normal(size=(100, 2)) @ [[2.1, 2.1], [0.14, -0.14]]
    X = np.concatenate([X, -X])
    covariance = np.array([[1.0, 0.5], [0.5, 1.0]])
    start = MixtureParameters([0.5, 0.5], [[0.0, 0.0]] * 2, [covariance, [[1, -0.5], [-0.5, 1]]])
    return np.concatenate([X, X * [1, -1]]), start


def test_two_crossing_heaps_are_two_components_and_nothing_is_dropped():
    X, start = crossing()
    found, record = fitted(X, EMOptions(tol=1e-6, max_iter=500), previous=start)
    assert_allclose(found.weights, [0.5, 0.5], atol=1e-6)
    assert record.events == ()


BAD_STARTS = {
    "means": ({"means": [[0.0, 0.0]]}, "means_init must have shape (3, 2), got (1, 2)"),
    "weights": ({"weights": [1.0]}, "weights_init must have shape (3,), got (1,)"),
    "precisions": (
        {"precisions": np.eye(2)},
        "precisions_init must have shape (3, 2, 2), got (2, 2)",
    ),
    "NaN": (
        {"means": [[0.0, float("nan")]] * 3},
        "means_init must be finite, got NaN or infinity",
    ),
    "indefinite": (
        {"precisions": [np.eye(2), -np.eye(2), np.eye(2)]},
        "precisions_init must be positive definite; matrix 1 is not",
    ),
    "weights that sum to 3": (
        {"weights": [1.0, 1.0, 1.0]},
        "weights_init must be at least 0 and sum to 1, got [1. 1. 1.]; divide it by its sum",
    ),
    "method": (
        {"method": "magic"},
        "init_params must be one of k-means++, random, hierarchical, got 'magic'",
    ),
    "family": (
        {"covariance_type": "round"},
        (
            "covariance_type must be one of full, tied, diag, spherical, EII, EEI, VEI, EVI, VEE, "
            "EVE, VVE, EEV, VEV, EVV, got 'round'"
        ),
    ),
}


@pytest.mark.parametrize(("start", "message"), BAD_STARTS.values(), ids=BAD_STARTS)
def test_a_start_that_does_not_fit_is_refused_by_name(X, start, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fitted(X, **start)


def test_a_start_that_is_text_is_refused_by_name(X):
    with pytest.raises(InputError, match=r"^means_init must be "):
        fitted(X, means="abc")


def test_a_sample_given_is_where_the_start_is_searched(rng):
    X = np.concatenate([rng.normal(size=(50, 1)), rng.normal(size=(50, 1)) + 20.0])
    everywhere = fitted(X, ONE_STEP, n_components=2)[0]
    one_heap = fitted(X, ONE_STEP, n_components=2, sample=X[:50])[0]
    assert_allclose(np.sort(everywhere.means.ravel()), [0.0, 20.0], atol=0.5)
    # Both components begin in the first heap, and one step cannot leave one of them there alone.
    assert_allclose(everywhere.weights, 0.5, atol=1e-6)
    assert abs(one_heap.weights[0] - 0.5) > 0.05


def test_the_subsample_finds_a_start_for_a_large_table(rng):
    X = np.concatenate([rng.normal(size=(30_000, 1)), rng.normal(size=(15_000, 1)) + 30.0])
    found, record = fitted(X, n_components=2)
    order = found.means.ravel().argsort()
    assert_allclose(found.weights[order], [2 / 3, 1 / 3], atol=1e-3)
    assert record.is_converged


def scattered_blobs(seed):
    """Return eight blobs of standard deviation 1 that chance put somewhere."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-30.0, 30.0, size=(8, 2))
    return centres[rng.integers(0, 8, 2_000)] + rng.normal(size=(2_000, 2))


def test_short_rounds_find_what_ten_whole_fits_find_where_one_start_seldom_does():
    gains, losses = [], []
    for seed in range(6):
        X, start = scattered_blobs(seed), {"n_components": 8, "method": "random"}
        rng = np.random.default_rng(seed)
        whole = [fit_mixture(X, None, Start(rng=rng, **start), EMOptions())[1] for _ in range(10)]
        bounds = [record.lower_bounds[-1] for record in whole]
        short = fitted(X, seed=seed, n_init=10, **start)[1].lower_bounds[-1]
        gains.append(short - bounds[0])
        losses.append(max(bounds) - short)
    assert max(losses) < 0.01
    assert np.mean(gains) > 0.1


def test_of_many_samples_several_starts_are_compared_on_some(rng):
    n_seen = []

    class Counted(TableData):
        def statistics(self, parameters):
            n_seen.append(len(self.X))
            return super().statistics(parameters)

    X = rng.normal(size=(60_000, 1))
    start = Start(n_components=2, rng=rng, n_init=10)
    fit_data(Counted(X), start, EMOptions(max_iter=3, tol=0.0))
    assert len(n_seen) <= 3 + 1


def test_the_record_knows_the_weight_of_all_samples(X):
    assert fitted(X)[1].weight_sum == 200.0
    assert fitted(X, weight=np.full(200, 0.5))[1].weight_sum == pytest.approx(100.0)
