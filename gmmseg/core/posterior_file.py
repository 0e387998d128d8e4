"""A posterior over mixtures in a model file: what is written, and how much of it is believed."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.em import FitRecord
from gmmseg.core.mixture_file import as_damage, record_header, record_of
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.serialization import read_model, write_model
from gmmseg.core.variational import Posterior, Prior
from gmmseg.core.variational_prior import covariance_shape
from gmmseg.errors import InputError

KIND = "bayesian-gaussian-mixture"
# Numbers further from 1 come of no fit, and their logarithms could not be added.
SMALLEST, LARGEST = 1e-300, 1e300


def write_posterior(
    path: str | PathLike[str],
    posterior: Posterior,
    record: FitRecord,
    options: Mapping[str, Any],
) -> None:
    """Write a posterior, its prior, the record of the fit and plain options of the estimator."""
    prior = posterior.prior
    # What the arrays say, the options do not say again.
    told = {"covariance_type", "weight_concentration_prior_type", "n_components"}
    header = {
        "covariance_type": prior.covariance_type,
        "weight_concentration_prior_type": prior.weight_type,
        "options": {key: value for key, value in options.items() if key not in told},
        **record_header(record),
    }
    arrays = {
        "weight_concentration": posterior.weight_concentration,
        "means": posterior.means,
        "mean_precision": posterior.mean_precision,
        "covariances": posterior.covariances,
        "degrees_of_freedom": posterior.degrees_of_freedom,
        "prior_mean": prior.mean,
        # As the covariances of a single component: an array in a file has an axis.
        "prior_covariance": prior.covariance.reshape(prior.family.shape(1, len(prior.mean))),
        "prior_numbers": np.array(
            [prior.weight_concentration, prior.mean_precision, prior.degrees_of_freedom]
        ),
        "lower_bounds": np.array(record.lower_bounds),
    }
    write_model(path, kind=KIND, header=header, arrays=arrays)


def read_posterior(path: str | PathLike[str]) -> tuple[Posterior, FitRecord, dict[str, Any]]:
    """Return what `write_posterior` wrote, the options with what the arrays say.

    Raises
    ------
    ModelFileError
        If anything in the file does not fit together.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        posterior = _posterior(header, arrays)
        options = {
            **header["options"],
            "covariance_type": posterior.prior.covariance_type,
            "weight_concentration_prior_type": posterior.prior.weight_type,
            "n_components": posterior.n_components,
        }
        return posterior, record_of(header, arrays["lower_bounds"]), options


def _posterior(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Posterior:
    means = arrays["means"]
    n_components = len(means) if means.ndim else 0
    # Checks means and covariances, and that the family is one.
    mixture = MixtureParameters(
        np.full(n_components, 1.0 / max(n_components, 1)),
        means,
        arrays["covariances"],
        covariance_type=str(header["covariance_type"]),
    )
    n_features = mixture.n_features
    numbers = _positive(arrays, "prior_numbers", (3,))
    covariance = _floats(arrays, "prior_covariance", mixture.family.shape(1, n_features))
    mixture.family.check_positive(covariance, "prior_covariance")
    prior = Prior(
        covariance_type=mixture.covariance_type,
        weight_type=str(header["weight_concentration_prior_type"]),
        weight_concentration=float(numbers[0]),
        mean=_floats(arrays, "prior_mean", (n_features,)),
        mean_precision=float(numbers[1]),
        covariance=covariance.reshape(covariance_shape(mixture.family, n_features)),
        degrees_of_freedom=float(numbers[2]),
    )
    concentration = prior.weights.shape(n_components)
    posterior = Posterior(
        prior=prior,
        weight_concentration=_positive(arrays, "weight_concentration", concentration),
        means=mixture.means,
        mean_precision=_positive(arrays, "mean_precision", (n_components,)),
        covariances=mixture.covariances,
        degrees_of_freedom=_positive(arrays, "degrees_of_freedom", (n_components,)),
    )
    if min(posterior.degrees_of_freedom.min(), prior.degrees_of_freedom) <= n_features - 1:
        raise InputError(f"degrees of freedom must lie above n_features - 1 = {n_features - 1}")
    return posterior


def _floats(
    arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    array = arrays[name]
    if array.shape != shape or array.dtype != np.float64:
        raise InputError(
            f"{name} must be float64 of shape {shape}, got {array.dtype} {array.shape}"
        )
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite, got NaN or infinity")
    return array


def _positive(
    arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    array = _floats(arrays, name, shape)
    if array.min() < SMALLEST or array.max() > LARGEST:
        raise InputError(f"{name} must lie between {SMALLEST:g} and {LARGEST:g}")
    return array
