"""Claims about partly labelled data: which labels count, and what they do to a fit."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters, UniformNoise
from gmmseg.core.estep import weighted_statistics
from gmmseg.core.known_labels import known_labels, parameters_from_some_labels
from gmmseg.core.missing import prepared
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture, spelled_out

NAN = float("nan")
CENTERS = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])


def three_blobs(rng, n_samples=150):
    """Return samples of three overlapping blobs and the blob of each."""
    truth = rng.integers(0, 3, n_samples)
    return CENTERS[truth] + rng.normal(size=(n_samples, 2)), truth


def some_of(truth, n_known=5):
    """Return labels known for the first few of each blob."""
    y = np.full(len(truth), -1)
    for k in range(3):
        known = np.flatnonzero(truth == k)[:n_known]
        y[known] = k
    return y


# ------------------------------------------------------------------------- which labels count


class Column:
    """What a column of a data frame looks like to numpy."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype or object)


@pytest.mark.parametrize(
    "y",
    [
        [0, -1, 1],
        (0.0, -1.0, 1.0),
        np.array([0, -1, 1], np.int8),
        np.array([0, -1, 1], np.float32),
        np.array([0, -1, 1], object),
        Column([0, -1, 1]),
    ],
    ids=["list", "floats", "bytes", "single", "objects", "column"],
)
def test_whole_numbers_with_an_unknown_one_are_labels(y):
    labels = known_labels(y, 3, 2)
    assert_array_equal(labels, [0, -1, 1])
    assert labels.dtype == np.int32


@pytest.mark.parametrize(
    "y",
    [
        None,
        [0, 1, 1],
        ["a", "b", "-1"],
        np.array(["0", "-1", "1"], object),
        np.array([0, -1, None], object),
        [0.5, -1.0, 1.0],
        [NAN, -1.0, 1.0],
        [float("inf"), -1.0, 1.0],
        [True, False, True],
        [-1, -1, -1],
        np.array([0, 1, 2], np.uint8),
        np.array([0, 255, 1], np.uint8),
    ],
)
def test_any_other_target_is_ignored(y):
    assert known_labels(y, 3, 2) is None


def test_labels_of_samples_that_do_not_count_are_unknown():
    labels = known_labels([0, -1, 1], 3, 2, np.array([1.0, 1.0, 0.0]))
    assert_array_equal(labels, [0, -1, -1])
    assert known_labels([0, -1, 1], 3, 2, np.array([0.0, 1.0, 0.0])) is None


BAD_LABELS = {
    "few": ([0, -1], "y must have one label for each of the 3 samples, got 2"),
    "column": (
        [[0], [-1], [1]],
        "y must have shape (3,), got (3, 1); give one label per sample",
    ),
    "large": (
        [0, -1, 2],
        ("y must hold components from 0 to 1, or -1 where none is known, got 2 for sample 2"),
    ),
    "small": (
        [-2, -1, 0],
        ("y must hold components from 0 to 1, or -1 where none is known, got -2 for sample 0"),
    ),
}


