"""Mixtures and samples that many tests share."""

import numpy as np

from gmmseg.core.covariance import FAMILIES
from gmmseg.core.parameters import MixtureParameters
from tests import naive

COVARIANCE_TYPES = sorted(FAMILIES)
SKLEARN_TYPES = ["diag", "full", "spherical", "tied"]
CONSTRAINED_TYPES = sorted(set(FAMILIES) - set(SKLEARN_TYPES))
SEARCHED_TYPES = ["EVE", "VVE"]  # whose likeliest axes have no formula


def random_covariances(rng, n_components, n_features):
    """Return well-conditioned covariance matrices of standard deviations about 1."""
    factors = rng.normal(size=(n_components, n_features, n_features)) / np.sqrt(n_features)
    return factors @ np.swapaxes(factors, 1, 2) + 0.3 * np.eye(n_features)


def random_mixture(rng, covariance_type="full", *, n_components=3, n_features=2, spread=2.0):
    """Return a mixture of overlapping components, none of them alike."""
    weights = rng.dirichlet(np.full(n_components, 5.0))
    means = spread * rng.normal(size=(n_components, n_features))
    full = random_covariances(rng, n_components, n_features)
    covariances = naive.in_family(covariance_type, weights, full)
    return MixtureParameters(weights, means, covariances, covariance_type=covariance_type)


def spelled_out(parameters):
    """Return the covariances of a mixture as one matrix per component."""
    return naive.spelled_out(
        parameters.covariance_type, parameters.covariances, *parameters.means.shape
    )


def draw(rng, parameters, n_samples):
    """Return samples of a mixture, in random order."""
    labels = rng.choice(parameters.n_components, n_samples, p=parameters.weights)
    lower = np.linalg.cholesky(spelled_out(parameters))
    noise = rng.normal(size=(n_samples, parameters.n_features))
    return parameters.means[labels] + np.einsum("nij,nj->ni", lower[labels], noise)
