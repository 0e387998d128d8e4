"""Claims about GaussianMixture: scikit-learn's contract, and what users see and read."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn.exceptions
import sklearn.mixture
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from gmmseg.core import GaussianMixture
from gmmseg.errors import GmmsegWarning, InputError, NotFittedError
from tests.mixtures import SKLEARN_TYPES, draw, random_mixture

INF = float("inf")


@pytest.fixture
def X(rng):
    return draw(rng, random_mixture(rng, spread=5.0), 150)


@pytest.fixture
def mixture(X):
    return GaussianMixture(3, random_state=0).fit(X)


# ----------------------------------------------------------------- scikit-learn's contract


@pytest.mark.filterwarnings("ignore")  # the checks warn on purpose, and fit too few samples
@parametrize_with_checks([GaussianMixture(), GaussianMixture(n_components=2)])
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
    assert back.record_ == mixture.record_


def test_it_ends_a_pipeline(X):
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(3, random_state=0))
    labels = pipeline.fit_predict(X)
    assert_array_equal(labels, pipeline.predict(X))
    assert len(np.unique(labels)) == 3


def test_a_grid_search_finds_the_number_of_heaps_and_their_shape(rng):
    stretched = [[3.0, 2.9], [2.9, 3.0]]
    X = np.concatenate([rng.multivariate_normal([x, 0.0], stretched, 150) for x in (0.0, 12.0)])
    grid = {"n_components": [1, 2], "covariance_type": ["full", "spherical"]}
    search = GridSearchCV(GaussianMixture(random_state=0, tol=1e-2), grid, cv=3).fit(X)
    assert search.best_params_ == {"n_components": 2, "covariance_type": "full"}


# --------------------------------------------------------------------------------- results


def test_fit_predict_is_fit_and_predict(X):
    labels = GaussianMixture(3, random_state=0).fit_predict(X)
    assert_array_equal(labels, GaussianMixture(3, random_state=0).fit(X).predict(X))


def test_fit_predict_weighs_the_samples(rng, X):
    weight = rng.integers(0, 2, size=len(X))
    labels = GaussianMixture(3, random_state=0).fit_predict(X, sample_weight=weight)
    wanted = GaussianMixture(3, random_state=0).fit(X, sample_weight=weight).predict(X)
    assert_array_equal(labels, wanted)


def test_a_prediction_is_the_component_of_largest_probability(X, mixture):
    probabilities = mixture.predict_proba(X)
    assert_array_equal(mixture.predict(X), probabilities.argmax(axis=1))
    assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert probabilities.min() >= 0.0


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_scores_and_criteria_are_those_of_scikit_learn(rng, X, covariance_type):
    parameters = random_mixture(rng, covariance_type)
    ours = GaussianMixture.from_parameters(
        parameters.weights,
        parameters.means,
        parameters.covariances,
        covariance_type=covariance_type,
    )
    theirs = sklearn.mixture.GaussianMixture(3, covariance_type=covariance_type)
    theirs.weights_, theirs.means_ = ours.weights_, ours.means_
    theirs.covariances_ = ours.covariances_
    theirs.precisions_cholesky_ = ours.precisions_cholesky_
    assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-9)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-12)
    assert ours.score(X) == pytest.approx(theirs.score(X), rel=1e-12)
    assert ours.bic(X) == pytest.approx(theirs.bic(X), rel=1e-12)
    assert ours.aic(X) == pytest.approx(theirs.aic(X), rel=1e-12)


@pytest.mark.parametrize("measure", ["score", "bic", "aic"])
def test_weights_count_in_scores_and_criteria_as_repetitions(rng, X, mixture, measure):
    times = rng.integers(0, 4, size=len(X))
    weighted = getattr(mixture, measure)(X, sample_weight=times)
    repeated = getattr(mixture, measure)(X.repeat(times, axis=0))
    assert weighted == pytest.approx(repeated, rel=1e-12)


def test_the_learned_attributes_are_those_of_the_parameters_and_the_record(X, mixture):
    assert_allclose(mixture.weights_.sum(), 1.0)
    assert mixture.means_.shape == (3, 2)
    product = mixture.covariances_ @ mixture.precisions_
    assert_allclose(product, np.broadcast_to(np.eye(2), (3, 2, 2)), atol=1e-9)
    factors = mixture.precisions_cholesky_
    assert_allclose(factors @ np.swapaxes(factors, 1, 2), mixture.precisions_, rtol=1e-9)
    assert mixture.converged_ is True
    assert mixture.n_iter_ == len(mixture.lower_bounds_)
    assert mixture.lower_bound_ == mixture.lower_bounds_[-1]
    assert mixture.lower_bound_ <= mixture.score(X) + 1e-12


def test_float32_stays_float32(X, mixture):
    single = X.astype(np.float32)
    assert mixture.score_samples(single).dtype == np.float32
    assert mixture.predict_proba(single).dtype == np.float32
    assert mixture.score_samples(X).dtype == np.float64


def test_from_parameters_is_ready_without_a_fit():
    coin = GaussianMixture.from_parameters(
        [0.25, 0.75], [[-1.0], [1.0]], [0.1, 0.1], covariance_type="spherical"
    )
    assert_array_equal(coin.predict([[-2.0], [3.0]]), [0, 1])
    assert (coin.n_components, coin.n_features_in_, coin.n_iter_) == (2, 1, 0)
    assert not coin.converged_
    assert np.isnan(coin.lower_bound_)


def test_from_parameters_refuses_what_is_no_mixture():
    with pytest.raises(InputError, match=r"^weights must sum to 1, got 2\.0; divide them by"):
        GaussianMixture.from_parameters([1.0, 1.0], [[0.0], [1.0]], [[[1.0]], [[1.0]]])


def test_from_parameters_refuses_a_ragged_list():
    with pytest.raises(InputError, match=r"^means must be an array of numbers, got"):
        GaussianMixture.from_parameters(
            [0.5, 0.5], [[0.0], [1.0, 2.0]], [1.0, 1.0], covariance_type="spherical"
        )


def test_samples_drawn_have_the_labels_that_they_are_predicted():
    far = GaussianMixture.from_parameters([0.3, 0.7], [[0.0, 0.0], [99.0, 0.0]], [np.eye(2)] * 2)
    X, labels = far.set_params(random_state=0).sample(500)
    assert X.shape == (500, 2)
    assert_array_equal(far.predict(X), labels)
    again, _ = far.sample(500)
    assert_array_equal(again, X)


def test_an_integer_seed_and_a_generator_of_that_seed_agree(X):
    one = GaussianMixture(3, random_state=7).fit(X)
    other = GaussianMixture(3, random_state=np.random.RandomState(7)).fit(X)
    assert_array_equal(one.means_, other.means_)


def test_a_warm_start_goes_on_where_the_last_fit_ended(X):
    steps = GaussianMixture(3, random_state=0, tol=0.0, max_iter=3, warm_start=True)
    steps.fit(X).fit(X)
    whole = GaussianMixture(3, random_state=0, tol=0.0, max_iter=6).fit(X)
    assert_allclose(steps.means_, whole.means_, rtol=1e-9)


def test_without_warm_start_a_second_fit_begins_anew(X):
    twice = GaussianMixture(3, random_state=0, max_iter=3, tol=0.0).fit(X).fit(X)
    once = GaussianMixture(3, random_state=0, max_iter=3, tol=0.0).fit(X)
    assert_array_equal(twice.means_, once.means_)


WARM_STARTS = {
    "number": ({"n_components": 2}, 1, r"\(2, 2, 'full'\)"),
    "family": ({"covariance_type": "diag"}, 1, r"\(3, 2, 'diag'\)"),
    # The kernels would read and write beyond their arrays.
    "features": ({}, 3, r"\(3, 6, 'full'\)"),
}


@pytest.mark.parametrize(("changed", "times", "got"), WARM_STARTS.values(), ids=WARM_STARTS)
def test_a_warm_start_that_does_not_fit_the_last_solution_is_refused(X, changed, times, got):
    mixture = GaussianMixture(3, random_state=0, warm_start=True).fit(X)
    message = (
        r"^warm_start goes on with the n_components, features and covariance_type of the last "
        rf"fit, \(3, 2, 'full'\), got {got}; set warm_start=False to begin anew$"
    )
    with pytest.raises(InputError, match=message):
        mixture.set_params(**changed).fit(np.tile(X, (1, times)))


# -------------------------------------------------------------------- words to the user


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "score_samples", "score", "bic", "aic"]
)
def test_before_a_fit_every_method_says_so(method):
    message = "^this GaussianMixture has learned nothing yet; call fit or load first$"
    with pytest.raises(NotFittedError, match=message) as caught:
        getattr(GaussianMixture(), method)([[0.0]])
    # Those who catch scikit-learn's error catch ours.
    assert isinstance(caught.value, sklearn.exceptions.NotFittedError)


@pytest.mark.parametrize("name", ["weights_", "means_", "converged_", "n_iter_", "lower_bound_"])
def test_before_a_fit_nothing_is_learned(name):
    assert not hasattr(GaussianMixture(), name)


BAD_OPTIONS = {
    "no component": (
        {"n_components": 0},
        "n_components must be a whole number of at least 1, got 0",
    ),
    "half a component": (
        {"n_components": 1.5},
        r"n_components must be a whole number of at least 1, got 1\.5",
    ),
    "no iteration": ({"max_iter": 0}, "max_iter must be a whole number of at least 1, got 0"),
    "no start": ({"n_init": 0}, "n_init must be a whole number of at least 1, got 0"),
    "negative tol": ({"tol": -1e-3}, r"tol must be a number of at least 0, got -0\.001"),
    "infinite tol": ({"tol": INF}, "tol must be a number of at least 0, got inf"),
    "negative floor": (
        {"covariance_floor": -1},
        "covariance_floor must be a number of at least 0, got -1",
    ),
    "family": (
        {"covariance_type": "round"},
        (
            "covariance_type must be one of full, tied, diag, spherical, EII, EEI, VEI, EVI, VEE, "
            "EVE, VVE, EEV, VEV, EVV, got 'round'"
        ),
    ),
    "method": (
        {"init_params": "magic"},
        r"init_params must be one of k-means\+\+, random, hierarchical, got 'magic'",
    ),
    "no thread": (
        {"n_jobs": 0},
        (
            "n_jobs must be a whole number other than 0, got 0; "
            "give a number of threads, or None for all processors"
        ),
    ),
}


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_is_refused_by_fit(X, options, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        GaussianMixture(**options).fit(X)


def test_a_number_of_threads_that_is_none_is_refused(X):
    with pytest.raises(InputError, match=r"^n_jobs must "):
        GaussianMixture(n_jobs="all").fit(X)


def test_half_a_thread_is_refused(X):
    with pytest.raises(InputError, match=r"^n_jobs must "):
        GaussianMixture(n_jobs=0.5).fit(X)


def test_drawing_no_sample_is_refused(mixture):
    with pytest.raises(
        InputError, match=r"^n_samples must be a whole number of at least 1, got 0$"
    ):
        mixture.sample(0)


def test_stopping_early_is_said_with_the_remedy(X):
    message = (
        "^EM stopped after max_iter=2 iterations, before the likelihood stood still; "
        "raise max_iter or tol$"
    )
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        GaussianMixture(3, random_state=0, max_iter=2, tol=1e-9).fit(X)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_fixed_number_of_iterations_is_no_reason_to_warn(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GaussianMixture(3, random_state=0, max_iter=2, tol=0.0).fit(X)


def test_dropped_components_are_said_with_the_remedy():
    message = (
        "^of 4 components 2 explained nothing of their own and got weight 0; lower n_components$"
    )
    with pytest.warns(GmmsegWarning, match=message) as caught:
        GaussianMixture(4, random_state=0).fit([[0.0], [0.0], [1.0]])
    assert len(caught) == 1


def test_a_table_of_another_width_is_refused(mixture):
    with pytest.raises(ValueError, match="X has 3 features, but GaussianMixture is expecting 2"):
        mixture.predict(np.zeros((2, 3)))


# ------------------------------------------------------------------------- what is fixed


def given_start(rng, covariance_type):
    start = random_mixture(rng, covariance_type)
    return start, {
        "weights_init": start.weights,
        "means_init": start.means,
        "precisions_init": start.precisions,
    }


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("fixed", ["weights", "means", "covariances"])
def test_what_is_fixed_stays_through_a_fit_and_a_warm_start(rng, X, fixed, noise):
    start, inits = given_start(rng, "full")
    options = {"fixed": fixed, "warm_start": True, "noise": noise, "tol": 0.0, "max_iter": 5}
    mixture = GaussianMixture(3, **options, **inits).fit(X)
    first, start_bound = mixture.parameters_, mixture.lower_bounds_[0]
    mixture.fit(X)
    if fixed == "weights" and noise:
        assert first.noise.weight == mixture.parameters_.noise.weight == 0.05
        assert_allclose(first.weights, 0.95 * start.weights, rtol=1e-12)
    elif fixed == "covariances":  # which are the inverse of what was given
        assert_allclose(first.covariances, start.covariances, rtol=1e-9, atol=1e-9)
    else:
        assert_array_equal(getattr(first, fixed), getattr(start, fixed))
    assert_array_equal(getattr(first, fixed), getattr(mixture.parameters_, fixed))
    assert mixture.lower_bound_ > start_bound


@pytest.mark.parametrize(
    ("name", "option"),
    [("weights", "weights_init"), ("means", "means_init"), ("covariances", "precisions_init")],
)
def test_what_is_fixed_must_be_given(X, name, option):
    message = f"^fixed holds '{name}', so {option} must say what they are, got None$"
    for fixed in (name, (name,), {name}):
        with pytest.raises(InputError, match=message):
            GaussianMixture(3, fixed=fixed, warm_start=True).fit(X)


@pytest.mark.parametrize(
    ("fixed", "got"), [("shape", "'shape'"), (["means", 7], "7"), (None, "None"), (3, "3")]
)
def test_only_the_three_parts_can_be_fixed(X, fixed, got):
    message = f"^fixed must name some of weights, means, covariances, got {got}$"
    with pytest.raises(InputError, match=message):
        GaussianMixture(2, fixed=fixed, means_init=[[0.0, 0.0], [1.0, 1.0]]).fit(X)