@pytest.mark.parametrize(("y", "message"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_labels_that_name_no_component_are_refused(y, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        GaussianMixture(2).fit([[0.0], [1.0], [2.0]], y)


@pytest.mark.parametrize("options", [{"n_components": "auto"}, {"covariance_type": "auto"}])
def test_labels_leave_no_number_or_family_to_choose(options):
    message = (
        "^y names components, so their number and family cannot be chosen; give n_components "
        "and covariance_type$"
    )
    with pytest.raises(InputError, match=message):
        GaussianMixture(**options).fit([[0.0], [1.0], [2.0]], [0, -1, 500])


# --------------------------------------------------------------------------------- the E-step


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "with holes"])
@pytest.mark.parametrize("has_noise", [False, True], ids=["plain", "noise"])
def test_a_labelled_sample_belongs_to_its_component_alone(rng, has_noise, holes, dtype):
    parameters = random_mixture(rng)
    if has_noise:
        parameters = parameters.with_noise(UniformNoise(0.2, [-9.0, -9.0], [9.0, 9.0]))
    X = draw(rng, random_mixture(rng), 60)
    is_missing = rng.random(X.shape) < holes
    is_missing[:, 0] &= ~is_missing[:, 1]
    X = np.where(is_missing, NAN, X).astype(dtype)
    labels, weight = rng.integers(-1, 3, 60).astype(np.int32), rng.uniform(0.1, 2.0, 60)
    matrices = spelled_out(parameters)
    log_prob = naive.log_prob_of_observed(X, parameters.weights, parameters.means, matrices)
    if has_noise:
        log_prob = naive.with_noise(log_prob, X, parameters.noise)
    log_prob = naive.pinned(log_prob, labels)
    resp = naive.responsibilities(log_prob)
    found = weighted_statistics(prepared(X), parameters, weight, known_labels=labels)
    rtol = 1e-9 if dtype == np.float64 else 1e-3
    assert_allclose(found.resp_sum, weight @ resp[:, :3], rtol=rtol)
    assert found.noise_sum == pytest.approx(weight @ resp[:, 3:].sum(axis=1), rel=rtol)
    # Of the labelled samples, the likelihood is that of sample and label together.
    wanted = weight @ naive.logsumexp(log_prob)
    assert found.log_likelihood == pytest.approx(wanted, rel=rtol)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("row", [[1.0, 1.0], [1.0, NAN]], ids=["complete", "with a hole"])
def test_a_sample_of_a_component_that_is_switched_off_belongs_to_it_all_the_same(row, dtype):
    off = MixtureParameters([1.0, 0.0], [[0.0, 0.0], [1.0, 1.0]], [np.eye(2)] * 2)
    X, labels = np.array([row, [0.0, 0.0]], dtype), np.array([1, -1], np.int32)
    found = weighted_statistics(prepared(X), off, known_labels=labels)
    assert_array_equal(found.resp_sum, [1.0, 1.0])
    assert np.isfinite(found.log_likelihood)


# ------------------------------------------------------------------------------------ the fit


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_likelihood_of_samples_and_labels_never_falls(rng, covariance_type):
    X, truth = three_blobs(rng)
    mixture = GaussianMixture(
        3, covariance_type=covariance_type, random_state=0, tol=0.0, max_iter=30
    ).fit(X, some_of(truth))
    assert (np.diff(mixture.lower_bounds_) >= -1e-9).all()
    assert mixture.lower_bounds_[-1] > mixture.lower_bounds_[0]


def test_a_few_labels_say_which_component_is_which():
    with_labels, without = [], []
    for seed in range(20):
        X, truth = three_blobs(np.random.default_rng(seed))
        mixture = GaussianMixture(3, covariance_type="spherical", random_state=seed)
        with_labels.append((mixture.fit(X, some_of(truth)).predict(X) == truth).mean())
        nearest = np.linalg.norm(mixture.means_[:, None] - CENTERS, axis=2).argmin(axis=1)
        assert_array_equal(nearest, [0, 1, 2])
        labels = mixture.fit(X).predict(X)
        orders = ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0])
        without.append(max((np.array(order)[labels] == truth).mean() for order in orders))
    assert np.mean(with_labels) > np.mean(without)
    assert min(with_labels) > 0.8


def test_components_without_a_label_begin_where_no_label_is(rng):
    X, truth = three_blobs(rng, 300)
    y = np.where((truth == 1) & (rng.random(300) < 0.3), 1, -1)
    far = X + 4.0 * CENTERS[truth]
    mixture = GaussianMixture(3, random_state=0).fit(far, y)
    assert_allclose(mixture.means_[1], [15.0, 0.0], atol=0.5)
    others = mixture.means_[[0, 2]]
    assert_allclose(others[others[:, 1].argsort()], [[0.0, 0.0], [0.0, 15.0]], atol=0.5)


def test_a_label_holds_against_what_the_mixture_says():
    X = np.array([[-1.0], [0.0], [1.0], [9.0], [10.0], [11.0]])
    mixture = GaussianMixture(2, covariance_type="tied", tol=1e-9)
    mixture.fit(X, [0, 0, 0, 0, -1, 1])
    held = weighted_statistics(
        X, mixture.parameters_, known_labels=np.array([0, 0, 0, 0, -1, 1], np.int32)
    )
    assert_allclose(held.resp_sum / 6, mixture.weights_, atol=1e-3)
    assert held.resp_sum[0] >= 4.0


