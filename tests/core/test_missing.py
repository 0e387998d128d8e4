"""Claims about the E-step of rows with missing entries: it is conditioning by the formulae."""

import math
import re
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters, expectation
from gmmseg.core.estep import log_densities, predicted_labels, responsibilities, weighted_statistics
from gmmseg.core.missing import (
    Incomplete,
    imputed,
    imputed_deviation,
    partial_statistics,
    prepared,
    weight_of_seen,
    with_unseen_features,
)
from gmmseg.core.missing_start import filled_by_group, observed_mean, squared_distances
from gmmseg.core.noise import UniformNoise
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import COVARIANCE_TYPES, SKLEARN_TYPES, draw, random_mixture, spelled_out

NAN = float("nan")


def with_holes(rng, X, share=0.3):
    """Return X with entries missing at random, among them a row that misses all and some none."""
    X = X.copy()
    X[rng.random(X.shape) < share] = NAN
    X[len(X) // 2] = NAN
    return X


@pytest.mark.parametrize("n_features", [1, 2, 5, 10])
@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_expected_sums_are_those_of_plain_conditioning(rng, covariance_type, n_features):
    parameters = random_mixture(rng, covariance_type, n_features=n_features)
    X, weight = with_holes(rng, draw(rng, parameters, 80)), rng.uniform(0.0, 2.0, 80)
    mixture = parameters.weights, parameters.means, spelled_out(parameters)
    found = expectation(X, parameters, weight)
    weight[np.isnan(X).all(axis=1)] = 0.0  # rows that miss all add nothing
    log_prob = naive.log_prob_of_observed(X, *mixture)
    resp_sum, dev_sum, dev2_sum = naive.expected_statistics(
        X, naive.responsibilities(log_prob), *mixture[1:], weight
    )
    assert_allclose(found.resp_sum, resp_sum, rtol=1e-10)
    assert_allclose(found.dev_sum, dev_sum, atol=1e-9)
    if found.dev2_sum.ndim == 2:
        dev2_sum = np.diagonal(dev2_sum, axis1=1, axis2=2)
    assert_allclose(found.dev2_sum, dev2_sum, atol=1e-9)
    assert found.log_likelihood == pytest.approx(weight @ naive.logsumexp(log_prob), rel=1e-11)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_answers_are_those_of_plain_conditioning(rng, covariance_type, dtype):
    parameters = random_mixture(rng, covariance_type, n_features=4)
    X = with_holes(rng, draw(rng, parameters, 60)).astype(dtype)
    mixture = parameters.weights, parameters.means, spelled_out(parameters)
    log_prob = naive.log_prob_of_observed(X, *mixture)
    resp = naive.responsibilities(log_prob)
    rtol = 1e-10 if dtype == np.float64 else 2e-4
    assert_array_equal(predicted_labels(X, parameters), naive.labels(log_prob))
    assert_allclose(
        log_densities(X, parameters), naive.logsumexp(log_prob), rtol=rtol, atol=10 * rtol
    )
    assert_allclose(responsibilities(X, parameters), resp, atol=rtol)
    mean, variance = naive.imputation(X, resp, *mixture[1:])
    filled = imputed(X, parameters)
    assert filled.dtype == dtype
    assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    assert_allclose(filled, mean, rtol=rtol, atol=rtol)
    assert_allclose(imputed_deviation(X, parameters) ** 2, variance, rtol=rtol, atol=10 * rtol)


def test_a_pair_of_numbers_by_hand():
    # E[y | x = 1] = 0.6 / 1 * 1 and Var[y | x] = 2 - 0.6**2 / 1.
    pair = MixtureParameters([1.0], [[0.0, 0.0]], [[[1.0, 0.6], [0.6, 2.0]]])
    X = np.array([[1.0, NAN]])
    sums = expectation(X, pair)
    assert_allclose(sums.dev_sum, [[1.0, 0.6]])
    assert_allclose(sums.dev2_sum, [[[1.0, 0.6], [0.6, 0.36 + 1.64]]])
    assert sums.log_likelihood == pytest.approx(-0.5 - 0.5 * np.log(2.0 * np.pi))
    assert_allclose(imputed(X, pair), [[1.0, 0.6]])
    assert_allclose(imputed_deviation(X, pair), [[0.0, np.sqrt(1.64)]])


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_one_pattern_is_the_marginal_e_step_and_a_linear_map(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_features=4)
    X = draw(rng, parameters, 300)
    X[:, [1, 3]] = NAN
    matrices, seen = spelled_out(parameters), [0, 2]
    marginal = MixtureParameters(
        parameters.weights, parameters.means[:, seen], matrices[:, [[0], [2]], seen]
    )
    whole, part = expectation(X, parameters), expectation(X[:, seen], marginal)
    assert whole.log_likelihood == pytest.approx(part.log_likelihood, rel=1e-12)
    assert_allclose(whole.resp_sum, part.resp_sum, rtol=1e-12)
    for k, matrix in enumerate(matrices):
        gain = np.eye(4)[:, seen]
        gain[[1, 3]] = matrix[[[1], [3]], seen] @ np.linalg.inv(matrix[[[0], [2]], seen])
        spread = part.resp_sum[k] * (matrix - gain @ matrix[seen])
        assert_allclose(whole.dev_sum[k], gain @ part.dev_sum[k], atol=1e-9)
        dev2_sum = gain @ part.dev2_sum[k] @ gain.T + spread
        wanted = dev2_sum if covariance_type == "full" else np.diag(dev2_sum)
        assert_allclose(whole.dev2_sum[k], wanted, atol=1e-9)


def test_a_row_that_misses_all_has_density_one_and_the_weights_as_posteriors(rng):
    parameters = random_mixture(rng)
    X = np.array([[NAN, NAN], [0.0, 0.0]])
    assert log_densities(X, parameters)[0] == 0.0
    assert_array_equal(responsibilities(X, parameters)[0], parameters.weights)
    assert predicted_labels(X, parameters)[0] == parameters.weights.argmax()
    assert_allclose(imputed(X, parameters)[0], parameters.weights @ parameters.means)


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_a_table_without_holes_put_in_order_by_hand_has_the_same_sums(rng, covariance_type):
    # So the rows of a table with holes that have none take the ordinary way.
    parameters = random_mixture(rng, covariance_type)
    X = draw(rng, parameters, 2_500)
    order = rng.permutation(2_500)
    table = Incomplete(X, np.arange(2), order, 2_500, 2_500)
    one, other = partial_statistics(table, parameters), expectation(X[order], parameters)
    assert one.log_likelihood == other.log_likelihood
    assert_array_equal(one.dev2_sum, other.dev2_sum)
    as_partial = partial_statistics(Incomplete(X, np.arange(2), order, 0, 2_500), parameters)
    assert_allclose(as_partial.dev2_sum, other.dev2_sum, rtol=1e-10, atol=1e-9)
    assert as_partial.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12)


