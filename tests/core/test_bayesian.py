"""Claims about BayesianGaussianMixture: scikit-learn's contract, its laws, what users read."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from gmmseg.core import BayesianGaussianMixture, GaussianMixture
from gmmseg.core.criteria import assignment_entropy
from gmmseg.errors import InputError, NotFittedError
from tests.mixtures import draw, random_mixture

COVARIANCE_TYPES = ["full", "tied", "diag", "spherical"]
LEARNED = ("weights_", "means_", "covariances_", "mean_precision_", "degrees_of_freedom_")


@pytest.fixture
def X(rng):
    return draw(rng, random_mixture(rng, spread=5.0), 150)


@pytest.fixture
def mixture(X):
    return BayesianGaussianMixture(3, random_state=0).fit(X)


def steps(X, weight=None, *, n_steps=15, **options):
    """Return a mixture after so many iterations, converged or not."""
    options = {"n_components": 3, "random_state": 0} | options
    return BayesianGaussianMixture(tol=0.0, max_iter=n_steps, **options).fit(X, None, weight)


# ----------------------------------------------------------------- scikit-learn's contract


@pytest.mark.filterwarnings("ignore")  # the checks warn on purpose, and fit too few samples
@parametrize_with_checks([BayesianGaussianMixture(), BayesianGaussianMixture(n_components=2)])
def test_it_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def test_a_clone_has_the_options_and_nothing_learned(mixture):
    copy = clone(mixture)
    assert copy.get_params() == mixture.get_params()
    assert not hasattr(copy, "parameters_")


def test_a_pickle_comes_back_equal(X, mixture):
    back = pickle.loads(pickle.dumps(mixture))  # noqa: S301 (our own bytes)
    assert_array_equal(back.means_, mixture.means_)
    assert_array_equal(back.predict_proba(X), mixture.predict_proba(X))
    assert_array_equal(back.weight_concentration_, mixture.weight_concentration_)


@pytest.mark.parametrize(
    "name", [*LEARNED, "weight_concentration_", "covariance_prior_", "n_components_used_"]
)
def test_before_a_fit_nothing_is_learned(name):
    assert not hasattr(BayesianGaussianMixture(), name)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score_samples", "score"])
def test_before_a_fit_every_method_says_so(method):
    message = "^this BayesianGaussianMixture has learned nothing yet; call fit or load first$"
    with pytest.raises(NotFittedError, match=message):
        getattr(BayesianGaussianMixture(), method)([[0.0]])


# --------------------------------------------------------------------------------- results


@pytest.mark.parametrize("weight_type", ["dirichlet_process", "dirichlet_distribution"])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_surplus_components_empty(rng, covariance_type, weight_type):
    heaps = np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0]])
    X = np.repeat(heaps, 100, axis=0) + rng.normal(size=(300, 2))
    mixture = BayesianGaussianMixture(
        8,
        covariance_type=covariance_type,
        weight_concentration_prior_type=weight_type,
        random_state=0,
    ).fit(X)
    assert mixture.n_components_used_ == 3
    used = np.argsort(mixture.weights_)[-3:]
    assert_allclose(mixture.weights_[used], 1 / 3, atol=1e-2)
    # Each heap has its component.
    apart = np.linalg.norm(mixture.means_[used] - heaps[:, None], axis=2)
    assert_allclose(apart.min(axis=0), 0.0, atol=0.3)
    assert_allclose(apart.min(axis=1), 0.0, atol=0.3)


def test_a_higher_concentration_uses_more_components(X):
    used = [
        BayesianGaussianMixture(
            8,
            weight_concentration_prior_type="dirichlet_distribution",
            weight_concentration_prior=concentration,
            max_iter=1_000,
            random_state=0,
        )
        .fit(X)
        .n_components_used_
        for concentration in (1e-3, 100.0)
    ]
    assert used[0] < used[1] == 8


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_with_endless_data_it_tends_to_the_mixture_of_largest_likelihood(X, covariance_type):
    options = {"n_components": 3, "covariance_type": covariance_type, "tol": 0.0, "max_iter": 60}
    likeliest = GaussianMixture(**options, random_state=0, covariance_floor=0.0).fit(X)
    mixture = BayesianGaussianMixture(**options, random_state=0).fit(
        X, sample_weight=np.full(150, 1e9)
    )
    assert_allclose(mixture.weights_, likeliest.weights_, atol=1e-4)
    assert_allclose(mixture.means_, likeliest.means_, atol=1e-4)
    assert_allclose(mixture.covariances_, likeliest.covariances_, rtol=1e-3, atol=1e-4)
    assert mixture.lower_bound_ / 150e9 == pytest.approx(likeliest.lower_bound_, rel=1e-6)


def test_a_strong_prior_holds_the_means_and_the_covariances(X):
    mixture = BayesianGaussianMixture(
        1,
        mean_prior=[3.0, 4.0],
        mean_precision_prior=1e9,
        degrees_of_freedom_prior=1e9,
        covariance_prior=1e9 * np.array([[2.0, 1.0], [1.0, 2.0]]),
    ).fit(X)
    assert_allclose(mixture.means_, [[3.0, 4.0]], rtol=1e-5)
    assert_allclose(mixture.covariances_, [[[2.0, 1.0], [1.0, 2.0]]], rtol=1e-3)


@pytest.mark.parametrize("weight_type", ["dirichlet_process", "dirichlet_distribution"])
def test_the_learned_attributes_have_the_shapes_of_scikit_learn(X, weight_type):
    mixture = BayesianGaussianMixture(
        3, weight_concentration_prior_type=weight_type, covariance_type="tied", random_state=0
    ).fit(X)
    is_process = weight_type == "dirichlet_process"
    assert isinstance(mixture.weight_concentration_, tuple) == is_process
    assert np.shape(mixture.weight_concentration_) == ((2, 3) if is_process else (3,))
    assert mixture.weight_concentration_prior_ == pytest.approx(1 / 3)
    assert mixture.mean_precision_.shape == mixture.degrees_of_freedom_.shape == (3,)
    assert (mixture.mean_precision_prior_, mixture.degrees_of_freedom_prior_) == (1.0, 2.0)
    assert_allclose(mixture.mean_prior_, X.mean(axis=0))
    assert_allclose(mixture.covariance_prior_, np.cov(X.T))
    assert mixture.weights_.sum() == pytest.approx(1.0)
    assert mixture.lower_bound_ == mixture.lower_bounds_[-1]
    assert mixture.n_iter_ == len(mixture.lower_bounds_)
    assert mixture.converged_ is True


def test_the_weights_are_those_expected(X):
    options = {"n_components": 2, "random_state": 0}
    process = BayesianGaussianMixture(**options).fit(X)
    taken, left = process.weight_concentration_
    first, second = taken / (taken + left)
    pieces = np.array([first, (1.0 - first) * second])
    assert_allclose(process.weights_, pieces / pieces.sum(), rtol=1e-12)
    options["weight_concentration_prior_type"] = "dirichlet_distribution"
    distribution = BayesianGaussianMixture(**options).fit(X)
    counts = distribution.weight_concentration_
    assert_allclose(distribution.weights_, counts / counts.sum(), rtol=1e-12)


def test_labels_are_those_of_the_posterior(X, mixture):
    probabilities = mixture.predict_proba(X)
    assert_array_equal(mixture.predict(X), probabilities.argmax(axis=1))
    assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    entropy = assignment_entropy(X, mixture.posterior_.expected_mixture)
    assert mixture.icl(X) == pytest.approx(mixture.bic(X) + 2.0 * entropy, rel=1e-12)


def test_densities_integrate_to_one():
    mixture = BayesianGaussianMixture(2, random_state=0).fit([[0.0], [0.5], [4.0], [5.0], [5.1]])
    total, _ = quad(lambda x: np.exp(mixture.score_samples([[x]])[0]), -60.0, 60.0, points=[0, 5])
    assert total == pytest.approx(1.0, rel=1e-6)


def test_fit_predict_is_fit_and_predict(rng, X):
    weight = rng.integers(0, 2, size=len(X))
    labels = BayesianGaussianMixture(3, random_state=0).fit_predict(X, sample_weight=weight)
    wanted = BayesianGaussianMixture(3, random_state=0).fit(X, sample_weight=weight).predict(X)
    assert_array_equal(labels, wanted)


def test_float32_stays_float32(X, mixture):
    single = X.astype(np.float32)
    assert mixture.score_samples(single).dtype == np.float32
    assert mixture.predict_proba(single).dtype == np.float32
    again = BayesianGaussianMixture(3, random_state=0).fit(single)
    assert_allclose(again.means_, mixture.means_, atol=1e-3)


def test_of_several_starts_the_highest_bound_is_kept(X):
    bounds = [steps(X, n_components=5, random_state=seed).lower_bound_ for seed in range(5)]
    best = steps(X, n_components=5, n_init=10).lower_bound_
    assert len(set(np.round(bounds, 6))) > 1
    assert best >= np.median(bounds)


# ------------------------------------------------------------------------------------ laws


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_integer_weight_is_repetition_and_zero_weight_removal(rng, X, covariance_type):
    times = rng.integers(0, 4, size=len(X))
    weighted = steps(X, times, covariance_type=covariance_type)
    repeated = steps(X.repeat(times, axis=0), covariance_type=covariance_type)
    for name in LEARNED:
        assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-8)
    assert_allclose(weighted.lower_bounds_, repeated.lower_bounds_, rtol=1e-10)


def test_weights_that_float32_cannot_hold_still_count(X):
    # 2e-12 samples in all: the posterior is the prior.
    few = steps(X, np.full(len(X), 1e-14))
    assert_allclose(few.mean_precision_, 1.0, rtol=1e-9)
    many = steps(X, np.full(len(X), 1e14))
    assert many.mean_precision_.sum() == pytest.approx(1e14 * len(X) + 3.0, rel=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("shift", [1e3, 2.0**20])
def test_a_shift_moves_the_means_and_nothing_else(X, covariance_type, shift):
    X = np.round(X * 2**9) / 2**9
    here, there = (steps(Y, covariance_type=covariance_type) for Y in (X, X + shift))
    assert_allclose(there.means_ - shift, here.means_, rtol=1e-8, atol=1e-8)
    assert_allclose(there.weights_, here.weights_, rtol=1e-8)
    assert_allclose(there.covariances_, here.covariances_, rtol=1e-8, atol=1e-8)
    assert_allclose(there.lower_bounds_, here.lower_bounds_, rtol=1e-8)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_change_of_unit_scales_the_mixture(X, covariance_type, scale):
    here, there = (steps(Y, covariance_type=covariance_type) for Y in (X, scale * X))
    assert_allclose(there.weights_, here.weights_, rtol=1e-8)
    assert_allclose(there.means_ / scale, here.means_, rtol=1e-8)
    assert_allclose(there.covariances_ / scale**2, here.covariances_, rtol=1e-7, atol=1e-9)
    shifted = np.array(there.lower_bounds_) + 2.0 * len(X) * np.log(scale)
    assert_allclose(shifted, here.lower_bounds_, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_number_of_threads_changes_no_bit(rng, covariance_type, dtype):
    X = draw(rng, random_mixture(rng, spread=3.0), 5_000).astype(dtype)
    one, *others = (
        steps(X, covariance_type=covariance_type, n_jobs=n_jobs, n_steps=4) for n_jobs in (1, 2, 4)
    )
    for other in others:
        for name in (*LEARNED, "lower_bounds_"):
            wanted = np.array(getattr(one, name))
            assert np.array(getattr(other, name)).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_iteration_of_a_fit_lowers_the_bound(X, covariance_type, dtype):
    bounds = np.array(steps(X.astype(dtype), covariance_type=covariance_type).lower_bounds_)
    assert (np.diff(bounds) >= -1e-9 * np.abs(bounds[:-1])).all()


# ------------------------------------------------------------------- warm starts and words


def test_a_warm_start_goes_on_where_the_last_fit_ended(X):
    parts = BayesianGaussianMixture(3, random_state=0, tol=0.0, max_iter=3, warm_start=True)
    parts.fit(X).fit(X)
    whole = steps(X, n_steps=6)
    for name in LEARNED:
        assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9)


def test_a_warm_start_takes_a_new_prior(X, mixture):
    options = {"warm_start": True, "mean_precision_prior": 5.0, "mean_prior": [1.0, 2.0]}
    mixture.set_params(**options).fit(X)
    assert mixture.mean_precision_prior_ == 5.0
    assert mixture.mean_precision_.sum() == pytest.approx(3 * 5.0 + len(X), rel=1e-9)
    assert_array_equal(mixture.mean_prior_, [1.0, 2.0])


WARM_STARTS = {
    "number": (
        {"n_components": 2},
        (
            "warm_start goes on with the n_components, features and covariance_type of the last "
            r"fit, \(3, 2, 'full'\), got \(2, 2, 'full'\); set warm_start=False to begin anew"
        ),
    ),
    "prior": (
        {"weight_concentration_prior_type": "dirichlet_distribution"},
        (
            "warm_start goes on with the weight_concentration_prior_type of the last fit, "
            "'dirichlet_process', got 'dirichlet_distribution'; set warm_start=False to begin anew"
        ),
    ),
}


@pytest.mark.parametrize(("changed", "message"), WARM_STARTS.values(), ids=WARM_STARTS)
def test_a_warm_start_that_does_not_fit_the_last_solution_is_refused(X, mixture, changed, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        mixture.set_params(warm_start=True, **changed).fit(X)


BAD_OPTIONS = {
    "no component": (
        {"n_components": 0},
        "n_components must be a whole number of at least 1, got 0",
    ),
    "no iteration": ({"max_iter": 0}, "max_iter must be a whole number of at least 1, got 0"),
    "no start": ({"n_init": 0}, "n_init must be a whole number of at least 1, got 0"),
    "negative tol": ({"tol": -1e-3}, r"tol must be a number of at least 0, got -0\.001"),
    "method": (
        {"init_params": "magic"},
        r"init_params must be one of k-means\+\+, random, hierarchical, got 'magic'",
    ),
}


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_is_refused_by_fit(X, options, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        BayesianGaussianMixture(**options).fit(X)


def test_stopping_early_is_said_with_the_remedy(X):
    message = (
        "^variational Bayes stopped after max_iter=2 iterations, before the lower bound stood "
        "still; raise max_iter or tol$"
    )
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        BayesianGaussianMixture(3, random_state=0, max_iter=2).fit(X)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_why_a_fit_stopped_is_recorded(X, mixture):
    assert mixture.record_.stop_reason == "the lower bound changed by less than tol=0.001"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        short = steps(X, n_steps=2)
    assert short.record_.stop_reason == "max_iter=2 was reached"
    assert not short.converged_
    long = steps(X, n_steps=500)
    assert long.record_.stop_reason in {
        "max_iter=500 was reached",
        "the lower bound reached the limit of floating-point precision",
    }


def test_the_components_in_use_are_those_of_one_sample_or_more(X, mixture):
    counts = mixture.mean_precision_ - mixture.mean_precision_prior_
    assert mixture.n_components_used_ == (counts >= 1.0).sum()
    nothing = BayesianGaussianMixture(2, random_state=0).fit(X, sample_weight=np.full(150, 1e-9))
    assert nothing.n_components_used_ == 1
