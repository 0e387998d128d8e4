"""Claims about the compiled loops: each is its naive twin."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import (
    GaussianMixture,
    expectation,
    kernel_densities,
    kernel_sums,
    kernel_types,
    kernels,
    layout,
)
from gmmseg.core.estep import log_densities, predicted_labels, responsibilities, weighted_statistics
from gmmseg.core.noise import UniformNoise
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import draw, random_mixture, spelled_out

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-11}
KERNELS = ["full", "diag"]
# Features that are one tile (1, 2, 3) and that are cut into fours with padding (10). What single
# precision adds does not depend on their number: there a few are enough, each compiles for seconds.
CASES = [
    *[(kind, np.float64, n_features) for kind in KERNELS for n_features in (1, 2, 3, 10)],
    *[(kind, np.float32, n_features) for kind in KERNELS for n_features in (2, 10)],
    ("full", np.float32, 3),
]


def case(rng, covariance_type, dtype, n_features, *, n_samples=211):
    """Return a mixture and odd-sized samples of it in this precision."""
    parameters = random_mixture(rng, covariance_type, n_features=n_features)
    return parameters, draw(rng, parameters, n_samples).astype(dtype)


def naive_log_prob(X, parameters):
    return naive.log_prob(X, parameters.weights, parameters.means, spelled_out(parameters))


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: f"{kind[0]}-{kind[1].__name__}-{kind[2]}")
class TestAgainstNaiveLoops:
    def test_log_density_is_the_logsumexp_of_the_log_prob(self, rng, kind):
        parameters, X = case(rng, *kind)
        found = log_densities(X, parameters)
        assert found.dtype == X.dtype
        wanted = naive.logsumexp(naive_log_prob(X, parameters))
        assert_allclose(found, wanted, rtol=TOLERANCE[X.dtype.type], atol=TOLERANCE[X.dtype.type])

    def test_responsibilities_are_the_normalised_log_prob(self, rng, kind):
        parameters, X = case(rng, *kind)
        found = responsibilities(X, parameters)
        assert found.dtype == X.dtype
        wanted = naive.responsibilities(naive_log_prob(X, parameters))
        assert_allclose(found, wanted, atol=5 * TOLERANCE[X.dtype.type])

    def test_labels_are_the_first_largest_log_prob(self, rng, kind):
        parameters, X = case(rng, *kind)
        wanted = naive.labels(naive_log_prob(X, parameters))
        assert_array_equal(predicted_labels(X, parameters), wanted)

    @pytest.mark.parametrize("is_weighted", [False, True])
    def test_statistics_are_the_sums_over_samples(self, rng, kind, is_weighted):
        parameters, X = case(rng, *kind)
        weight = rng.uniform(0.0, 3.0, size=len(X)) if is_weighted else None
        found = weighted_statistics(X, parameters, weight)
        weight = np.ones(len(X)) if weight is None else weight
        log_prob = naive_log_prob(X, parameters)
        resp = naive.responsibilities(log_prob)
        resp_sum, dev_sum, dev2_sum = naive.statistics(X, resp, parameters.means, weight)
        if parameters.covariance_type == "diag":
            dev2_sum = np.diagonal(dev2_sum, axis1=1, axis2=2)
        allowed = {"rtol": TOLERANCE[X.dtype.type], "atol": TOLERANCE[X.dtype.type] * len(X)}
        assert_allclose(found.resp_sum, resp_sum, **allowed)
        assert_allclose(found.dev_sum, dev_sum, **allowed)
        assert_allclose(found.dev2_sum, dev2_sum, **allowed)
        assert_allclose(found.log_likelihood, weight @ naive.logsumexp(log_prob), **allowed)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", KERNELS)
def test_components_that_visit_only_their_own_samples_miss_none(rng, covariance_type, dtype):
    # Far apart, most samples belong to one component, the first to several: both ways are gone.
    parameters = random_mixture(rng, covariance_type, n_components=5, n_features=10, spread=9.0)
    X = draw(rng, parameters, 211).astype(dtype)
    X[:7] = parameters.means[0] / 2 + parameters.means[1] / 2
    log_prob = naive_log_prob(X, parameters)
    resp = naive.responsibilities(log_prob)
    n_active = (resp > 1e-9).sum(axis=0)
    assert n_active.min() > 0
    assert n_active.max() < 0.35 * len(X)
    found = weighted_statistics(X, parameters)
    _, dev_sum, dev2_sum = naive.statistics(X, resp, parameters.means, np.ones(len(X)))
    if covariance_type == "diag":
        dev2_sum = np.diagonal(dev2_sum, axis1=1, axis2=2)
    allowed = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype] * len(X)}
    assert_allclose(found.dev_sum, dev_sum, **allowed)
    assert_allclose(found.dev2_sum, dev2_sum, **allowed)


@pytest.mark.parametrize("n_features", [2, 10])
@pytest.mark.parametrize("covariance_type", KERNELS)
def test_a_sample_of_known_label_belongs_to_that_component_alone(rng, covariance_type, n_features):
    parameters, X = case(rng, covariance_type, np.float64, n_features)
    labels = rng.integers(-1, 3, size=len(X)).astype(np.int32)
    log_prob = naive.pinned(naive_log_prob(X, parameters), labels)
    found = weighted_statistics(X, parameters, known_labels=labels)
    resp = naive.responsibilities(log_prob)
    resp_sum, dev_sum, _ = naive.statistics(X, resp, parameters.means, np.ones(len(X)))
    assert_allclose(found.resp_sum, resp_sum, rtol=1e-11)
    assert_allclose(found.dev_sum, dev_sum, atol=1e-9)
    assert_allclose(found.log_likelihood, naive.logsumexp(log_prob).sum(), rtol=1e-11)


@pytest.mark.parametrize("n_features", [2, 10])
@pytest.mark.parametrize("covariance_type", ["tied", "spherical"])
def test_shared_covariances_are_those_of_each_component(rng, covariance_type, n_features):
    parameters, X = case(rng, covariance_type, np.float64, n_features)
    wanted = naive.logsumexp(naive_log_prob(X, parameters))
    assert_allclose(log_densities(X, parameters), wanted, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_one_shared_matrix_beside_noise_is_as_good_as_one_for_each_component(rng, shift, dtype):
    noise = UniformNoise(0.2, np.full(10, shift - 9.0), np.full(10, shift + 9.0))
    tied, X = case(rng, "tied", dtype, 10)
    tied = tied.replaced(means=tied.means + shift).with_noise(noise)
    full = MixtureParameters(
        tied.weights, tied.means, tied.component_covariances.copy(), noise=noise
    )
    X += dtype(shift)
    found, wanted = expectation(X, tied), expectation(X, full)
    assert_allclose(found.resp_sum, wanted.resp_sum, rtol=100 * TOLERANCE[dtype])
    assert_allclose(found.noise_sum, wanted.noise_sum, rtol=100 * TOLERANCE[dtype])
    assert_allclose(found.log_likelihood, wanted.log_likelihood, rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("covariance_type", KERNELS)
def test_many_blocks_in_many_ranges_are_the_same_samples(rng, covariance_type):
    # 50,021 samples are 32 ranges of 1,563 or 1,564, each one whole block and a part.
    parameters, X = case(rng, covariance_type, np.float64, 2, n_samples=50_021)
    covariances = spelled_out(parameters)
    dev = X[:, None] - parameters.means
    distance = np.einsum("nki,kij,nkj->nk", dev, np.linalg.inv(covariances), dev)
    log_det = np.linalg.slogdet(2 * np.pi * covariances).logabsdet
    log_prob = np.log(parameters.weights) - 0.5 * (distance + log_det)
    log_density = np.logaddexp.reduce(log_prob, axis=1)
    resp = np.exp(log_prob - log_density[:, None])
    weight = rng.integers(0, 4, size=len(X)).astype(float)
    found = weighted_statistics(X, parameters, weight)
    dev2_sum = np.einsum("n,nk,nki,nkj->kij", weight, resp, dev, dev)
    if covariance_type == "diag":
        dev2_sum = np.diagonal(dev2_sum, axis1=1, axis2=2)
    assert_allclose(found.resp_sum, weight @ resp, rtol=1e-11)
    assert_allclose(found.dev_sum, np.einsum("n,nk,nki->ki", weight, resp, dev), atol=1e-8)
    assert_allclose(found.dev2_sum, dev2_sum, rtol=1e-11, atol=1e-8)
    assert_allclose(found.log_likelihood, weight @ log_density, rtol=1e-11)
    assert_allclose(log_densities(X, parameters), log_density, rtol=1e-10, atol=1e-12)
    assert_allclose(responsibilities(X, parameters), resp, atol=1e-12)
    assert_array_equal(predicted_labels(X, parameters), log_prob.argmax(axis=1))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sample_endlessly_far_away_keeps_a_finite_density(dtype):
    parameters = MixtureParameters([0.5, 0.5], [[0, 0], [1, 1]], [[[1.0, 0.99], [0.99, 1.0]]] * 2)
    far = np.finfo(dtype).max / 2
    X = np.array([[far, far], [far, -far], [-far, far]], dtype)
    assert np.isfinite(log_densities(X, parameters)).all()
    assert_allclose(responsibilities(X, parameters).sum(axis=1), 1.0)


@pytest.mark.parametrize("covariance_type", KERNELS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_statistics_of_a_sample_far_away_stay_finite(rng, covariance_type, dtype):
    parameters = random_mixture(rng, covariance_type)
    X = np.array([[0.0, 0.0], [1e30, -1e30]], dtype)
    statistics = weighted_statistics(X, parameters)
    assert np.isfinite(statistics.dev_sum).all()
    assert np.isfinite(statistics.dev2_sum).all()
    assert np.isfinite(statistics.log_likelihood)


@pytest.mark.parametrize("covariance_type", KERNELS)
@pytest.mark.parametrize("widths", [(1e-90, 1.0), (1e-90, 1e-90)], ids=["one", "both"])
def test_components_too_narrow_for_single_precision_keep_finite_densities(covariance_type, widths):
    covariances = np.array([width * np.eye(2) for width in widths])
    if covariance_type == "diag":
        covariances = np.diagonal(covariances, axis1=1, axis2=2)
    needles = MixtureParameters(
        [0.5, 0.5], [[0, 0], [1, 1]], covariances, covariance_type=covariance_type
    )
    X = np.array([[0, 0], [1, 1], [0.75, 0.75], [1e30, 0]], np.float32)
    assert np.isfinite(log_densities(X, needles)).all()
    assert_array_equal(predicted_labels(X[:3], needles), [0, 1, 1])
    assert_allclose(responsibilities(X, needles).sum(axis=1), 1.0)
    assert np.isfinite(weighted_statistics(X, needles).log_likelihood)


@pytest.mark.parametrize("covariance_type", KERNELS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_component_of_weight_zero_gets_nothing(rng, covariance_type, dtype):
    two = random_mixture(rng, covariance_type, n_components=2)
    off = MixtureParameters([1.0, 0.0], two.means, two.covariances, covariance_type=covariance_type)
    X = draw(rng, two, 101).astype(dtype)
    assert_array_equal(responsibilities(X, off), [[1.0, 0.0]] * 101)
    statistics = weighted_statistics(X, off)
    assert_array_equal(statistics.resp_sum, [101.0, 0.0])
    assert_array_equal(statistics.dev_sum[1], 0.0)
    assert_array_equal(statistics.dev2_sum[1], np.zeros_like(statistics.dev2_sum[1]))


def test_a_component_of_weight_zero_may_lie_anywhere():
    off = MixtureParameters([1.0, 0.0], [[0.0], [1e200]], [1.0, 1.0], covariance_type="spherical")
    assert_allclose(log_densities(np.array([[0.0]]), off), -0.5 * np.log(2 * np.pi))


def test_equal_components_tie_and_the_first_wins():
    twins = MixtureParameters([0.5, 0.5], [[0.0], [0.0]], [1.0, 1.0], covariance_type="spherical")
    assert_array_equal(predicted_labels(np.array([[0.0], [3.0]]), twins), [0, 0])


def test_features_beyond_the_last_whole_tile_count():
    # Ten features are two tiles of four and a padded one: moving the last feature must show.
    standard = MixtureParameters([1.0], np.zeros((1, 10)), np.eye(10)[None])
    X = np.zeros((3, 10))
    X[1, 9], X[2, 4] = 1.0, 2.0
    density = log_densities(X, standard)
    assert_allclose(density - density[0], [0.0, -0.5, -2.0], atol=1e-12)


# ---------------------------------------------------------------- the pieces, one by one


def block(rng, dtype, n_rows, size):
    return rng.normal(size=(n_rows, size)).astype(dtype)


def test_load_block_shifts_and_scales_without_losing_a_digit():
    # 1e4 standard deviations from the origin, float32 has three digits left; all of them survive.
    X = np.array([[0.0], [10_000.5], [10_001.25]], np.float32)
    narrow = MixtureParameters([1.0], [[10_000.0]], [2.0**-4], covariance_type="spherical")
    mixture, scale = layout.kernel_mixture(narrow, X.dtype)
    assert_array_equal(scale, [0.25])
    samples = np.full((1, 3), -1.0, np.float32)
    kernel_densities.load_tile(X, 1, 2, mixture, samples)
    assert_array_equal(samples, [[2.0, 5.0, -1.0]])


@pytest.mark.parametrize("n_features", [3, 10])
def test_the_rows_of_a_block_are_its_samples_the_other_way_round(rng, n_features):
    parameters, X = case(rng, "diag", np.float32, n_features)
    X[5, 0] = 1e30  # is cut, in both
    mixture, _ = layout.kernel_mixture(parameters, X.dtype)
    n_rows = mixture.means.shape[1]
    samples, rows = np.zeros((n_rows, 9), np.float32), np.zeros((9, n_rows), np.float32)
    load = kernel_densities.load_tile if n_features < 4 else kernel_densities.load_tiles
    load(X, 2, 9, mixture, samples)
    kernel_densities.load_rows(X, 2, 9, mixture, rows)
    assert_array_equal(samples, rows.T)
    assert samples.any()


def test_find_active_lists_the_samples_with_a_part_and_fills_up_to_four():
    resp = np.array([[9.0] * 6, [0.0, 0.5, 0.0, 0.25, 0.0, 7.0]])
    active, active_resp = np.full(8, -1), np.full(8, -1.0)
    assert kernel_sums.find_active(resp, 1, 5, active, active_resp) == 4
    assert_array_equal(active[:4], [1, 3, 1, 1])
    assert_array_equal(active_resp[:4], [0.5, 0.25, 0.0, 0.0])
    assert kernel_sums.find_active(0 * resp, 1, 5, active, active_resp) == 0


def test_exponentiate_gives_nothing_where_next_to_nothing_is_due():
    log_prob = np.log([[1.0], [2.0**-3], [2.0**-5]])
    peak, total = np.empty(1), np.empty(1)
    kernel_densities.exponentiate(log_prob, 1, 2.0**-4, peak, total)
    assert_allclose(log_prob, [[1.0], [0.125], [0.0]])
    assert_allclose(total, 1.125)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_exponentiate_and_finish_are_logsumexp_and_inverse_total(rng, dtype):
    log_prob = 5 * block(rng, dtype, 3, 37)
    log_prob[1, :5] = -np.inf
    wanted = naive.logsumexp(log_prob.T.astype(float))
    resp = naive.responsibilities(log_prob.T.astype(float))
    peak, total = np.empty(37, dtype), np.empty(37, dtype)
    kernel_densities.exponentiate(log_prob, 37, dtype(0), peak, total)
    kernel_densities.finish_log_density(37, peak, total)
    assert_allclose(peak, wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert_allclose(log_prob.T * total[:, None], resp, atol=TOLERANCE[dtype])


def test_weigh_responsibilities_scales_in_place_and_sums_only_the_block(rng):
    resp, total, sums = rng.uniform(size=(2, 9)), rng.uniform(size=9), np.array([1.0, 2.0])
    wanted, rest = resp[:, :7] * total[:7], resp[:, 7:].copy()
    kernel_sums.weigh_responsibilities(7, total, resp, sums)
    assert_allclose(sums, np.array([1.0, 2.0]) + wanted.sum(axis=1), rtol=1e-12)
    assert_allclose(resp[:, :7], wanted, rtol=1e-15)
    assert_array_equal(resp[:, 7:], rest)


@pytest.mark.parametrize("n_rows", [4, 8, 12])
def test_add_outer_products_adds_the_lower_triangle_of_one_component(rng, n_rows):
    dev, weighted = block(rng, np.float64, n_rows, 13), block(rng, np.float64, n_rows, 13)
    sums = np.ones((3, n_rows, n_rows))
    kernel_sums.add_outer_products(1, 11, dev, weighted, sums)
    wanted = 1.0 + naive.add_outer_products(dev[:, :11], weighted[:, :11])
    assert_allclose(np.tril(sums[1]), np.tril(wanted), rtol=1e-12)
    assert_array_equal(sums[[0, 2]], 1.0)


@pytest.mark.parametrize("n_features", range(1, 9))
def test_accumulate_few_adds_the_lower_triangle_of_any_few_features(rng, n_features):
    n_rows = n_features + n_features % 2
    samples, means, resp = (
        block(rng, np.float64, n_rows, 13),
        block(rng, np.float64, 2, n_rows),
        rng.uniform(size=(2, 13)),
    )
    sums = kernel_types.Sums(np.ones(2), np.ones((2, n_rows)), np.ones((2, n_rows, n_rows)))
    kernel_sums.accumulate_few(samples, 11, (0,) * n_features, means, resp, sums)
    _, dev_sum, dev2_sum = naive.statistics(samples[:, :11].T, resp[:, :11].T, means, np.ones(11))
    seen = np.s_[:, :n_features]
    assert_allclose(sums.dev_sum[seen], 1.0 + dev_sum[seen], rtol=1e-12, atol=1e-12)
    lower = np.tril(sums.dev2_sum[:, :n_features, :n_features])
    assert_allclose(lower, np.tril(1.0 + dev2_sum[:, :n_features, :n_features]), atol=1e-12)


def test_write_labels_fills_only_its_samples():
    log_prob = np.array([[0.0, 1.0, 5.0], [0.0, 2.0, 4.0], [-1.0, 2.0, 9.0]])
    labels = np.full(4, -1, dtype=np.intp)
    kernels.write_labels(1, 2, log_prob, labels)
    assert_array_equal(labels, [-1, 0, 1, -1])


def test_no_kernel_writes_more_than_it_is_asked_for(rng):
    parameters, X = case(rng, "full", np.float64, 2)
    mixture, _ = layout.kernel_mixture(parameters, X.dtype)
    outputs = np.full(211, -1, dtype=np.intp), np.full(211, 7.0), np.full((211, 3), 7.0)
    kernels.describe(X, (50, 60), mixture, layout.empty_scratch(mixture, (50, 60)), *outputs)
    outside = np.r_[0:50, 60:211]
    assert (outputs[0][outside] == -1).all()
    assert (outputs[1][outside] == 7.0).all()
    assert (outputs[2][outside] == 7.0).all()
    assert (outputs[0][50:60] >= 0).all()


def test_an_estimator_in_place_of_its_parameters_is_refused_with_the_remedy():
    message = (
        r"^parameters must be MixtureParameters, got GaussianMixture; "
        r"those of a fitted GaussianMixture are its parameters_$"
    )
    with pytest.raises(InputError, match=message):
        expectation([[0.0]], GaussianMixture())