def test_a_table_without_holes_is_its_own_preparation():
    X = np.array([[1e308, -1e308], [0.0, 1.0]])
    assert prepared(X) is X


def test_rows_are_ordered_complete_by_pattern_and_empty(rng):
    X = with_holes(rng, rng.normal(size=(20_000, 70)), 0.01)
    X[::3, 5:60] = NAN
    X[1::50] = NAN
    table = prepared(X)
    assert_array_equal(np.sort(table.order), np.arange(len(X)))
    n_missing = np.isnan(X[table.order]).sum(axis=1)
    assert (n_missing[: table.n_complete] == 0).all()
    assert (n_missing[table.n_observed :] == 70).all()
    partial = np.isnan(X[table.order[table.n_complete : table.n_observed]])
    changes = 1 + (partial[1:] != partial[:-1]).any(axis=1).sum()
    assert changes == len(np.unique(partial, axis=0))
    assert prepared(table) is table


def test_features_that_no_row_has_can_be_left_out():
    X = np.array([[1.0, NAN, 2.0], [NAN, NAN, 3.0]], np.float32)
    table = prepared(X, with_unseen=False)
    assert_array_equal(table.features, [0, 2])
    assert (table.n_complete, table.n_observed) == (1, 2)
    parameters = MixtureParameters([1.0], [[0.0, 0.0]], [[1.0, 1.0]], covariance_type="diag")
    sums = weighted_statistics(table, parameters)
    assert_allclose(sums.dev_sum, [[1.0, 5.0]])
    assert_allclose(sums.dev2_sum, [[2.0, 13.0]])


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_feature_that_no_row_has_gets_mean_zero_and_the_mean_width(rng, covariance_type):
    known = random_mixture(rng, covariance_type, n_features=2)
    padded = with_unseen_features(known, np.array([0, 2]), 3)
    assert_allclose(padded.means[:, [0, 2]], known.means)
    assert_array_equal(padded.means[:, 1], 0.0)
    matrices = spelled_out(padded)
    assert_allclose(matrices[:, [[0], [2]], [0, 2]], spelled_out(known), rtol=1e-12)
    assert_allclose(matrices[:, 1, [0, 2]], 0.0)
    assert_allclose(matrices[:, 1, 1], np.sqrt(np.linalg.det(spelled_out(known))), rtol=1e-12)


