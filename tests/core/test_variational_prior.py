"""Claims about priors: what the data suggest, and what is refused of what the user gives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.core import BayesianGaussianMixture
from gmmseg.core.variational_prior import PriorOptions, prior_for, total_statistics
from gmmseg.errors import InputError

COVARIANCE_TYPES = ["full", "tied", "diag", "spherical"]
NAN = float("nan")


def suggested(X, weight=None, *, covariance_type="full"):
    """Return the prior that the data suggest."""
    options = PriorOptions(
        n_components=4,
        covariance_type=covariance_type,
        weight_type="dirichlet_process",
        weight_concentration=None,
        mean_precision=None,
        mean=None,
        degrees_of_freedom=None,
        covariance=None,
    )
    total = total_statistics(np.asarray(X), weight, 1, covariance_type=covariance_type)
    return prior_for(options, total)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_data_suggest_their_mean_and_covariance_and_little_trust_in_them(rng, covariance_type):
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) * [1e-6, 1.0, 1e6] + 100.0
    prior = suggested(X, covariance_type=covariance_type)
    variance = X.var(axis=0, ddof=1)
    wanted = {"diag": variance, "spherical": variance.mean()}.get(covariance_type, np.cov(X.T))
    assert_allclose(prior.covariance, wanted, rtol=1e-9)
    assert_allclose(prior.mean, X.mean(axis=0), rtol=1e-12)
    assert (prior.mean_precision, prior.degrees_of_freedom) == (1.0, 3.0)
    assert prior.weight_concentration == 0.25


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_weights_suggest_what_repeated_samples_do(rng, covariance_type):
    X, times = rng.normal(size=(40, 2)), rng.integers(0, 4, size=40)
    weighted = suggested(X, times.astype(float), covariance_type=covariance_type)
    repeated = suggested(X.repeat(times, axis=0), covariance_type=covariance_type)
    assert_allclose(weighted.mean, repeated.mean, rtol=1e-12)
    assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-12)


def test_weights_of_less_than_one_sample_suggest_a_covariance_of_the_same_size(rng):
    X = rng.normal(size=(40, 2))
    prior = suggested(X, np.full(40, 1e-3))
    assert_allclose(prior.covariance, 2.0 * np.cov(X.T, ddof=0), rtol=1e-12)


def test_a_prior_from_a_copied_column_is_regular_and_no_wider(rng):
    X = rng.normal(size=(50, 2))[:, [0, 1, 0]] * [1.0, 1.0, 1e-4]
    prior = suggested(X)
    assert_allclose(np.diag(prior.covariance), X.var(axis=0, ddof=1), rtol=1e-5)
    deviation = np.sqrt(np.diag(prior.covariance))
    eigenvalues = np.linalg.eigvalsh(prior.covariance / np.outer(deviation, deviation))
    assert_allclose(eigenvalues[0], 1e-6, rtol=1e-3)


def test_a_constant_column_suggests_a_millionth_of_the_mean_variance(rng):
    X = np.c_[2.0 * rng.normal(size=200), np.full(200, 7.0)]
    prior = suggested(X, covariance_type="diag")
    assert prior.covariance[1] == pytest.approx(1e-6 * X.var(axis=0).mean(), rel=1e-9)


BAD_PRIORS = {
    "kind": (
        {"weight_concentration_prior_type": "uniform"},
        (
            "weight_concentration_prior_type must be one of dirichlet_process, "
            "dirichlet_distribution, got 'uniform'"
        ),
    ),
    "family": (
        {"covariance_type": "round"},
        "covariance_type must be one of .*, got 'round'",
    ),
    "no concentration": (
        {"weight_concentration_prior": 0},
        "weight_concentration_prior must be a number above 0, got 0",
    ),
    "negative concentration": (
        {"weight_concentration_prior": -1.5},
        r"weight_concentration_prior must be a number above 0, got -1\.5",
    ),
    "no precision": (
        {"mean_precision_prior": 0.0},
        r"mean_precision_prior must be a number above 0, got 0\.0",
    ),
    "precision as text": (
        {"mean_precision_prior": "one"},
        "mean_precision_prior must be a number above 0, got 'one'",
    ),
    "NaN": (
        {"mean_precision_prior": NAN},
        "mean_precision_prior must be a number above 0, got nan",
    ),
    "few degrees of freedom": (
        {"degrees_of_freedom_prior": 1},
        "degrees_of_freedom_prior must be a number above n_features - 1 = 1, got 1",
    ),
    "negative degrees of freedom": (
        {"degrees_of_freedom_prior": -2.0},
        r"degrees_of_freedom_prior must be a number above 0, got -2\.0",
    ),
    "mean of another shape": (
        {"mean_prior": [0.0]},
        r"mean_prior must have shape \(2,\), got \(1,\)",
    ),
    "mean of text": (
        {"mean_prior": ["a", "b"]},
        "mean_prior must be an array of numbers, got something else: .*",
    ),
    "mean of NaN": ({"mean_prior": [0.0, NAN]}, "mean_prior must be finite, got NaN or infinity"),
    "full as numbers": (
        {"covariance_prior": [1.0, 1.0]},
        r"covariance_prior must have shape \(2, 2\), got \(2,\)",
    ),
    "lopsided": (
        {"covariance_prior": [[1.0, 0.5], [0.0, 1.0]]},
        "covariance_prior must be symmetric; matrix 0 is not",
    ),
    "indefinite": (
        {"covariance_prior": [[1.0, 2.0], [2.0, 1.0]], "covariance_type": "tied"},
        "covariance_prior must be positive definite; matrix 0 is not",
    ),
    "diag as a matrix": (
        {"covariance_prior": np.eye(2), "covariance_type": "diag"},
        r"covariance_prior must have shape \(2,\), got \(2, 2\)",
    ),
    "negative variance": (
        {"covariance_prior": [1.0, -1.0], "covariance_type": "diag"},
        r"covariance_prior must be positive, got -1\.0 at index \(1,\)",
    ),
    "spherical as a list": (
        {"covariance_prior": [1.0], "covariance_type": "spherical"},
        r"covariance_prior must have shape \(\), got \(1,\)",
    ),
    "spherical zero": (
        {"covariance_prior": 0.0, "covariance_type": "spherical"},
        r"covariance_prior must be positive, got 0\.0 at index \(\)",
    ),
}


@pytest.mark.parametrize(("options", "message"), BAD_PRIORS.values(), ids=BAD_PRIORS)
def test_a_bad_prior_is_refused_by_fit(options, message):
    X = [[0.0, 1.0], [2.0, 0.5], [1.0, 1.0]]
    with pytest.raises(InputError, match=f"^{message}$"):
        BayesianGaussianMixture(2, **options).fit(X)
