"""Claims about the samples on which a start among noise is searched."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.core.noise_start import LEAST_KEPT, dense_samples


@pytest.mark.parametrize("n_features", [1, 2, 6, 20])
def test_heaps_are_kept_and_outliers_left_out(rng, n_features):
    heap = rng.normal(size=(600, n_features))
    outliers = rng.uniform(-60.0, 60.0, size=(60, n_features))
    X = np.r_[heap, outliers]
    kept, weight = dense_samples(X, np.ones(660), rng)
    assert len(kept) == len(weight)
    is_kept = np.isin(X[:, 0], kept[:, 0])
    assert is_kept[:600].mean() > 0.95
    assert is_kept[600:].mean() < 0.35 if n_features == 1 else is_kept[600:].mean() < 0.1


def test_units_do_not_matter(rng):
    X = np.r_[rng.normal(size=(300, 2)), rng.uniform(-30.0, 30.0, size=(40, 2))]
    unit = np.array([2.0**-30, 2.0**20])
    here, there = (dense_samples(Y, np.ones(340), np.random.default_rng(1)) for Y in (X, X * unit))
    assert_array_equal(here[0] * unit, there[0])


def test_a_heavy_sample_is_dense(rng):
    X = np.r_[rng.normal(size=(300, 2)), [[50.0, 50.0], [-50.0, 50.0]]]
    weight = np.ones(302)
    weight[-1] = 1e6
    _, its_weight = dense_samples(X, weight, rng)
    assert 1e6 in its_weight
    _, alone = dense_samples(X, np.ones(302), rng)
    assert len(alone) <= 300


def test_a_constant_feature_does_not_matter(rng):
    X = np.r_[rng.normal(size=(300, 2)), rng.uniform(-30.0, 30.0, size=(40, 2))]
    wide = np.c_[X, np.full(340, 7.0)]
    here, there = (dense_samples(Y, np.ones(340), np.random.default_rng(1)) for Y in (X, wide))
    assert_array_equal(here[0], there[0][:, :2])


def test_missing_entries_are_no_obstacle(rng):
    X = np.r_[rng.normal(size=(300, 3)), rng.uniform(-30.0, 30.0, size=(40, 3))]
    X[rng.random(X.shape) < 0.1] = np.nan
    kept, _ = dense_samples(X, np.ones(340), rng)
    assert 250 < len(kept) < 320


@pytest.mark.parametrize("n_samples", [1, 2, 3, 12])
def test_few_or_even_samples_are_all_kept_or_enough_of_them(n_samples, rng):
    for X in (np.arange(3.0 * n_samples).reshape(-1, 3), np.ones((n_samples, 1))):
        kept, weight = dense_samples(X, np.ones(n_samples), rng)
        assert weight.sum() >= LEAST_KEPT * n_samples
        assert len(kept) >= 1