@pytest.mark.parametrize("covariance_type", sorted(set(COVARIANCE_TYPES) - {"EVE", "VVE"}))
def test_a_feature_that_no_row_has_leaves_the_mixture_in_its_family(rng, covariance_type):
    known = random_mixture(rng, covariance_type, n_features=3)
    padded = with_unseen_features(known, np.array([0, 1, 3]), 5)
    padded.family.check_positive(padded.covariances, "covariances")


def test_rows_that_miss_all_get_weight_zero():
    X = np.array([[NAN, NAN], [NAN, 0.0]])
    assert_array_equal(weight_of_seen(X, None), [0.0, 1.0])
    assert_array_equal(weight_of_seen(X, np.array([2.0, 3.0])), [0.0, 3.0])
    assert weight_of_seen(X[1:], None) is None


NOTHING = (
    "X is missing (NaN) in every entry of every sample of positive weight; give at least one entry"
)


@pytest.mark.parametrize(
    ("X", "weight"), [([[NAN, NAN]] * 3, None), ([[NAN, NAN], [0.0, 1.0]], [1.0, 0.0])]
)
def test_a_table_without_any_entry_is_refused(X, weight):
    fitted = GaussianMixture.from_parameters(
        [1.0], [[0.0, 0.0]], [[1.0, 1.0]], covariance_type="diag"
    )
    for use in (fitted.fit, fitted.score, fitted.bic, fitted.aic, fitted.icl, fitted.adapt):
        with pytest.raises(InputError, match=f"^{re.escape(NOTHING)}$"):
            use(X, sample_weight=weight)


def test_distances_over_some_features_are_scaled_up_to_all():
    X = np.array([[3.0, NAN, 4.0], [NAN, 2.0, NAN], [1.0, 2.0, 2.0]])
    assert_allclose(squared_distances(X, np.zeros((1, 3))), [[25.0 * 3 / 2, 4.0 * 3, 9.0]])


@pytest.mark.parametrize("n_features", [1, 3, 50])
def test_distances_are_those_from_each_center(rng, n_features):
    X, centers = rng.normal(size=(30, n_features)), rng.normal(size=(4, n_features))
    X[5] = centers[2]
    distances = squared_distances(X, centers)
    plain = [[math.dist(sample, center) ** 2 for sample in X] for center in centers]
    assert_allclose(distances, plain, rtol=1e-12)
    assert distances[2, 5] == 0.0


