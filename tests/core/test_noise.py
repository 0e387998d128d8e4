"""Claims about uniform noise: its box, its part in the E-step, and what a mixture does with it."""

import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters, UniformNoise, expectation
from gmmseg.core.adaptation import adapted
from gmmseg.core.estep import log_densities, predicted_labels, responsibilities
from gmmseg.core.merging import merge_mixtures
from gmmseg.core.mstep import maximize
from gmmseg.core.noise import START_WEIGHT, joined_noise, noise_around
from gmmseg.core.rescue import switch_off, switch_on
from gmmseg.core.sampling import draw_samples
from gmmseg.core.similarity import Similarity
from gmmseg.errors import GmmsegWarning, InputError
from tests import naive
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture, spelled_out

NAN, INF = float("nan"), float("inf")
BOX = UniformNoise(0.25, [-6.0, -5.0], [6.0, 7.0])


def noisy_mixture(rng, covariance_type="full", noise=BOX):
    return random_mixture(rng, covariance_type).with_noise(noise)


def noisy_samples(rng, parameters, n_samples=80, *, holes=0.0):
    box = parameters.noise
    outliers = rng.uniform(box.low - 1.0, box.high + 1.0, size=(n_samples // 4, 2))
    X = np.r_[draw(rng, parameters.with_noise(None), n_samples - n_samples // 4), outliers]
    is_missing = rng.random(X.shape) < holes
    is_missing[:, 0] &= ~is_missing[:, 1]
    return np.where(is_missing, NAN, X)


# ------------------------------------------------------------------------------------ the box


def test_the_box_is_the_smallest_around_the_samples():
    box = noise_around(np.array([[1.0, -2.0], [3.0, 5.0], [2.0, 0.0]]))
    assert_array_equal(box.low, [1.0, -2.0])
    assert_array_equal(box.high, [3.0, 5.0])
    assert box.weight == START_WEIGHT
    assert_array_equal(box.width, [2.0, 7.0])


def test_missing_entries_do_not_widen_the_box():
    box = noise_around(np.array([[1.0, NAN, NAN], [3.0, 5.0, NAN], [NAN, 4.0, NAN]]))
    assert_allclose(box.low, [1.0, 4.0, -0.001])
    assert_allclose(box.high, [3.0, 5.0, 0.001])


def test_a_constant_feature_gets_a_thousandth_of_the_longest_side():
    box = noise_around(np.array([[0.0, 7.0], [4.0, 7.0]]))
    assert_allclose(box.low, [0.0, 6.998])
    assert_allclose(box.high, [4.0, 7.002])


def test_equal_samples_get_a_box_of_side_one():
    box = noise_around(np.array([[3.0, -1.0]] * 4))
    assert_allclose(box.low, [2.5, -1.5])
    assert_allclose(box.high, [3.5, -0.5])


def test_no_side_is_shorter_than_the_narrowest_gaussian_is_wide():
    # The smallest variance is 1e-60: in a shorter box noise would be denser than any Gaussian.
    box = noise_around(np.array([[0.0, 0.0], [1e-150, 3e-29]]))
    assert_allclose(box.width, [1e-29, 3e-29], rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-310, 1e-150, 1e-12, 1e12, 1e150])
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e8])
def test_every_table_has_a_box_with_a_volume(rng, scale, offset):
    X = scale * (rng.normal(size=(20, 3)) + offset)
    for table in (X, X * [1.0, 0.0, 1.0], X[:1]):
        box = noise_around(table)
        assert (box.low <= table.min(axis=0)).all()
        assert (box.high >= table.max(axis=0)).all()
        assert np.isfinite(np.log(box.width)).all()


def test_a_box_of_two_mixtures_is_around_both_and_its_weight_is_their_mean():
    other = UniformNoise(0.05, [-1.0, -9.0], [1.0, 9.0])
    both = joined_noise(BOX, other, 0.75)
    assert both.weight == pytest.approx(0.75 * 0.25 + 0.25 * 0.05)
    assert_array_equal(both.low, [-6.0, -9.0])
    assert_array_equal(both.high, [6.0, 9.0])
    assert joined_noise(None, other, 0.75).weight == pytest.approx(0.0125)
    assert joined_noise(None, None, 0.5) is None


BAD_BOXES = {
    "weight": ((1.5, [0.0], [1.0]), "the weight of the noise must be from 0 to 1, got 1.5"),
    "no weight": ((NAN, [0.0], [1.0]), "the weight of the noise must be from 0 to 1, got nan"),
    "word": (("much", [0.0], [1.0]), "the weight of the noise must be from 0 to 1, got 'much'"),
    "shapes": (
        (0.1, [0.0], [1.0, 2.0]),
        "low and high must have shape (n_features,), got (1,) and (2,)",
    ),
    "numbers": ((0.1, 0.0, 1.0), "low and high must have shape (n_features,), got () and ()"),
    "flat": (
        (0.1, [0.0, 3.0], [1.0, 3.0]),
        (
            "the box of the noise must be finite with low < high in every feature, got low 3.0 and "
            "high 3.0 in feature 1"
        ),
    ),
    "endless": (
        (0.1, [0.0], [INF]),
        (
            "the box of the noise must be finite with low < high in every feature, got low 0.0 and "
            "high inf in feature 0"
        ),
    ),
    "too long": (
        (0.1, [-1e308], [1e308]),
        (
            "the box of the noise must be finite with low < high in every feature, got low -1e+308 "
            "and high 1e+308 in feature 0"
        ),
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_BOXES.values(), ids=BAD_BOXES)
def test_what_is_no_noise_is_refused(arguments, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        UniformNoise(*arguments)


def test_a_box_of_other_features_than_the_mixture_is_refused():
    message = r"^the box of the noise must have 1 features as the means have, got 2$"
    with pytest.raises(InputError, match=message):
        MixtureParameters([0.75], [[0.0]], [[[1.0]]], noise=BOX)


def test_a_pickle_is_equal_and_as_frozen():
    back = pickle.loads(pickle.dumps(BOX))  # noqa: S301 (our own bytes)
    assert back.weight == BOX.weight
    assert_array_equal(back.low, BOX.low)
    assert not back.low.flags.writeable


# --------------------------------------------------------------------------------- the E-step


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "with holes"])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_noise_is_one_more_component_of_the_density_of_its_box(rng, covariance_type, holes, dtype):
    parameters = noisy_mixture(rng, covariance_type)
    X = noisy_samples(rng, parameters, holes=holes).astype(dtype)
    weight, matrices = rng.uniform(0.1, 2.0, len(X)), spelled_out(parameters)
    log_prob = naive.log_prob_of_observed(X, parameters.weights, parameters.means, matrices)
    log_prob = naive.with_noise(log_prob, X, parameters.noise)
    resp, log_density = naive.responsibilities(log_prob), naive.logsumexp(log_prob)
    rtol = 1e-9 if dtype == np.float64 else 1e-3
    assert_allclose(responsibilities(X, parameters), resp, atol=rtol)
    assert_allclose(log_densities(X, parameters), log_density, rtol=rtol, atol=rtol)
    labels = naive.labels(log_prob)
    assert_array_equal(predicted_labels(X, parameters), np.where(labels == 3, -1, labels))
    assert (labels == 3).any()
    sums = naive.expected_statistics(X, resp[:, :-1], parameters.means, matrices, weight)
    found = expectation(X, parameters, weight)
    assert_allclose(found.resp_sum, sums[0], rtol=rtol)
    assert_allclose(found.dev_sum, sums[1], rtol=rtol, atol=10 * rtol)
    is_full = found.dev2_sum.ndim == 3
    dev2_sum = sums[2] if is_full else np.diagonal(sums[2], axis1=1, axis2=2)
    assert_allclose(found.dev2_sum, dev2_sum, rtol=rtol, atol=10 * rtol)
    assert found.noise_sum == pytest.approx(weight @ resp[:, -1], rel=rtol)
    assert found.weight_sum == pytest.approx(weight.sum(), rel=rtol)
    assert found.log_likelihood == pytest.approx(weight @ log_density, rel=rtol)


def test_a_row_that_misses_all_has_the_shares_as_posteriors(rng):
    X = np.array([[NAN, NAN]])
    parameters = noisy_mixture(rng, noise=UniformNoise(0.7, BOX.low, BOX.high))
    assert_allclose(responsibilities(X, parameters), [[*parameters.weights, 0.7]])
    assert predicted_labels(X, parameters)[0] == -1


def test_what_is_missing_of_noise_lies_in_the_middle_of_its_box():
    far = UniformNoise(0.9, [0.0, 100.0], [10.0, 112.0])
    parameters = MixtureParameters([0.1], [[-1e3, 0.0]], [np.eye(2)], noise=far)
    mixture = GaussianMixture.from_parameters(
        parameters.weights, parameters.means, parameters.covariances, noise=far
    )
    X = np.array([[5.0, NAN]])
    assert_allclose(mixture.impute(X), [[5.0, 106.0]])
    assert_allclose(mixture.impute_deviation(X) ** 2, [[0.0, 12.0]])  # 12**2 / 12


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_box_that_is_endless_beside_the_gaussians_gives_finite_numbers(dtype):
    huge = UniformNoise(0.5, [-1e38, -1e38], [3e38, 3e38])
    mixture = GaussianMixture.from_parameters(
        [0.5], [[0.0, 0.0]], [[1e-12, 1e-12]], covariance_type="diag", noise=huge
    )
    X = np.array([[0.0, 0.0], [1e30, 0.0], [1.0, NAN]], dtype)
    assert_array_equal(mixture.predict(X), [0, -1, -1])
    assert np.isfinite(mixture.score_samples(X)).all()
    assert_allclose(mixture.predict_proba(X).sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_noise_of_all_weight_leaves_the_gaussians_as_they_are(rng, covariance_type):
    everything = UniformNoise(1.0, BOX.low, BOX.high)
    parameters = noisy_mixture(rng, covariance_type, everything)
    X = draw(rng, random_mixture(rng), 30)
    statistics = expectation(X, parameters)
    assert statistics.log_likelihood == pytest.approx(-30 * np.log(144.0))
    found = maximize(statistics, parameters, 1e-9)
    assert found.noise.weight == 1.0
    assert_array_equal(found.weights, np.zeros(3))
    assert_array_equal(found.means, parameters.means)
    assert np.isfinite(found.covariances).all()
    assert np.isfinite(switch_on(found, 0, np.zeros(2), 1e-9).covariances).all()


# ------------------------------------------------------------------- what mixtures do with it


def test_weights_share_what_noise_leaves(rng):
    parameters = noisy_mixture(rng)
    assert parameters.shares.sum() == pytest.approx(1.0)
    assert parameters.weights.sum() == pytest.approx(0.75)
    assert_array_equal(parameters.shares, [*parameters.weights, 0.25])
    assert switch_off(parameters, 0).weights.sum() == pytest.approx(0.75)
    assert parameters.subset(np.array([2, 0])).weights.sum() == pytest.approx(0.75)
    assert parameters.subset(np.array([2, 0])).noise is parameters.noise
    assert_allclose(parameters.with_noise(None).weights, parameters.weights / 0.75)
    assert parameters.with_noise(None).shares.sum() == pytest.approx(1.0)


def test_weights_that_do_not_leave_room_for_noise_are_refused():
    message = r"^weights must sum to 0\.75, without the noise, got 1\.0; divide them by their sum$"
    with pytest.raises(InputError, match=message):
        MixtureParameters([1.0], [[0.0, 0.0]], [np.eye(2)], noise=BOX)


def test_noise_costs_one_parameter(rng):
    parameters = noisy_mixture(rng)
    alone = parameters.with_noise(None)
    assert parameters.n_free_parameters == alone.n_free_parameters + 1


def test_the_bic_counts_it(rng):
    X = noisy_samples(rng, noisy_mixture(rng))
    mixture = GaussianMixture(2, noise=True, random_state=0, tol=0.1).fit(X)
    log_likelihood = mixture.score(X) * len(X)
    # Two of the three weights, two means, two symmetric matrices.
    assert mixture.bic(X) == pytest.approx(-2 * log_likelihood + (2 + 4 + 6) * np.log(len(X)))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_draw_has_its_share_of_noise_in_the_box(rng, covariance_type):
    parameters = noisy_mixture(rng, covariance_type)
    X, labels = draw_samples(parameters, 40_000, np.random.RandomState(0))
    shares = [(labels == k).mean() for k in (0, 1, 2, -1)]
    assert_allclose(shares, parameters.shares, atol=0.01)
    noise = X[labels == -1]
    assert_array_equal(labels[-len(noise) :], -1)
    assert_allclose(noise.min(axis=0), BOX.low, atol=0.01)
    assert_allclose(noise.max(axis=0), BOX.high, atol=0.01)
    assert (noise >= BOX.low).all()
    assert (noise <= BOX.high).all()
    assert_allclose(noise.mean(axis=0), [0.0, 1.0], atol=0.2)
    assert_allclose(noise.var(axis=0), 12.0, rtol=0.05)
    for k in range(3):
        assert_allclose(X[labels == k].mean(axis=0), parameters.means[k], atol=0.2)


def test_from_parameters_takes_noise():
    mixture = GaussianMixture.from_parameters(
        [0.75], [[0.0, 0.0]], [[0.01, 0.01]], covariance_type="diag", noise=BOX
    )
    assert mixture.noise is True
    assert_array_equal(mixture.predict([[0.0, 0.0], [3.0, 3.0], [50.0, 0.0]]), [0, -1, -1])
    assert mixture.predict_proba([[0.0, 0.0]]).shape == (1, 2)
    X, labels = mixture.set_params(random_state=0).sample(300)
    assert_array_equal(mixture.predict(X[labels == 0]), 0)


def test_adaptation_moves_the_noise_by_its_samples(rng):
    parameters = noisy_mixture(rng)
    X = noisy_samples(rng, parameters, 400)
    statistics = expectation(X, parameters)
    at_once = adapted(parameters, statistics, relevance_factor=0.0, floor=0.0)
    wanted = maximize(statistics, parameters, 0.0)
    assert_allclose(at_once.weights, wanted.weights, rtol=1e-9)
    assert at_once.noise.weight == pytest.approx(wanted.noise.weight)
    nearly = adapted(parameters, statistics, relevance_factor=1e12, floor=0.0)
    assert_allclose(nearly.shares, parameters.shares, rtol=1e-6)
    assert_array_equal(nearly.noise.low, BOX.low)


def test_merging_keeps_all_shares(rng):
    first, second = noisy_mixture(rng), random_mixture(rng)
    both = merge_mixtures(first, second, first_share=0.4)
    assert_allclose(both.weights, [*(0.4 * first.weights), *(0.6 * second.weights)])
    assert both.noise.weight == pytest.approx(0.1)
    few = merge_mixtures(first, second, first_share=0.4, n_components=2)
    assert few.shares.sum() == pytest.approx(1.0)
    assert few.noise.weight == pytest.approx(0.1)


def test_similarity_is_of_the_gaussians_alone(rng):
    parameters = noisy_mixture(rng)
    with_it, without = Similarity.of(parameters), Similarity.of(parameters.with_noise(None))
    assert_allclose(with_it.bhattacharyya, without.bhattacharyya)
    assert with_it.merge_cost.shape == (3, 3)
    assert [(m.first, m.second) for m in with_it.merges] == [
        (m.first, m.second) for m in without.merges
    ]


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_where_all_is_noise_every_component_is_dropped_and_said_so(covariance_type):
    # Samples in the middle of a feature and the box of others, all within one floor.
    X = np.random.default_rng(0).uniform(size=(2_000, 1))
    mixture = GaussianMixture(
        2, covariance_type=covariance_type, noise=True, covariance_floor=1e3, random_state=0
    )
    with pytest.warns(GmmsegWarning, match="^of 2 components 2 explained nothing of their own"):
        mixture.set_params(tol=0.0, max_iter=200).fit(X)
    assert mixture.parameters_.noise.weight == pytest.approx(1.0)
    assert_array_equal(mixture.predict(X), -1)
    assert mixture.bic(X) == pytest.approx(0.0, abs=200.0)
    assert mixture.sample(5)[1].tolist() == [-1] * 5


@pytest.mark.filterwarnings("ignore::gmmseg.errors.GmmsegWarning")
def test_a_choice_of_mixtures_may_end_with_noise_alone(rng):
    X = rng.uniform(size=(500, 2))
    mixture = GaussianMixture(
        [1, 2], noise=True, covariance_floor=1e3, random_state=0, tol=0.0, max_iter=200
    ).fit(X)
    assert mixture.n_components_ == 1
    assert_array_equal(mixture.predict(X), -1)
