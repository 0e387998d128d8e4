"""Law: nothing ever raises or yields NaN, whatever the table of finite numbers."""

import itertools
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from gmmseg.core import BayesianGaussianMixture, GaussianMixture
from gmmseg.errors import GmmsegWarning
from tests.mixtures import CONSTRAINED_TYPES, COVARIANCE_TYPES, SKLEARN_TYPES, spelled_out

RNG = np.random.default_rng(12)
NORMAL = RNG.normal(size=(60, 3))
TABLES = {
    "normal": NORMAL,
    "scale 1e12": NORMAL * 1e12,
    "scale 1e-12": NORMAL * 1e-12,
    "scale 1e150": NORMAL * 1e150,
    "scale 1e-150": NORMAL * 1e-150,
    "offset 1e8": NORMAL + 1e8,
    "offset 1e15": NORMAL + 1e15,
    "mixed scales": NORMAL * [1e-12, 1.0, 1e12],
    "mixed offsets": NORMAL + np.array([1e9, 0.0, -1e9]),
    "constant column": NORMAL * [1.0, 0.0, 1.0] + [0.0, 7.0, 0.0],
    "far constant column": NORMAL * [1.0, 0.0, 1.0] + [0.0, 1e12, 0.0],
    "copied column": NORMAL[:, [0, 1, 0]],
    "sum of columns": np.c_[NORMAL[:, :2], NORMAL[:, 0] + NORMAL[:, 1]],
    "zeros": np.zeros((20, 3)),
    "constant": np.full((20, 3), 0.1),
    "duplicates": np.repeat(NORMAL[:3], 10, axis=0),
    "two values": np.repeat([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], 15, axis=0),
    "one outlier": np.r_[NORMAL, [[1e12, -1e12, 1e12]]],
    "fewer samples than features": RNG.normal(size=(3, 10)),
    "one sample": np.array([[1.0, 2.0, 3.0]]),
    "two samples": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]),
    "one number": np.array([[0.1]]),
    "integers": RNG.integers(0, 3, size=(60, 3)),
    "bytes": RNG.integers(0, 256, size=(60, 3)).astype(np.uint8),
    "binary": RNG.integers(0, 2, size=(60, 3)).astype(float),
    "subnormal": NORMAL * 1e-310,
    "heavy tails": RNG.standard_cauchy(size=(60, 3)) ** 3,
    "very heavy tails": np.exp(100.0 * RNG.normal(size=(60, 3))),
    "line": np.linspace(0.0, 1.0, 60)[:, None] * [1.0, 2.0, 3.0],
    "ten features": RNG.normal(size=(40, 10)) * np.geomspace(1e-6, 1e6, 10),
    "one column thrice": NORMAL[:, [0, 0, 0]],
    "one sample less than features": RNG.normal(size=(5, 6)),
    "cauchy": RNG.standard_cauchy(size=(80, 4)),
    "heavy tails in five features": RNG.standard_t(1.5, size=(100, 5)),
    "lattice": np.array(list(itertools.product(range(4), repeat=3)), float),
    "heap and line": np.r_[NORMAL * 1e-9, np.c_[np.linspace(0, 1e3, 30), np.zeros((30, 2))]],
    "far mixed scales": NORMAL * [1e-4, 1.0, 1e4] + 1e8,
    "nearly equal": 1.0 + NORMAL[:30] * 1e-16,
    "corners, scale 1e150": np.sign(NORMAL) * 1e150,
    "single": NORMAL.astype(np.float32),
    "single, scale 1e12": (NORMAL * 1e12).astype(np.float32),
    "single, scale 1e-12": (NORMAL * 1e-12).astype(np.float32),
    "single, scale 1e37": (NORMAL * 1e37).astype(np.float32),
    "single, subnormal": (NORMAL * 1e-42).astype(np.float32),
    "single, offset 1e7": (NORMAL + 1e7).astype(np.float32),
    "single, constant column": (NORMAL * [1.0, 0.0, 1.0] + [0.0, 0.1, 0.0]).astype(np.float32),
    "single, zeros": np.zeros((20, 3), np.float32),
    "single, two values": np.repeat(np.float32([[0, 0, 0], [1, 1, 1]]), 15, axis=0),
    "single, duplicates": np.repeat(NORMAL[:3], 10, axis=0).astype(np.float32),
    "single, one outlier": np.r_[NORMAL, [[1e12, -1e12, 1e12]]].astype(np.float32),
    "single, heavy tails": (RNG.standard_cauchy(size=(60, 3)) ** 3).astype(np.float32),
    "single, mixed scales": (NORMAL * [1e-12, 1.0, 1e12]).astype(np.float32),
    "single, one sample": np.float32([[1, 2, 3]]),
    "single, fewer samples than features": RNG.normal(size=(3, 10)).astype(np.float32),
}


def fitted(X, **options):
    with warnings.catch_warnings():
        # Results that may still be used; any other warning is an error.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", GmmsegWarning)
        return GaussianMixture(random_state=0, max_iter=20, **options).fit(X)