def test_the_observed_mean_is_weighted_and_zero_where_nothing_is_observed():
    X = np.array([[1.0, NAN, 4.0], [4.0, NAN, NAN]])
    assert_allclose(observed_mean(X, np.array([2.0, 1.0])), [2.0, 0.0, 4.0])


def test_groups_fill_their_holes_and_say_what_spread_that_hides():
    X = np.array([[1.0, 0.0], [3.0, NAN], [NAN, 2.0], [5.0, NAN]])
    filled, spread = filled_by_group(X, np.ones(4), np.array([0, 0, 0, 2]), 3)
    assert_allclose(filled, [[1.0, 0.0], [3.0, 1.0], [2.0, 2.0], [5.0, 1.0]])
    assert_allclose(spread, [[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])


def test_a_group_with_one_feature_that_nothing_has_is_as_wide_there_as_elsewhere():
    X = np.array([[0.0, NAN], [2.0, NAN]])
    filled, spread = filled_by_group(X, np.ones(2), np.array([0, 0]), 1)
    assert_allclose(filled, [[0.0, 0.0], [2.0, 0.0]])
    assert_allclose(spread, [[0.0, 2.0]])


def test_preparing_and_summing_takes_little_memory_beside_the_table(rng):
    X = rng.normal(size=(100_000, 20)).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = NAN
    parameters = random_mixture(rng, n_features=20)
    weighted_statistics(prepared(X[:100]), parameters)
    tracemalloc.start()
    table = prepared(X)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    weighted_statistics(table, parameters, None, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 8.1 * len(X)  # one index per row
    assert peak - kept < 0.5 * X.nbytes


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_a_known_label_leaves_a_row_with_holes_to_its_component(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_features=3)
    X = with_holes(rng, draw(rng, parameters, 60))
    weight = np.where(np.isnan(X).all(axis=1), 0.0, 1.0)
    labels = rng.integers(-1, 3, 60).astype(np.int32)
    mixture = parameters.weights, parameters.means, spelled_out(parameters)
    log_prob = naive.pinned(naive.log_prob_of_observed(X, *mixture), labels)
    resp_sum, dev_sum, _ = naive.expected_statistics(
        X, naive.responsibilities(log_prob), *mixture[1:], weight
    )
    found = weighted_statistics(prepared(X), parameters, weight, known_labels=labels)
    assert_allclose(found.resp_sum, resp_sum, rtol=1e-10)
    assert_allclose(found.dev_sum, dev_sum, atol=1e-9)
    assert found.log_likelihood == pytest.approx(weight @ naive.logsumexp(log_prob), rel=1e-11)


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinity_is_refused_beside_missing_entries_too(bad):
    X = [[NAN, 0.0], [bad, 1.0]]
    fitted = GaussianMixture.from_parameters(
        [1.0], [[0.0, 0.0]], [[1.0, 1.0]], covariance_type="diag"
    )
    for use in (fitted.fit, fitted.predict, fitted.score_samples, fitted.impute):
        with pytest.raises(ValueError, match=r"^Input X contains infinity or a value too large"):
            use(X)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_noise_takes_the_observed_part_of_its_box(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_features=3)
    X = with_holes(rng, draw(rng, parameters, 50))
    X = X[~np.isnan(X).all(axis=1)]
    width = np.array([20.0, 24.0, 30.0])
    noisy = parameters.with_noise(UniformNoise(0.2, -0.5 * width, 0.5 * width))
    log_prob = naive.log_prob_of_observed(X, noisy.weights, noisy.means, spelled_out(noisy))
    of_noise = [np.log(0.2) - np.log(width[~np.isnan(row)]).sum() for row in X]
    log_prob = np.c_[log_prob, of_noise]
    found = expectation(X, noisy)
    assert found.log_likelihood == pytest.approx(naive.logsumexp(log_prob).sum(), rel=1e-11)
    assert_allclose(responsibilities(X, noisy), naive.responsibilities(log_prob), atol=1e-10)
