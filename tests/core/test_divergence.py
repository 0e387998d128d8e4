"""Divergences against integrals, plain formulas and numbers that can be checked by hand."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import MixtureParameters
from gmmseg.core.divergence import Gaussians, bhattacharyya, merge_cost, pairwise, symmetric_kl
from tests.mixtures import COVARIANCE_TYPES, random_mixture, spelled_out

MEASURES = [bhattacharyya, symmetric_kl, merge_cost]


def line(weights, means, variances):
    """Return Gaussians over one feature."""
    return Gaussians.of(
        MixtureParameters(weights, np.c_[means], np.c_[variances], covariance_type="diag")
    )


def between(measure, gaussians):
    """Return the measure of the first two Gaussians."""
    return measure(gaussians, 0, np.array([1]))[0]


def densities(gaussians):
    """Return a fine grid's step, and the densities on it of Gaussians over one feature."""
    grid = np.linspace(-40, 40, 80_001)[:, None]
    dev = (grid - gaussians.means[:, 0]) / np.sqrt(gaussians.covariances[:, 0])
    norm = np.sqrt(2 * np.pi * gaussians.covariances[:, 0])
    return grid[1, 0] - grid[0, 0], np.exp(-0.5 * dev**2) / norm


def log_det(matrix):
    return np.linalg.slogdet(matrix).logabsdet


def test_two_unit_gaussians_two_apart_have_the_measures_one_finds_by_hand():
    pair = line([0.5, 0.5], [-1, 1], [1, 1])
    assert_allclose(between(bhattacharyya, pair), 2**2 / 8)
    assert_allclose(between(symmetric_kl, pair), 2**2)
    # Together they have the variance 1 + 1.
    assert_allclose(between(merge_cost, pair), 0.5 * math.log(2))


def test_two_gaussians_about_one_mean_have_the_measures_one_finds_by_hand():
    pair = line([0.5, 0.5], [3, 3], [1, 4])
    assert_allclose(between(bhattacharyya, pair), 0.5 * math.log(2.5 / 2))
    assert_allclose(between(symmetric_kl, pair), 0.5 * (1 / 4 + 4) - 1)
    assert_allclose(between(merge_cost, pair), 0.5 * math.log(2.5) - 0.25 * math.log(4))


def test_distance_and_divergence_are_the_integrals_that_define_them():
    pair = line([0.3, 0.7], [-1.0, 2.0], [2.0, 0.5])
    step, density = densities(pair)
    left, right = density.T
    assert_allclose(between(bhattacharyya, pair), -np.log(np.sqrt(left * right).sum() * step))
    inside = (left > 0) & (right > 0)
    left, right = left[inside], right[inside]
    divergence = ((left - right) * np.log(left / right)).sum() * step
    assert_allclose(between(symmetric_kl, pair), divergence, rtol=1e-6)


def test_merging_costs_no_more_nats_than_said():
    three = line([0.2, 0.5, 0.3], [-1.0, 2.0, 3.0], [2.0, 0.5, 1.0])
    merged = line([0.7, 0.3], [(-0.2 + 1.0) / 0.7, 3.0], [0.65 / 0.7 + 10 / 49 * 9, 1.0])
    step, before = densities(three)
    _, after = densities(merged)
    before, after = before @ three.weights, after @ merged.weights
    inside = before > 1e-300
    lost = (before * np.log(before / np.where(inside, after, 1)))[inside].sum() * step
    assert 0 < lost < between(merge_cost, three)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_measures_of_a_mixture_are_the_plain_formulas(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_components=4, n_features=3)
    full, gaussians = spelled_out(parameters), Gaussians.of(parameters)
    found = [pairwise(measure, gaussians) for measure in MEASURES]
    for i in range(4):
        for j in range(4):
            dev = parameters.means[i] - parameters.means[j]
            mean, inverses = (full[i] + full[j]) / 2, np.linalg.inv(full[[i, j]])
            growth = log_det(mean) - 0.5 * log_det(full[i]) - 0.5 * log_det(full[j])
            distance = dev @ np.linalg.inv(mean) @ dev / 8 + growth / 2
            traces = np.trace(inverses[1] @ full[i] + inverses[0] @ full[j])
            divergence = traces / 2 - 3 + dev @ inverses.sum(axis=0) @ dev / 2
            w_i, w_j = parameters.weights[[i, j]]
            total = w_i + w_j
            together = (w_i * full[i] + w_j * full[j]) / total
            together += w_i * w_j / total**2 * np.outer(dev, dev)
            if parameters.family.scatter_kind == "diag":
                together = np.diag(np.diag(together))
            cost = total * log_det(together) - w_i * log_det(full[i]) - w_j * log_det(full[j])
            expected = (distance, divergence, cost / 2 if i != j else 0)
            assert_allclose([matrix[i, j] for matrix in found], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_twins_are_no_distance_apart(rng, covariance_type, measure):
    one = random_mixture(rng, covariance_type, n_components=1, n_features=4)
    twins = Gaussians(*(np.repeat(array, 2, axis=0) for array in Gaussians.of(one)))
    assert_allclose(between(measure, twins), 0, atol=1e-13)


@pytest.mark.parametrize(("scale", "offset"), [(1, 1e8), (1e-12, 0.0), (1e-12, 1e8), (1e12, 1e8)])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_units_and_origin_do_not_matter(covariance_type, measure, scale, offset):
    rng = np.random.default_rng(0)
    parameters = random_mixture(rng, covariance_type, n_components=3, n_features=3)
    means = np.round(parameters.means * 2**20) / 2**20  # so that an offset rounds none of them
    units = np.array([1.0, scale, 1.0])
    squares = np.outer(units, units) if covariance_type == "full" else units**2
    before, after = (
        MixtureParameters(parameters.weights, m, c, covariance_type=covariance_type)
        for m, c in [
            (means, parameters.covariances),
            ((means + offset) * units, parameters.covariances * squares),
        ]
    )
    expected = pairwise(measure, Gaussians.of(before))
    assert_allclose(pairwise(measure, Gaussians.of(after)), expected, rtol=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_what_lies_endlessly_far_apart_or_is_endlessly_thin_has_a_finite_measure(measure):
    for covariances in (np.full((2, 2), 1e-60), np.full((2, 2, 2), 1.0) + 1e-15 * np.eye(2)):
        covariance_type = "diag" if covariances.ndim == 2 else "full"
        far = MixtureParameters(
            [0.5, 0.5], [[-1e151, 0.0], [1e151, 0.0]], covariances, covariance_type=covariance_type
        )
        assert np.isfinite(between(measure, Gaussians.of(far)))
        assert between(measure, Gaussians.of(far)) > 1


def test_a_component_that_is_switched_off_is_merged_for_nothing(rng):
    several = Gaussians.of(random_mixture(rng, n_components=9, n_features=5))
    rounded = several.factors * (1 + 1e-9)  # worse than rounding does
    off = several._replace(weights=np.eye(9)[4], factors=rounded)
    assert_array_equal(pairwise(merge_cost, off), np.zeros((9, 9)))
