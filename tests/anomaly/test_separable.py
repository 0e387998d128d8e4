"""Claims about separable Gaussians: a product is found again, and distances are Mahalanobis'."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.anomaly.moments import Moments
from gmmseg.anomaly.separable import SeparableGaussian, Shrinkage, factors, pooled_scatter
from tests import naive

ROWS = np.array([[1.2, 0.5], [0.5, 0.8]])  # of mean variance 1
COLUMNS = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 1.0]])
NONE = Shrinkage(0.0, 0.0, 1.0)


def test_the_factors_of_a_product_are_found_again():
    scatter = naive.product_covariance(ROWS, COLUMNS)
    rows, columns = factors(scatter, (2, 3), NONE, 1e-12)
    assert_allclose(rows, ROWS, rtol=1e-6)
    assert_allclose(columns, COLUMNS, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("product", [1.0, 0.4])
def test_distances_and_determinant_are_those_of_the_whole_covariance(rng, product):
    samples = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6))
    scatter = np.cov(samples.T)
    shrinkage = Shrinkage(0.1, 0.2, product)
    gaussian = SeparableGaussian.of_scatter(scatter, (2, 3), shrinkage, 0.01)
    product_part = naive.product_covariance(*factors(scatter, (2, 3), shrinkage, 0.01))
    cov = product * product_part + (1.0 - product) * scatter
    dev = rng.normal(size=(5, 6))
    expected = [d @ np.linalg.solve(cov, d) for d in dev]
    assert_allclose(gaussian.distances(dev), expected, rtol=1e-6)
    assert_allclose(gaussian.log_determinant, np.linalg.slogdet(cov)[1], rtol=1e-6)


def test_whole_shrinkage_leaves_one_variance():
    scatter = naive.product_covariance(ROWS, COLUMNS)
    gaussian = SeparableGaussian.of_scatter(scatter, (2, 3), Shrinkage(1.0, 1.0, 1.0), 1e-12)
    # The mean variance of the columns is 7 / 3.
    assert_allclose(gaussian.distances(np.ones((1, 6))), 6.0 / (7.0 / 3.0))


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_any_scale_of_the_samples_gives_the_same_distances(rng, scale):
    samples = rng.normal(size=(9, 6))
    shrinkage = Shrinkage(0.1, 0.2, 0.5)

    def distances(factor):
        scatter = factor**2 * np.cov(samples.T)
        gaussian = SeparableGaussian.of_scatter(scatter, (2, 3), shrinkage, 1e-3 * factor**2)
        return gaussian.distances(factor * samples)

    assert_allclose(distances(scale), distances(1.0), rtol=1e-6)


def test_no_variance_at_all_leaves_the_floor():
    gaussian = SeparableGaussian.of_scatter(np.zeros((6, 6)), (2, 3), Shrinkage(0.1, 0.1, 1.0), 0.5)
    assert_allclose(gaussian.distances(np.ones((1, 6))), 12.0)


def test_domains_share_what_deviations_are_like(rng):
    first, second = rng.normal(size=(8, 2)), rng.normal(size=(12, 2)) + 50.0
    unit = np.ones(2)
    pooled = pooled_scatter([Moments.of_samples(X, unit) for X in (first, second)])
    centered = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
    # 20 samples with 2 means: (20 + 2) / (20 - 2) of the mean square.
    assert_allclose(pooled, centered.T @ centered / 20 * 22 / 18)
