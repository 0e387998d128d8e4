"""Claims about MixtureParameters: checked once, frozen for good."""

import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError
from tests.mixtures import COVARIANCE_TYPES, random_mixture, spelled_out

EYE = [[1.0, 0.0], [0.0, 1.0]]

BAD = {
    "weights of another length": (
        ([1.0], [[0.0], [1.0]], [1.0, 1.0], "spherical"),
        "weights must have shape (2,) as there are 2 means, got (1,)",
    ),
    "weights as a table": (
        ([[0.5, 0.5]], [[0.0], [1.0]], [1.0, 1.0], "spherical"),
        "weights must have shape (2,) as there are 2 means, got (1, 2)",
    ),
    "negative weight": (
        ([1.5, -0.5], [[0.0], [1.0]], [1.0, 1.0], "spherical"),
        "weights must not be negative, got -0.5 for component 1",
    ),
    "weights that sum to 2": (
        ([1.0, 1.0], [[0.0], [1.0]], [1.0, 1.0], "spherical"),
        "weights must sum to 1, got 2.0; divide them by their sum",
    ),
    "means as a list": (
        ([0.5, 0.5], [0.0, 1.0], [1.0, 1.0], "spherical"),
        "means must have shape (n_components, n_features), got (2,)",
    ),
    "no component": (
        ([], np.empty((0, 2)), [], "spherical"),
        "means must have shape (n_components, n_features), got (0, 2)",
    ),
    "no feature": (
        ([1.0], np.empty((1, 0)), [1.0], "spherical"),
        "means must have shape (n_components, n_features), got (1, 0)",
    ),
    "covariances of another family": (
        ([1.0], [[0.0, 1.0]], [[1.0, 1.0]], "full"),
        (
            "covariances must have shape (1, 2, 2) for covariance_type='full' "
            "and means of shape (1, 2), got (1, 2)"
        ),
    ),
    "NaN": (
        ([1.0], [[0.0, float("nan")]], [1.0], "spherical"),
        "means must be finite, got NaN or infinity at index (0, 1)",
    ),
    "infinite covariance": (
        ([1.0], [[0.0, 0.0]], [[[1.0, 0.0], [0.0, float("inf")]]], "full"),
        "covariances must be finite, got NaN or infinity at index (0, 1, 1)",
    ),
    "text": (
        (["one"], [[0.0]], [1.0], "spherical"),
        (
            "weights must be an array of numbers, got something else: "
            "could not convert string to float: 'one'"
        ),
    ),
    "variance zero": (
        ([1.0], [[0.0]], [[0.0]], "diag"),
        "covariances must be positive, got 0.0 at index (0, 0)",
    ),
    "indefinite": (
        ([1.0], [[0.0, 0.0]], [[[1.0, 2.0], [2.0, 1.0]]], "full"),
        "covariances must be positive definite; matrix 0 is not",
    ),
    "asymmetric": (
        ([1.0], [[0.0, 0.0]], [[1.0, 0.5], [0.4, 1.0]], "tied"),
        "covariances must be symmetric; matrix 0 is not",
    ),
    "unknown family": (
        ([1.0], [[0.0]], [1.0], "round"),
        (
            "covariance_type must be one of full, tied, diag, spherical, EII, EEI, VEI, EVI, VEE, "
            "EVE, VVE, EEV, VEV, EVV, got 'round'"
        ),
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_what_makes_no_mixture_is_refused_by_name(arguments, message):
    *arrays, covariance_type = arguments
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        MixtureParameters(*arrays, covariance_type=covariance_type)


def test_a_ragged_list_is_refused_as_no_array_of_numbers():
    message = "means must be an array of numbers, got something else: "
    with pytest.raises(InputError, match=f"^{message}"):
        MixtureParameters([0.5, 0.5], [[0.0], [1.0, 2.0]], [1.0, 1.0], covariance_type="spherical")


def test_arrays_are_float64_copies_that_cannot_be_written():
    means = np.zeros((1, 2), np.float32)
    parameters = MixtureParameters([1], means, [EYE])
    means[0, 0] = 9.0
    assert_array_equal(parameters.means, [[0.0, 0.0]])
    for array in (parameters.weights, parameters.means, parameters.covariances):
        assert array.dtype == np.float64
        with pytest.raises(ValueError, match=r"^assignment destination is read-only$"):
            array[0] = 5.0


@pytest.mark.parametrize("name", ["weights", "means", "covariances", "covariance_type"])
def test_no_part_can_be_replaced(name):
    parameters = MixtureParameters([1.0], [[0.0]], [[[1.0]]])
    with pytest.raises(AttributeError, match=f"^cannot assign to field '{name}'$"):
        setattr(parameters, name, None)


def test_trusted_parameters_are_frozen_too():
    trusted = MixtureParameters.trusted(np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)), "full")
    assert not trusted.means.flags.writeable
    assert trusted.covariance_type == "full"


@pytest.mark.parametrize(
    ("covariance_type", "n_free"), [("full", 17), ("tied", 11), ("diag", 14), ("spherical", 11)]
)
def test_free_parameters_of_three_components_and_two_features_counted_by_hand(
    rng, covariance_type, n_free
):
    # 2 weights + 6 coordinates + 9, 3, 6 or 3 numbers of covariance.
    assert random_mixture(rng, covariance_type).n_free_parameters == n_free


@pytest.mark.parametrize(
    ("covariance_type", "n_free"), [("full", 11), ("tied", 8), ("diag", 9), ("spherical", 7)]
)
def test_a_component_of_weight_zero_has_no_free_parameters(rng, covariance_type, n_free):
    three = random_mixture(rng, covariance_type)
    off = MixtureParameters(
        [0.5, 0.0, 0.5], three.means, three.covariances, covariance_type=covariance_type
    )
    assert off.n_free_parameters == n_free
    assert off.n_components == 3


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_variances_spelled_out_are_the_diagonals(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_features=3)
    wanted = np.diagonal(spelled_out(parameters), axis1=1, axis2=2)
    assert_allclose(parameters.component_variances, wanted, rtol=1e-15)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_factors_spelled_out_invert_each_covariance(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_features=3)
    factors = parameters.component_factors
    if factors.ndim == 2:
        factors = np.array([np.diag(row) for row in factors])
    product = factors @ np.swapaxes(factors, 1, 2) @ spelled_out(parameters)
    assert_allclose(product, np.broadcast_to(np.eye(3), (3, 3, 3)), atol=1e-12)


def test_unpickled_parameters_are_as_frozen_as_before(rng):
    parameters = random_mixture(rng)
    assert parameters.precisions.size  # computed, and not to be pickled
    copy = pickle.loads(pickle.dumps(parameters))  # noqa: S301 (our own bytes)
    assert_array_equal(copy.covariances, parameters.covariances)
    assert not copy.means.flags.writeable
    assert set(vars(copy)) == {"weights", "means", "covariances", "covariance_type", "noise"}