# The families of mclust share their way with the common four; half of the combinations will do.
COMBINATIONS = [
    *itertools.product(SKLEARN_TYPES, [1, 2, 4], [1e-6, 0.0]),
    *itertools.product(CONSTRAINED_TYPES, [2], [1e-6]),
    *itertools.product(CONSTRAINED_TYPES, [1, 4], [0.0]),
]


@pytest.mark.parametrize(("covariance_type", "n_components", "floor"), COMBINATIONS)
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_any_table_gives_a_mixture_of_finite_numbers(X, covariance_type, n_components, floor):
    mixture = fitted(
        X, n_components=n_components, covariance_type=covariance_type, covariance_floor=floor
    )
    assert np.isfinite(mixture.means_).all()
    assert np.isfinite(mixture.covariances_).all()
    assert (mixture.parameters_.component_variances > 0.0).all()
    assert_allclose(mixture.weights_.sum(), 1.0)
    assert (mixture.weights_ >= 0.0).all()
    assert np.isfinite(mixture.lower_bounds_).all()
    assert np.isfinite(mixture.score_samples(X)).all()
    assert_allclose(mixture.predict_proba(X).sum(axis=1), 1.0, rtol=1e-5)
    assert np.isfinite(mixture.precisions_).all() or mixture.covariances_.min() < 1e-150


# All families take turns in the number of components.
@pytest.mark.parametrize(
    "option", [{"noise": True}, {"covariance_prior": 5}], ids=["noise", "prior"]
)
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_any_table_gives_one_with_noise_or_a_prior_of_a_likelihood_that_never_falls(X, option):
    for covariance_type, n_components in zip(COVARIANCE_TYPES, itertools.cycle([1, 2, 4])):
        mixture = fitted(
            X, n_components=n_components, covariance_type=covariance_type, tol=0.0, **option
        )
        parameters, bounds = mixture.parameters_, np.array(mixture.lower_bounds_)
        assert np.isfinite(mixture.means_).all()
        assert np.isfinite(mixture.covariances_).all()
        assert (parameters.component_variances > 0.0).all()
        assert parameters.shares.sum() == pytest.approx(1.0)
        assert np.isfinite(bounds).all()
        assert (np.diff(bounds) >= -1e-9 * np.abs(bounds[:-1])).all()
        assert np.isfinite(mixture.score_samples(X)).all()
        assert_allclose(mixture.predict_proba(X).sum(axis=1), 1.0, rtol=1e-5)
        assert mixture.predict(X).min() >= -1
        assert np.isfinite(mixture.sample(5)[0]).all()


@pytest.mark.parametrize("weight_type", ["dirichlet_process", "dirichlet_distribution"])
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_any_table_gives_a_posterior_of_finite_numbers(X, covariance_type, weight_type):
    mixture = BayesianGaussianMixture(
        4,
        covariance_type=covariance_type,
        weight_concentration_prior_type=weight_type,
        tol=0.0,
        max_iter=20,
        random_state=0,
    ).fit(X)
    assert np.isfinite(mixture.means_).all()
    assert np.isfinite(mixture.covariances_).all()
    assert (mixture.parameters_.component_variances > 0.0).all()
    assert_allclose(mixture.weights_.sum(), 1.0)
    assert np.isfinite(mixture.lower_bounds_).all()
    assert np.isfinite(mixture.score_samples(X)).all()
    assert_allclose(mixture.predict_proba(X).sum(axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_no_mean_leaves_the_box_of_the_data(X, covariance_type):
    mixture = fitted(X, n_components=2, covariance_type=covariance_type)
    low, high = X.min(axis=0).astype(float), X.max(axis=0).astype(float)
    margin = 1e-6 * (high - low) + 1e-15 * np.maximum(np.abs(low), np.abs(high))
    used = mixture.means_[mixture.weights_ > 0.0]
    assert (used >= low - margin).all()
    assert (used <= high + margin).all()


@pytest.mark.parametrize("init_params", ["k-means++", "random", "hierarchical"])
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_any_table_has_a_start(X, init_params):
    mixture = fitted(X, n_components=3, init_params=init_params, covariance_type="full")
    assert np.isfinite(mixture.means_).all()


@pytest.mark.parametrize("weight", [1e-30, 1e30])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_sample_may_outweigh_all_others(weight, dtype):
    sample_weight = np.ones(60)
    sample_weight[7] = weight
    mixture = GaussianMixture(2, random_state=0, tol=0.0, max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmsegWarning)
        mixture.fit(NORMAL.astype(dtype), sample_weight=sample_weight)
    assert np.isfinite(mixture.covariances_).all()
    assert np.isfinite(mixture.score(NORMAL))


def test_covariances_are_positive_definite_in_the_worst_case():
    for X in TABLES.values():
        mixture = fitted(X, n_components=2)
        for matrix in spelled_out(mixture.parameters_):
            scale = np.sqrt(np.diag(matrix))
            correlation = matrix / scale / scale[:, None]
            assert np.linalg.eigvalsh(correlation)[0] > -1e-12