def test_prediction_does_not_know_labels():
    y = [0, 0, 0, 1, 1, -1, 1, 1, 0]
    X = np.array([[-1.0], [0.0], [1.0], [9.0], [10.0], [10.0], [11.0], [10.5], [9.5]])
    mixture = GaussianMixture(2, covariance_type="tied", tol=1e-9)
    assert_array_equal(mixture.fit_predict(X, y), [0, 0, 0, 1, 1, 1, 1, 1, 1])
    # Four samples labelled 0, the last among them, and four labelled 1.
    assert mixture.weights_[0] == pytest.approx(4 / 9, abs=0.01)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_y_that_knows_all_changes_nothing(rng, covariance_type):
    X, truth = three_blobs(rng)
    options = {"covariance_type": covariance_type, "random_state": 0, "max_iter": 5, "tol": 0.0}
    with_y, without = (GaussianMixture(3, **options).fit(X, y) for y in (truth, None))
    assert_array_equal(with_y.means_, without.means_)


def test_a_label_of_weight_zero_changes_nothing(rng):
    X, truth = three_blobs(rng)
    y, weight = some_of(truth), np.ones(len(X))
    weight[:10] = 0.0
    wrong = y.copy()
    wrong[:10] = 2 - np.maximum(y[:10], 0)
    one, other = (
        GaussianMixture(3, random_state=0).fit(X, labels, sample_weight=weight)
        for labels in (y, wrong)
    )
    assert_array_equal(one.means_, other.means_)


@pytest.mark.parametrize(
    "options",
    [
        {"n_init": 3},
        {"means_init": CENTERS + 0.3},
        {"noise": True},
        {"covariance_prior": 4},
        {"init_params": "hierarchical"},
    ],
    ids=["starts", "means", "noise", "prior", "method"],
)
@pytest.mark.parametrize("holes", [0.0, 0.15], ids=["complete", "with holes"])
def test_labels_go_with_every_other_option(rng, options, holes):
    X, truth = three_blobs(rng, 300)
    X[rng.random(X.shape) < holes] = NAN
    mixture = GaussianMixture(3, covariance_type="tied", random_state=0, **options)
    mixture.fit(X, some_of(truth, 20), sample_weight=rng.integers(1, 4, 300))
    assert_allclose(mixture.means_, CENTERS, atol=0.6)
    assert (np.diff(mixture.lower_bounds_) >= -1e-9).all()


def test_a_warm_start_gives_a_dropped_component_the_samples_of_its_label(rng):
    X, truth = three_blobs(rng)
    mixture = GaussianMixture(3, random_state=0, warm_start=True, max_iter=500).fit(X)
    mixture.parameters_ = mixture.parameters_.replaced(weights=np.array([0.5, 0.5, 0.0]))
    mixture.fit(X, some_of(truth))
    assert mixture.weights_.min() > 0.05
    assert np.isfinite(mixture.lower_bounds_).all()


def test_a_labelled_group_that_misses_a_feature_begins_at_its_overall_mean(rng):
    X = rng.normal([0.0, 1e4], size=(100, 2))
    X[50:, 0] += 8.0
    labels = np.full(100, -1, np.int32)
    labels[[0, 1]], labels[[50, 51]] = 0, 1
    X[[0, 1], 1] = NAN
    start = parameters_from_some_labels(
        X[labels >= 0],
        labels[labels >= 0],
        (X, np.ones(100)),
        2,
        covariance_type="full",
        rng=rng,
    )
    assert_allclose(start.weights, 0.5, atol=0.05)
    assert_allclose(start.means, [[0.0, 1e4], [8.0, 1e4]], atol=1.0)


def test_blocks_have_labels_as_the_whole_table_has(rng):
    X, truth = three_blobs(rng)
    y = some_of(truth)
    options = {"random_state": 0, "tol": 1e-9, "max_iter": 1_000}
    whole = GaussianMixture(3, **options).fit(X, y)
    parts = GaussianMixture(3, **options).fit([X[:40], X[40:]], y)
    assert_allclose(parts.means_, whole.means_, atol=1e-3)
