"""Laws of missing entries: they are neither made up nor in the way."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from gmmseg.core import GaussianMixture, MixtureParameters, expectation
from gmmseg.core.covariance_base import diagonals
from gmmseg.core.mstep import maximize
from gmmseg.errors import GmmsegWarning, InputError
from tests.mixtures import COVARIANCE_TYPES, SKLEARN_TYPES, draw, random_mixture, spelled_out

# One of each kind: what is missing does not depend on the rest of a family.
TYPES = [*SKLEARN_TYPES, "EVI", "VEV"]
SEEDS = st.integers(0, 2**32 - 1)
NAN = float("nan")


def with_holes(rng, X, share=0.25):
    """Return X with entries missing at random, but none of the first row."""
    is_missing = rng.random(X.shape) < share
    is_missing[0] = False
    return np.where(is_missing, np.asarray(NAN, X.dtype), X)


def fitted(X, weight=None, **options):
    options = {"n_components": 3, "random_state": 0, "tol": 0.0, "max_iter": 15} | options
    with warnings.catch_warnings():
        # Results that may still be used; any other warning is an error.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", GmmsegWarning)
        return GaussianMixture(**options).fit(X, sample_weight=weight)


def assert_same_mixture(one, other, *, rtol=1e-7):
    assert_allclose(one.weights_, other.weights_, rtol=rtol)
    assert_allclose(one.means_, other.means_, rtol=rtol, atol=rtol)
    assert_allclose(one.covariances_, other.covariances_, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("covariance_type", TYPES)
@given(seed=SEEDS, n_features=st.sampled_from([2, 3, 5]), floor=st.sampled_from([0.0, 1e-6, 0.05]))
@settings(max_examples=20)
def test_no_step_of_em_makes_the_observed_entries_less_likely(
    covariance_type, seed, n_features, floor
):
    rng = np.random.default_rng(seed)
    truth = random_mixture(rng, "full", n_features=n_features, spread=3.0)
    start = random_mixture(rng, covariance_type, n_features=n_features)
    X, weight = with_holes(rng, draw(rng, truth, 60)), rng.uniform(0.1, 3.0, size=60)
    # Wide enough to lie above any floor, as the law asks.
    now = MixtureParameters(
        start.weights, start.means, 100.0 * start.covariances, covariance_type=covariance_type
    )
    bounds, lowest = [], floor * np.nanvar(X, axis=0).mean()
    for _ in range(15):
        statistics = expectation(X, now, weight)
        bounds.append(statistics.mean_log_likelihood)
        now = maximize(statistics, now, lowest)
        # Without a floor a component may close in on one sample, where nothing bounds likelihood.
        if diagonals(now.component_covariances).min() < 1e-12:
            break
    falls = -np.diff(bounds) / np.maximum(1.0, np.abs(bounds[:-1]))
    assert falls.max() <= 1e-9
    assert bounds[-1] > bounds[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_no_iteration_of_a_fit_makes_the_observed_entries_less_likely(rng, covariance_type, dtype):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=3.0), 80)).astype(dtype)
    X[7] = NAN
    mixture = fitted(X, covariance_type=covariance_type, max_iter=25)
    falls = -np.diff([*mixture.lower_bounds_, mixture.score(X)])
    assert falls.max() <= (1e-9 if dtype == np.float64 else 1e-5)


@pytest.mark.parametrize(("n_components", "place"), [(1, 0), (3, 2), (3, 3)])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_feature_that_is_always_missing_changes_nothing(
    rng, covariance_type, n_components, place
):
    X = with_holes(rng, draw(rng, random_mixture(rng, n_features=3, spread=4.0), 150))
    wider = np.insert(X, place, NAN, axis=1)
    options = {"covariance_type": covariance_type, "n_components": n_components}
    one, other = fitted(X, **options), fitted(wider, **options)
    seen = np.delete(np.arange(4), place)
    assert other.lower_bounds_ == one.lower_bounds_
    assert_array_equal(other.weights_, one.weights_)
    assert_array_equal(other.means_[:, seen], one.means_)
    assert_array_equal(other.means_[:, place], 0.0)
    variances = other.parameters_.component_variances
    assert_allclose(variances[:, seen], one.parameters_.component_variances, rtol=1e-12)
    volumes = np.linalg.det(spelled_out(one.parameters_)) ** (1.0 / 3.0)
    assert_allclose(variances[:, place], volumes, rtol=1e-9)
    assert_allclose(other.score_samples(wider), one.score_samples(X), rtol=1e-9)
    assert_allclose(other.predict_proba(wider), one.predict_proba(X), rtol=1e-9, atol=1e-12)
    assert_allclose(other.impute(wider)[:, seen], one.impute(X), rtol=1e-9)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_rows_of_which_all_is_missing_change_nothing(rng, covariance_type):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 150), 0.1)
    X = X[~np.isnan(X).all(axis=1)]
    longer = np.insert(X, [0, 0, 17, len(X)], NAN, axis=0)
    one = fitted(X, covariance_type=covariance_type)
    other = fitted(longer, covariance_type=covariance_type)
    assert_array_equal(other.means_, one.means_)
    assert_array_equal(other.covariances_, one.covariances_)
    assert other.lower_bounds_ == one.lower_bounds_
    for measure in ("score", "bic", "aic", "icl"):
        assert getattr(other, measure)(longer) == pytest.approx(getattr(one, measure)(X))
    assert_allclose(other.adapt(longer).means_, one.adapt(X).means_, rtol=1e-12)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_fit_to_weights_is_the_fit_to_repeated_rows(rng, covariance_type):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 120))
    times = rng.integers(0, 4, size=120)
    options = {"covariance_type": covariance_type}
    assert_same_mixture(fitted(X, times, **options), fitted(X.repeat(times, axis=0), **options))


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_order_of_samples_does_not_matter(rng, covariance_type):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 1_500))
    order = rng.permutation(1_500)
    one = fitted(X, covariance_type=covariance_type)
    assert_same_mixture(one, fitted(X[order], covariance_type=covariance_type))
    assert_allclose(one.predict_proba(X)[order], one.predict_proba(X[order]), rtol=1e-12)


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_blocks_with_holes_give_the_mixture_of_the_whole(rng, covariance_type):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 400))
    X[100:103] = NAN
    one = fitted(X, covariance_type=covariance_type)
    assert_same_mixture(one, fitted([X[:150], X[150:]], covariance_type=covariance_type))


def test_blocks_without_any_entry_are_refused():
    with pytest.raises(
        InputError, match=r"^X is missing \(NaN\) in every entry; give at least one"
    ):
        fitted([np.full((3, 2), NAN)] * 2)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_the_order_of_features_does_not_matter(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_features=4)
    X, order = with_holes(rng, draw(rng, parameters, 300)), np.array([2, 0, 3, 1])
    covariances = parameters.covariances[:, order]
    covariances = covariances[:, :, order] if covariance_type == "full" else covariances
    turned = MixtureParameters(
        parameters.weights, parameters.means[:, order], covariances, covariance_type=covariance_type
    )
    one, other = expectation(X, parameters), expectation(X[:, order], turned)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-12)
    assert_allclose(other.dev_sum, one.dev_sum[:, order], atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_the_number_of_threads_does_not_show_in_any_bit(rng, covariance_type, dtype):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 30_003)).astype(dtype)
    weight = rng.uniform(size=len(X))

    def everything(n_jobs):
        options = {"covariance_type": covariance_type, "n_jobs": n_jobs, "max_iter": 3}
        mixture = fitted(X, weight, **options)
        answers = mixture.predict(X), mixture.predict_proba(X), mixture.score_samples(X)
        learned = mixture.means_, mixture.covariances_, np.array(mixture.lower_bounds_)
        return [array.tobytes() for array in (*learned, *answers, mixture.impute(X))]

    alone = everything(1)
    for n_jobs in (2, 4):
        assert everything(n_jobs) == alone


@pytest.mark.parametrize("covariance_type", TYPES)
def test_single_precision_agrees_with_double(rng, covariance_type):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 400))
    one = fitted(X, covariance_type=covariance_type)
    other = fitted(X.astype(np.float32), covariance_type=covariance_type)
    assert_allclose(other.means_, one.means_, atol=1e-3)
    assert other.impute(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_an_offset_moves_the_means_and_nothing_else(rng, offset):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 200))
    one, other = fitted(X), fitted(X + offset)
    assert_allclose(other.means_ - offset, one.means_, atol=1e-8 * offset**0.5)
    assert_allclose(other.covariances_, one.covariances_, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("scale", [1e-25, 1e-12, 1e12, 1e100])
def test_the_unit_of_the_data_does_not_matter(rng, scale, covariance_type):
    X = with_holes(rng, draw(rng, random_mixture(rng, spread=4.0), 150))
    one = fitted(X, covariance_type=covariance_type)
    other = fitted(X * scale, covariance_type=covariance_type)
    assert_allclose(other.means_ / scale, one.means_, rtol=1e-6)
    assert_allclose(other.covariances_ / scale**2, one.covariances_, rtol=1e-5, atol=1e-9)


def test_one_component_of_one_feature_is_the_mean_and_variance_of_what_is_there(rng):
    X = rng.normal(size=(50, 2)) @ [[1.0, 0.5], [0.0, 1.0]]
    X[::3, 0] = NAN
    X[1::3, 1] = NAN
    one = fitted(X, n_components=1, covariance_type="diag", covariance_floor=0.0, max_iter=200)
    assert_allclose(one.means_[0], np.nanmean(X, axis=0), rtol=1e-8)
    assert_allclose(one.covariances_[0], np.nanvar(X, axis=0), rtol=1e-8)


BLOBS = MixtureParameters(
    [0.3, 0.3, 0.4],
    [[0.0, 0.0, 0.0], [5.0, 1.0, 3.0], [1.0, 5.0, -3.0]],
    [[[1.0, 0.6, 0.3], [0.6, 1.0, 0.2], [0.3, 0.2, 1.0]]] * 3,
)


def error_of_means(mixture):
    """Return the root mean square distance of the true means from the nearest fitted ones."""
    apart = np.linalg.norm(mixture.means_[:, None] - BLOBS.means, axis=2)
    return np.sqrt((apart.min(axis=0) ** 2).mean())


def test_a_fifth_of_entries_missing_costs_little_and_less_than_filling_in_the_mean():
    errors = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = draw(rng, BLOBS, 600)
        holed = np.where(rng.random(X.shape) < 0.2, NAN, X)
        filled = np.where(np.isnan(holed), np.nanmean(holed, axis=0), holed)
        fits = [fitted(table, tol=1e-6, max_iter=300) for table in (X, holed, filled)]
        errors.append([error_of_means(mixture) for mixture in fits])
    complete, missing, mean_filled = np.mean(errors, axis=0)
    assert missing < 1.2 * complete
    assert mean_filled > 3.0 * missing


def test_imputation_beats_the_mean_and_its_deviation_is_honest(rng):
    X = draw(rng, BLOBS, 3_000)
    holed = with_holes(rng, X)
    mixture = fitted(holed, tol=1e-4, max_iter=100)
    is_missing = np.isnan(holed)
    error = (mixture.impute(holed) - X)[is_missing]
    deviation = mixture.impute_deviation(holed)[is_missing]
    by_mean = (np.nanmean(holed, axis=0) - X)[is_missing]
    assert (error**2).mean() < 0.5 * (by_mean**2).mean()
    assert ((error / deviation) ** 2).mean() == pytest.approx(1.0, abs=0.1)


RNG = np.random.default_rng(5)
NORMAL = RNG.normal(size=(60, 3))
HOLES = with_holes(RNG, NORMAL)


def one_entry_per_row(X):
    """Return X with all but one entry of each row missing."""
    is_seen = np.arange(X.shape[1]) == np.arange(len(X))[:, None] % X.shape[1]
    return np.where(is_seen, X, NAN)


TABLES = {
    "holes": HOLES,
    "scale 1e12": HOLES * 1e12,
    "scale 1e-12": HOLES * 1e-12,
    "scale 1e150": HOLES * 1e150,
    "scale 1e-150": HOLES * 1e-150,
    "offset 1e8": HOLES + 1e8,
    "offset 1e15": HOLES + 1e15,
    "mixed scales": HOLES * [1e-12, 1.0, 1e12],
    "column of NaN": np.where([False, True, False], NAN, NORMAL),
    "column of NaN and holes": np.where([False, True, False], NAN, HOLES),
    "all columns but one": np.where([False, True, True], NAN, NORMAL),
    "column with one entry": np.where(
        [False, True, False] & (np.arange(60) > 0)[:, None], NAN, NORMAL
    ),
    "rows of NaN": np.where(np.arange(60)[:, None] % 2 == 0, NAN, HOLES),
    "one row left": np.where(np.arange(60)[:, None] != 7, NAN, NORMAL),
    "one entry left": np.where(np.arange(180).reshape(60, 3) != 7, NAN, NORMAL),
    "one entry per row": one_entry_per_row(NORMAL),
    "never together": np.where(np.arange(60)[:, None] % 2 == [0, 1, 1], NORMAL, NAN),
    "constant column": HOLES * [1.0, 0.0, 1.0] + [0.0, 7.0, 0.0],
    "far constant column": HOLES * [1.0, 0.0, 1.0] + [0.0, 1e12, 0.0],
    "constants": np.where(np.isnan(HOLES), NAN, 0.1),
    "copied column": with_holes(RNG, NORMAL[:, [0, 1, 0]]),
    "sum of columns": with_holes(RNG, np.c_[NORMAL[:, :2], NORMAL[:, 0] + NORMAL[:, 1]]),
    "line": with_holes(RNG, np.linspace(0.0, 1.0, 60)[:, None] * [1.0, 2.0, 3.0]),
    "duplicates": np.repeat(HOLES[:4], 10, axis=0),
    "two values": with_holes(RNG, np.repeat([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], 15, axis=0)),
    "fewer samples than features": with_holes(RNG, RNG.normal(size=(3, 10))),
    "one sample": np.array([[1.0, NAN, 3.0]]),
    "two samples": np.array([[1.0, NAN, 3.0], [NAN, 5.0, NAN]]),
    "one feature": HOLES[:, :1],
    "one outlier": np.r_[HOLES, [[1e12, NAN, 1e12]]],
    "heavy tails": with_holes(RNG, RNG.standard_cauchy(size=(60, 3)) ** 3),
    "very heavy tails": with_holes(RNG, np.exp(100.0 * RNG.normal(size=(60, 3)))),
    "ten features": with_holes(RNG, RNG.normal(size=(40, 10)) * np.geomspace(1e-6, 1e6, 10), 0.5),
    "single": HOLES.astype(np.float32),
    "single, scale 1e37": (HOLES * 1e37).astype(np.float32),
    "single, subnormal": (HOLES * 1e-42).astype(np.float32),
    "single, constants": np.where(np.isnan(HOLES), NAN, 0.1).astype(np.float32),
    "single, one outlier": np.r_[HOLES, [[1e12, NAN, 1e12]]].astype(np.float32),
    "single, copied column": with_holes(RNG, NORMAL[:, [0, 1, 0]]).astype(np.float32),
}


@pytest.mark.parametrize(("n_components", "floor"), [(1, 1e-6), (2, 0.0), (4, 1e-6)])
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_any_table_with_holes_gives_a_mixture_of_finite_numbers(
    X, covariance_type, n_components, floor
):
    mixture = fitted(
        X,
        n_components=n_components,
        covariance_type=covariance_type,
        covariance_floor=floor,
        max_iter=20,
    )
    assert np.isfinite(mixture.means_).all()
    assert np.isfinite(mixture.covariances_).all()
    assert (mixture.parameters_.component_variances > 0.0).all()
    assert_allclose(mixture.weights_.sum(), 1.0)
    assert np.isfinite(mixture.lower_bounds_).all()
    assert np.isfinite(mixture.score_samples(X)).all()
    assert_allclose(mixture.predict_proba(X).sum(axis=1), 1.0, rtol=1e-5)
    assert np.isfinite(mixture.impute(X)).all()
    assert (mixture.impute_deviation(X) >= 0.0).all()


@pytest.mark.parametrize("init_params", ["k-means++", "random"])
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_any_table_with_holes_has_a_start(X, init_params):
    assert np.isfinite(fitted(X, init_params=init_params).means_).all()


@pytest.mark.parametrize("covariance_type", TYPES)
def test_given_starts_take_a_feature_that_is_always_missing(covariance_type):
    X = TABLES["column of NaN and holes"]
    given_means = {"n_components": 2, "means_init": [[0.0, 5.0, 0.0], [1.0, 6.0, 1.0]]}
    mixture = fitted(X, covariance_type=covariance_type, **given_means)
    assert_allclose(mixture.means_[:, 1], [5.0, 6.0], atol=1e-9)
    again = mixture.set_params(warm_start=True, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert_allclose(again.fit(X).means_[:, 1], [5.0, 6.0], atol=1e-9)
