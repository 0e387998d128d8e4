"""Laws of addition: blocks add up, weight is repetition, order and threads do not matter."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gmmseg.core import GaussianMixture, SufficientStatistics, expectation
from gmmseg.core.parameters import MixtureParameters
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

SEEDS = st.integers(0, 2**32 - 1)
SUMS = ("resp_sum", "dev_sum", "dev2_sum", "log_likelihood")


def assert_same_sums(one, other):
    for name in SUMS:
        assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-10, atol=1e-10)


@given(
    seed=SEEDS,
    covariance_type=st.sampled_from(COVARIANCE_TYPES),
    cuts=st.lists(st.integers(0, 5_000), max_size=4),
)
@settings(max_examples=25)
def test_any_cut_into_blocks_adds_up_to_the_whole(seed, covariance_type, cuts):
    rng = np.random.default_rng(seed)
    parameters = random_mixture(rng, covariance_type)
    X, weight = draw(rng, parameters, 5_000), rng.uniform(0.1, 2.0, size=5_000)
    edges = sorted({0, *cuts, 5_000})
    total = SufficientStatistics.zero(parameters)
    for first, last in pairwise(edges):
        total += expectation(X[first:last], parameters, weight[first:last])
    whole = expectation(X, parameters, weight)
    for name in SUMS:
        # Sums of deviations cancel, so their error is that of 5,000 terms of size 1.
        assert_allclose(getattr(total, name), getattr(whole, name), rtol=1e-10, atol=1e-8)


@given(seed=SEEDS, covariance_type=st.sampled_from(COVARIANCE_TYPES))
@settings(max_examples=20)
def test_integer_weight_is_repetition_and_zero_weight_removal(seed, covariance_type):
    rng = np.random.default_rng(seed)
    parameters = random_mixture(rng, covariance_type)
    X, times = draw(rng, parameters, 50), rng.integers(0, 4, size=50)
    repeated = X.repeat(times, axis=0)
    if len(repeated):
        assert_same_sums(
            expectation(X, parameters, sample_weight=times), expectation(repeated, parameters)
        )


def fitted(X, weight=None, **options):
    options = {"n_components": 3, "random_state": 0, "tol": 0.0, "max_iter": 15} | options
    return GaussianMixture(**options).fit(X, sample_weight=weight)


def assert_same_mixture(one, other, *, rtol=1e-7):
    assert_allclose(one.weights_, other.weights_, rtol=rtol)
    assert_allclose(one.means_, other.means_, rtol=rtol, atol=rtol)
    assert_allclose(one.covariances_, other.covariances_, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("init_params", ["k-means++", "random"])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_fit_to_weights_is_the_fit_to_repeated_rows(rng, covariance_type, init_params):
    X, times = draw(rng, random_mixture(rng, spread=4.0), 120), rng.integers(0, 4, size=120)
    options = {"covariance_type": covariance_type, "init_params": init_params}
    assert_same_mixture(fitted(X, times, **options), fitted(X.repeat(times, axis=0), **options))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("factor", [1e-20, 1e-3, 1e3, 1e20])
def test_a_common_factor_of_all_weights_changes_nothing(rng, factor, dtype):
    X = draw(rng, random_mixture(rng, spread=4.0), 120).astype(dtype)
    weight = rng.uniform(0.5, 2.0, size=120)
    one, other = fitted(X, weight), fitted(X, factor * weight)
    assert_same_mixture(one, other, rtol=1e-7 if dtype == np.float64 else 1e-3)


@pytest.mark.parametrize(
    ("factor", "dtype"),
    [(1e-50, np.float32), (1e50, np.float32), (1e-300, np.float64), (1e307, np.float64)],
)
def test_a_common_factor_at_the_limits_of_floating_point_changes_nothing(rng, factor, dtype):
    X = draw(rng, random_mixture(rng, spread=4.0), 120).astype(dtype)
    assert_same_mixture(fitted(X), fitted(X, np.full(120, factor)), rtol=1e-3)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_order_of_samples_does_not_matter(rng, covariance_type):
    X = draw(rng, random_mixture(rng, spread=4.0), 1_500)
    order = rng.permutation(1_500)
    one = fitted(X, covariance_type=covariance_type)
    other = fitted(X[order], covariance_type=covariance_type)
    assert_same_mixture(one, other)


# Of more than 20,000 samples a start is searched on some; once it is given, chance has no part.


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_from_a_given_start_the_order_of_many_samples_does_not_matter(rng, covariance_type):
    X, means = rng.normal(size=(30_000, 2)), rng.normal(size=(3, 2))
    order = rng.permutation(30_000)
    start = random_mixture(rng, covariance_type)
    given = {"means_init": means, "weights_init": start.weights}
    given |= {"precisions_init": start.precisions, "covariance_type": covariance_type}
    assert_same_mixture(fitted(X, **given), fitted(X[order], **given))


def test_from_a_given_start_many_repeated_rows_are_the_same_as_weights(rng):
    X, start = rng.normal(size=(15_000, 2)), random_mixture(rng, "full")
    given = {"means_init": start.means, "weights_init": start.weights}
    given |= {"precisions_init": start.precisions}
    weighted = fitted(X, np.full(15_000, 2.0), **given)
    assert_same_mixture(weighted, fitted(X.repeat(2, axis=0), **given))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_order_of_components_does_not_matter(rng, covariance_type):
    X, start = draw(rng, random_mixture(rng, spread=4.0), 120), random_mixture(rng, covariance_type)
    order = np.array([2, 0, 1])

    def mixture(order):
        precisions = start.precisions if covariance_type == "tied" else start.precisions[order]
        return fitted(
            X,
            covariance_type=covariance_type,
            weights_init=start.weights[order],
            means_init=start.means[order],
            precisions_init=precisions,
        )

    one, other = mixture(np.arange(3)), mixture(order)
    assert_allclose(other.weights_, one.weights_[order], rtol=1e-9)
    assert_allclose(other.means_, one.means_[order], rtol=1e-9)
    covariances = one.covariances_ if covariance_type == "tied" else one.covariances_[order]
    assert_allclose(other.covariances_, covariances, rtol=1e-9)


def everything(X, n_jobs, covariance_type, weight):
    """Return all bytes that a fit and its answers consist of."""
    mixture = fitted(X, weight, covariance_type=covariance_type, n_jobs=n_jobs, max_iter=5)
    arrays = (
        mixture.weights_,
        mixture.means_,
        mixture.covariances_,
        np.array(mixture.lower_bounds_),
        mixture.predict(X),
        mixture.predict_proba(X),
        mixture.score_samples(X),
    )
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_the_number_of_threads_does_not_show_in_any_bit(rng, covariance_type, dtype):
    X = draw(rng, random_mixture(rng, spread=4.0), 40_003).astype(dtype)
    weight = rng.uniform(size=len(X))
    alone = everything(X, 1, covariance_type, weight)
    for n_jobs in (2, 4, None, -1):
        assert everything(X, n_jobs, covariance_type, weight) == alone


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(rng):
    X = draw(rng, random_mixture(rng, spread=4.0), 400)
    bits = [fitted(X, random_state=seed, max_iter=2).means_.tobytes() for seed in (3, 3, 4)]
    assert bits[0] == bits[1] != bits[2]


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@given(seed=SEEDS)
@settings(max_examples=15)
def test_one_component_is_the_weighted_mean_and_covariance(covariance_type, seed):
    rng = np.random.default_rng(seed)
    X, weight = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 2)) + 5.0, rng.uniform(0.1, 1.0, 30)
    one = fitted(X, weight, n_components=1, covariance_type=covariance_type, covariance_floor=0.0)
    full = np.cov(X.T, aweights=weight, bias=True)
    round_, along_features = np.full((1, 2), np.trace(full) / 2.0), np.diag(full)[None]
    wanted = {"tied": full, "spherical": round_[0, :1], "diag": along_features, "EII": round_}
    wanted |= dict.fromkeys(["EEI", "VEI", "EVI"], along_features)
    assert_allclose(one.means_[0], np.average(X, axis=0, weights=weight), rtol=1e-10)
    assert_allclose(
        one.covariances_, wanted.get(covariance_type, full[None]), rtol=1e-8, atol=1e-12
    )
    assert_allclose(one.weights_, [1.0])


def test_full_matrices_that_are_diagonal_agree_with_diag(rng):
    # Four mirrored copies: no covariance between the features, whatever the responsibilities.
    quarter = rng.normal(size=(40, 2)) * [1.0, 3.0]
    X = np.concatenate([quarter * signs for signs in ([1, 1], [1, -1], [-1, 1], [-1, -1])])
    variances = np.array([[0.5, 4.0], [2.0, 20.0]])
    start = {"n_components": 2, "weights_init": [0.4, 0.6], "means_init": np.zeros((2, 2))}
    diag = fitted(X, covariance_type="diag", precisions_init=1.0 / variances, **start)
    matrices = np.array([np.diag(1.0 / row) for row in variances])
    full = fitted(X, covariance_type="full", precisions_init=matrices, **start)
    assert_allclose(full.weights_, diag.weights_, rtol=1e-9)
    assert_allclose(full.means_, diag.means_, atol=1e-9)
    assert_allclose(full.covariances_, [np.diag(row) for row in diag.covariances_], atol=1e-8)
    assert_allclose(full.lower_bounds_, diag.lower_bounds_, rtol=1e-10)


@given(seed=SEEDS)
@settings(max_examples=15)
def test_full_with_diagonal_covariances_has_the_e_step_of_diag(seed):
    rng = np.random.default_rng(seed)
    diag = random_mixture(rng, "diag")
    full = MixtureParameters(diag.weights, diag.means, [np.diag(row) for row in diag.covariances])
    X = draw(rng, diag, 60)
    one, other = expectation(X, diag), expectation(X, full)
    assert_allclose(other.resp_sum, one.resp_sum, rtol=1e-11)
    assert_allclose(other.dev_sum, one.dev_sum, rtol=1e-9, atol=1e-11)
    assert_allclose(np.diagonal(other.dev2_sum, axis1=1, axis2=2), one.dev2_sum, rtol=1e-11)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_saved_and_loaded_gives_the_same_bits(rng, tmp_path, covariance_type):
    X = draw(rng, random_mixture(rng), 100)
    mixture = fitted(X, covariance_type=covariance_type)
    mixture.save(tmp_path / "model.gmm")
    loaded = GaussianMixture.load(tmp_path / "model.gmm")
    assert loaded.predict_proba(X).tobytes() == mixture.predict_proba(X).tobytes()
    assert loaded.covariances_.tobytes() == mixture.covariances_.tobytes()
